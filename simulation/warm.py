"""Compile every Numba kernel once, into the cache on disk, by taking a tiny trace the whole way.

The real functions are run, in memory and from a saved folder, so that each kernel meets the types that it meets in
use; after that, a fresh process loads machine code instead of compiling it for seconds.
"""

from __future__ import annotations

import compileall
import gzip
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from simulation import kernel_cache
from simulation.analysis.report import analyze
from simulation.events import EventTable
from simulation.graph import build_graph
from simulation.lod import LodIndex, Palette, TileSource, dense_view, tile
from simulation.replay import Prediction, Schedule, predict, replay, streams_of
from simulation.replay.sensitivity import sensitivity
from simulation.run import Run, read_run
from simulation.trust import assess
from simulation.workload import Workload, write_kineto, write_run

Event = dict[str, Any]

HERE = Path(__file__).parent

PID, HOST, STREAM = 1, 10, 7
STEP_US = 1000
OPS = 100


def warm() -> None:
    """Takes half a minute when nothing is compiled yet, about a second when all is."""
    kernel_cache.forget_others()
    compileall.compile_dir(HERE, quiet=2)  # by itself Python keeps nothing where it is told not to write bytecode
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        ranks = [_write(home / f"rank{rank}.json.gz", rank) for rank in range(2)]
        plain = home / "plain.json"
        plain.write_text(json.dumps({"traceEvents": list(_host_step(0, 0))}))
        nodes, packed = home / "nodes.json", home / "packed.json.gz"
        nodes.write_text(json.dumps({"schema": "1.1.1", "nodes": _nodes()}))
        packed.write_bytes(gzip.compress(nodes.read_bytes()))
        for files in ([plain], [nodes], [packed], ranks):
            go_through(files, home / files[0].stem)
        _generate(home)


def go_through(files: Sequence[Path], home: Path) -> None:
    """Read, save, open, index, draw, analyze, replay and validate, as the product does."""
    measured = read_run(files)
    measured.save(home)
    for run in (measured, Run.open(home)):
        _draw(run.traces, run, home)
        graph = build_graph(run)
        prediction = predict(run, graph)
        sensitivity(run, graph, most=1)
        replay(graph, schedule=Schedule.of(graph, streams_of(run)), mode="events")
        analyze(run)
        assess(run)
        prediction.save(home)
        opened = Prediction.open(home, run)
        _draw([opened.table(trace) for trace in range(len(run.traces))], run, home)


def _generate(home: Path) -> None:
    """Files and tables of a step on two ranks."""
    spec = Workload(layers=1, hidden=64, heads=2, sequence=32, vocabulary=64, dp=2, tp=1, pp=1, steps=1)
    write_kineto(spec, home / "generated")
    write_run(spec, home / "stored")


def _draw(tables: Sequence[EventTable], run: Run, home: Path) -> None:
    """One tile of each track, from a saved index; and where the events are."""
    for trace, table in enumerate(tables):
        LodIndex.build(table.start_ns, table.dur_ns, table.lane_offsets).save(home / "lod.arrow")
        index, palette = LodIndex.open(home / "lod.arrow"), Palette.of(table.names, table.categories)
        source = TileSource(table.columns, index, palette, run.name_codes[trace], run.shift_ns[trace])
        for track in table.tracks:
            tile(source, track.lane_rows, 0, 0)
        dense_view(table.start_ns, table.end_ns)


def _write(path: Path, rank: int) -> Path:
    """A trace of three steps: enough events for blocks of the index, and one of every kind that the reader knows."""
    events = [event for step in range(3) for event in (*_host_step(step, rank), *_device_step(step))]
    trace = {
        "baseTimeNanoseconds": 1_700_000_000_000_000_000,
        "distributedInfo": {"rank": rank, "world_size": 2},
        "traceEvents": [*events, *_others()],
    }
    path.write_bytes(gzip.compress(json.dumps(trace).encode()))
    return path


def _nodes() -> list[dict[str, Any]]:
    """An execution trace of two operations, one in the other."""
    return [{"id": at, "parent": 1, "rf_id": at, "name": "op", "tid": 1, "inputs": []} for at in (1, 2)]


def _slice(name: str, category: str, thread: int | str, start_us: int, dur_us: float, **args: Any) -> Event:
    pid = 0 if thread == STREAM else PID
    return {
        "ph": "X", "name": name, "cat": category, "pid": pid, "tid": thread, "ts": start_us, "dur": dur_us,
        "args": args,
    }  # fmt: skip


def _flow(phase: str, thread: int, at_us: int, correlation: int) -> Event:
    pid = 0 if thread == STREAM else PID
    return {"ph": phase, "id": correlation, "pid": pid, "tid": thread, "ts": at_us, "cat": "ac2g", "name": "ac2g"}


def _host_step(step: int, rank: int) -> Iterator[Event]:
    """Operators one after another; on another thread a collective, and a slice that outlasts it."""
    at = step * STEP_US
    yield _slice(f"ProfilerStep#{step}", "user_annotation", HOST, at, 900)
    for op in range(OPS):
        yield _slice("aten::mm", "cpu_op", HOST, at + 8 * op, 6.125, **{"Input Dims": [[2, 2], [2, 2]], "Ev Idx": op})
    yield _slice("record_param_comms", "cpu_op", HOST + 1, at, 50, **{"Collective name": "allreduce", "Rank": rank})
    yield _slice("outlasts", "cpu_op", HOST + 1, at + 40, 50)


def _device_step(step: int) -> Iterator[Event]:
    """A launch in each operator, what it launched, and the host waiting for it, on a clock half a microsecond off."""
    at = step * STEP_US
    for op in range(OPS):
        called_us, correlation = at + 8 * op + 1, 1000 * (step + 1) + op
        name, category = ("Memcpy DtoH", "gpu_memcpy") if op % 10 == 0 else ("gemm", "kernel")
        yield _slice("cudaLaunchKernel", "cuda_runtime", HOST, called_us, 2, correlation=correlation)
        yield _slice(
            name, category, STREAM, called_us + 4, 7,
            correlation=correlation, stream=STREAM, device=0, grid=[1, 1, 1], block=[32, 1, 1], bytes=64,
        )  # fmt: skip
        yield _flow("s", HOST, called_us, correlation)
        yield _flow("f", STREAM, called_us + 4, correlation)
    waits, told = 9000 + step, {"cuda_sync_kind": "Context Sync", "stream": -1}
    yield _slice("cudaDeviceSynchronize", "cuda_runtime", HOST, at + 802, 1.5, correlation=waits)
    yield _slice("Context Sync", "cuda_sync", STREAM, at + 802, 5, correlation=waits, **told)
    yield _slice("cudaStreamSynchronize", "cuda_runtime", HOST, at + 880, 14)


def _others() -> Iterator[Event]:
    """Names, an instant, a counter, the profiler's window, begins and ends, and an event without a usable time."""
    yield {"ph": "M", "name": "process_name", "pid": PID, "tid": 0, "ts": 0, "args": {"name": "python"}}
    yield {
        "ph": "i", "name": "[memory]", "cat": "cpu_instant_event", "pid": PID, "tid": HOST, "ts": 5, "s": "t",
        "args": {"Bytes": 64},
    }  # fmt: skip
    for phase, at_us in zip("BEbne", (20, 21, 20, 21, 22), strict=True):
        yield {"ph": phase, "name": "apart", "cat": "host", "pid": PID, "tid": HOST + 2, "ts": at_us, "id": "0x1"}
    yield {"ph": "C", "name": "power", "pid": 0, "ts": 6, "args": {"watts": 1.5}}
    yield _slice("PyTorch Profiler (0)", "Trace", "Spans", 0, 4000)
    yield {"ph": "X", "name": "lost", "cat": "cpu_op", "pid": PID, "tid": HOST, "ts": "soon", "dur": 1}
