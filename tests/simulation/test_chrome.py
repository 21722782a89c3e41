"""Chrome JSON: what is written reads back the same, and is what viewers of the format expect."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulation.events import EventTable
from simulation.formats import read_trace
from simulation.formats.chrome import write_chrome
from simulation.run import Run, read_run
from tests.simulation.traces import event, kernel, launch, read, side, step, write

ARROW = {"cat": "ac2g", "name": "ac2g", "id": 4}
EVENTS = [
    step(1, 0, 50.5), launch(1.001, 1, 4), kernel(5, 0.999, 4), kernel(6, 0),
    event('quo"te\n\u00e9', 3, 1, args={"a": [1.50]}),
    {**ARROW, "ph": "s", "pid": 7, "tid": 7, "ts": 1.001}, {**ARROW, "ph": "f", "pid": 0, "tid": 3, "ts": 5},
    {"ph": "i", "s": "t", "name": "[memory]", "cat": "cpu_instant_event", "pid": 7, "tid": 7, "ts": 9,
     "args": {"Bytes": 4}},
    {"ph": "C", "name": "power", "pid": 7, "ts": 1, "args": {"W": 1.5}},
    event("window", 0, 60, "Trace", pid="Spans", tid="PyTorch Profiler"),
    {"ph": "M", "name": "process_name", "pid": 7, "tid": 0, "args": {"name": "python3"}},
    {"ph": "M", "name": "thread_name", "pid": 7, "tid": 7, "args": {"name": "thread 7 (worker)"}},
    event("before the base", -3.002, 1),
]  # fmt: skip
BASE_NS = 1_711_964_646_000_000_000


def written(path: Path) -> dict[str, Any]:
    packed = path.read_bytes()
    return json.loads(gzip.decompress(packed) if path.suffix == ".gz" else packed)


@pytest.mark.parametrize("base_ns", [0, BASE_NS])
@pytest.mark.parametrize("name", ["out.json", "out.json.gz"])
def test_it_reads_back_the_same(tmp_path: Path, name: str, base_ns: int) -> None:
    table = read(tmp_path, *EVENTS, baseTimeNanoseconds=base_ns, distributedInfo={"rank": 1, "world_size": 2})
    write_chrome(Run.of([table]), tmp_path / name)
    assert_same(read_trace(tmp_path / name), table)


def test_it_reads_back_a_sample_the_same(samples: Path, tmp_path: Path) -> None:
    for name in ("hta/cuda_event_sync_multi_stream", "tracelens/mi300/bert-small", "hta/sampled_rank-0"):
        table = read_trace(samples / f"{name}.json.gz")
        write_chrome(Run.of([table]), tmp_path / "out.json.gz")
        assert_same(read_trace(tmp_path / "out.json.gz"), table)


def test_it_writes_a_saved_run_as_one_just_read(tmp_path: Path) -> None:
    run = Run.of([read(tmp_path, *EVENTS, *(event("filler", 100 + at) for at in range(3000)))])
    run.save(tmp_path / "run")
    write_chrome(run, tmp_path / "a.json")
    write_chrome(Run.open(tmp_path / "run"), tmp_path / "b.json")
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def test_it_writes_predicted_times(tmp_path: Path) -> None:
    run = Run.of([read(tmp_path, *EVENTS)])
    trace = run.traces[0]
    moved = trace.with_times(trace.start_ns * 3 + 7, trace.dur_ns * 3)
    write_chrome(run, tmp_path / "out.json", [moved])
    assert_same(read_trace(tmp_path / "out.json"), moved)


def test_it_writes_three_decimals_and_the_args_as_they_were(tmp_path: Path) -> None:
    table = read(tmp_path, *EVENTS, baseTimeNanoseconds=BASE_NS)
    write_chrome(Run.of([table]), tmp_path / "out.json")
    text = (tmp_path / "out.json").read_text()
    assert '"ts": 1.001, "dur": 1.000' in text
    assert '"ts": -3.002' in text
    assert '"args": {"a": [1.5]}' in text
    assert written(tmp_path / "out.json")["baseTimeNanoseconds"] == BASE_NS


def test_it_gives_every_rank_its_processes(tmp_path: Path) -> None:
    files = [
        write(tmp_path / f"{rank}.json", EVENTS, baseTimeNanoseconds=BASE_NS + rank, distributedInfo={"rank": rank})
        for rank in range(2)
    ]
    run = read_run(files)
    write_chrome(run, tmp_path / "out.json.gz")
    top = written(tmp_path / "out.json.gz")
    names = {entry["pid"]: entry["args"]["name"] for entry in top["traceEvents"] if entry["name"] == "process_name"}
    assert sorted(names.values()) == sorted(
        f"rank {rank}: {process}" for rank in range(2) for process in ("python3 7", "GPU 0", "profiler")
    )
    back = read_trace(tmp_path / "out.json.gz")
    assert back.info.base_ns == run.origin_ns == BASE_NS - 3002
    for rank, trace in enumerate(run.traces):
        pids = {str(pid) for pid, name in names.items() if name.startswith(f"rank {rank}:")}
        mine = np.array([track.pid in pids for track in back.tracks])[back.track]
        times = sorted((back.start_ns[mine] + back.info.base_ns).tolist())
        assert times == sorted((trace.start_ns + trace.info.base_ns).tolist())


def assert_same(back: EventTable, table: EventTable) -> None:
    """Equal but for what an export changes: places in the file, codes of names."""
    for column in ("start_ns", "dur_ns", "kind", "track", "depth", "lane", "parent", "launch", "correlation", "step"):
        assert np.array_equal(getattr(back, column), getattr(table, column)), column
    assert [back.name_of(row) for row in range(len(back))] == [table.name_of(row) for row in range(len(table))]
    assert [back.category_of(row) for row in range(len(back))] == [table.category_of(row) for row in range(len(table))]
    assert back.tracks == table.tracks
    assert (back.info.rank, back.info.world_size, back.info.base_ns) == (
        table.info.rank, table.info.world_size, table.info.base_ns,
    )  # fmt: skip
    for row in range(len(table)):
        assert back.args[int(back.source_index[row])] == table.args[int(table.source_index[row])]
    for name in ("kernels", "device", "counters", "steps", "memory"):
        assert side(back, name) == side(table, name)
    loose = [sorted(str({**line, "source_index": 0}) for line in side(shown, "flows")) for shown in (back, table)]
    assert loose[0] == loose[1]
