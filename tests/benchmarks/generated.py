"""Generated runs of any size: threads whose operators launch kernels, each thread on a stream of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.args import ArgsStore
from simulation.events import COLUMNS, SIDE_TABLES, TEXT, EventTable, TraceInfo, Track
from simulation.quality import QualityReport
from simulation.run import Run
from simulation.store import Column, Strings

THREADS = 16
NAMES = ("aten::mm", "cudaLaunchKernel", "gemm")
CATEGORIES = ("cpu_op", "cuda_runtime", "kernel")
CALL_AFTER_NS, CALL_NS, LATENCY_NS, GAP_NS = 1000, 2000, 3000, 500


def generated_run(events: int, seed: int = 0) -> Run:
    """One rank of about `events` rows: a third operators, a third launch calls in them, a third kernels."""
    return Run.of([generated_table(events, seed)])


def generated_table(events: int, seed: int = 0) -> EventTable:
    """Rows in the table's order: per thread a lane of operators and a lane of calls, then the streams."""
    units = max(1, events // (3 * THREADS))
    rng = np.random.default_rng(seed)
    threads = [_thread(rng, units) for _ in range(THREADS)]
    lanes = [lane for ops, calls, _ in threads for lane in (ops, calls)] + [kernels for *_, kernels in threads]
    offsets = np.arange(len(lanes) + 1) * units
    thread_of = np.repeat(np.r_[np.repeat(np.arange(THREADS), 2), np.arange(THREADS)], units)
    kind_of = np.repeat(np.r_[np.tile([0, 1], THREADS), np.full(THREADS, 2)], units)
    first_op, unit = thread_of * 2 * units, np.tile(np.arange(units), len(lanes))
    n = len(unit)
    values: dict[str, Any] = {
        "start_ns": np.concatenate([start for start, _ in lanes]),
        "dur_ns": np.concatenate([dur for _, dur in lanes]),
        "name": kind_of,
        "category": kind_of,
        "track": np.where(kind_of == 2, THREADS + thread_of, thread_of),
        "depth": kind_of == 1,
        "lane": kind_of == 1,
        "parent": np.where(kind_of == 1, first_op + unit, -1),
        "launch": np.where(kind_of == 2, first_op + units + unit, -1),
        "correlation": np.where(kind_of == 0, 0, 1 + thread_of * units + unit),
        "external_id": np.zeros(n),
        "step": np.full(n, -1),
        "source_index": np.arange(n),
    }
    columns = {name: np.asarray(values.get(name, np.zeros(n))).astype(dtype) for name, dtype in COLUMNS.items()}
    return EventTable(
        TraceInfo("kineto", "generated.json", "", 0, n, 0, 1),
        columns, NAMES, CATEGORIES, _tracks(offsets), _sides(columns, units), QualityReport(), _no_args(n),
    )  # fmt: skip


Lane = tuple[np.ndarray, np.ndarray]  # start_ns, dur_ns


def _thread(rng: np.random.Generator, units: int) -> tuple[Lane, Lane, Lane]:
    """Operators one after another, a launch call in each, and kernels that queue on the thread's stream."""
    op_ns = CALL_AFTER_NS + CALL_NS + rng.exponential(4000, units).astype(np.int64)
    start = np.cumsum(op_ns + rng.exponential(1000, units).astype(np.int64)) - op_ns
    call = start + CALL_AFTER_NS
    kernel_ns = 1000 + rng.lognormal(8, 1, units).astype(np.int64)
    # A kernel starts when it has arrived and the one before has ended: a running maximum of (arrival - work before).
    before = np.cumsum(kernel_ns + GAP_NS) - kernel_ns
    kernel = before + np.maximum.accumulate(call + CALL_NS + LATENCY_NS - before)
    return (start, op_ns), (call, np.full(units, CALL_NS)), (kernel, kernel_ns)


def _tracks(offsets: np.ndarray) -> tuple[Track, ...]:
    rows = offsets.tolist()
    threads = [
        Track(t, "thread", "1", str(t), "python 1", f"thread {t}", -1, -1, t, tuple(rows[2 * t : 2 * t + 3]))
        for t in range(THREADS)
    ]
    streams = [
        Track(THREADS + s, "stream", "0", str(s), "GPU 0", f"stream {s}", 0, s, THREADS + s,
              tuple(rows[2 * THREADS + s : 2 * THREADS + s + 2]))
        for s in range(THREADS)
    ]  # fmt: skip
    return (*threads, *streams)


def _sides(columns: dict[str, np.ndarray], units: int) -> dict[str, dict[str, Column]]:
    sides = {name: {c: _column(kind, 0) for c, kind in schema.items()} for name, schema in SIDE_TABLES.items()}
    rows = np.flatnonzero(columns["name"] == 2).astype(np.int32)
    sides["device"] = {c: _column(kind, len(rows)) for c, kind in SIDE_TABLES["device"].items()}
    sides["device"] |= {
        "row": rows,
        "device": np.zeros(len(rows), np.int32),
        "stream": columns["track"][rows].astype(np.int64) - THREADS,
    }
    return sides


def _column(kind: Any, n: int) -> Column:
    return Strings(np.full(n, -1, np.int32), ()) if kind is TEXT else np.full(n, -1).astype(kind)


def _no_args(n: int) -> ArgsStore:
    none = np.zeros(n, np.int64)
    return ArgsStore.from_spans(np.zeros(0, np.uint8), none, none)
