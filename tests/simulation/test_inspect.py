"""The figures of `inspect`, on a trace that can be reckoned by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.analysis.inspect import inspect_run
from simulation.analysis.intervals import Covered, union_ns
from simulation.analysis.steps import median_step_ns, steps_of
from simulation.run import read_run
from tests.simulation.job import Job
from tests.simulation.traces import event, kernel, step, write

EVENTS = [
    event("window", 0, 1000, "Trace", pid="Spans", tid="p"), step(1, 10, 20), step(2, 30, 40),
    kernel(12, 5), kernel(15, 4, tid=4), kernel(40, 1), event("copy", 90, 10, "gpu_memcpy", pid=0, tid=3),
    {"ph": "M", "name": "process_name", "pid": 7, "args": {"name": "python"}},
]  # fmt: skip


def test_it_reckons_spans_and_busy_time(tmp_path: Path) -> None:
    told = {"rank": 1, "world_size": 2}
    path = write(tmp_path / "a.json", EVENTS, distributedInfo=told, baseTimeNanoseconds=5000)
    figures = inspect_run(read_run([path]))
    assert (figures["format"], figures["events"], figures["rows"], figures["span_ns"]) == ("kineto", 8, 7, 90_000)
    assert figures["ranks"] == [{**told, "base_ns": 5000, "events": 8, "file": "a.json", "clock": None}]
    assert figures["gpu"] == [{"rank": 1, "events": 4, "kernels": 3, "busy_ns": 18_000, "span_ns": 88_000}]
    assert figures["steps"] == [
        {"rank": 1, "name": "ProfilerStep#1", "start_ns": 10_000, "dur_ns": 20_000},
        {"rank": 1, "name": "ProfilerStep#2", "start_ns": 30_000, "dur_ns": 40_000},
    ]
    assert [(found["code"], found["count"]) for found in figures["quality"]] == [
        ("unlinked_device_events", 4),
        ("ranks_missing", 1),
    ]


def test_it_gives_each_ranks_clock() -> None:
    job = Job([0, 5_000_000])
    for _ in range(3):
        job.collective((0, 1))
    first, second = (rank["clock"] for rank in inspect_run(job.run())["ranks"])
    assert first == {"offset_ns": 0, "uncertainty_ns": 0, "meetings": 0}
    assert abs(second["offset_ns"] - 5_000_000) < 5_000
    assert (second["uncertainty_ns"] > 0, second["meetings"]) == (True, 3)


def test_it_finds_the_median_step_of_all_ranks(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / f"{rank}.json", [step(at, 100 * at, rank + at + 1) for at in range(2)],
              distributedInfo={"rank": rank})
        for rank in (1, 0)
    ]  # fmt: skip
    run = read_run(paths)
    assert [(found.rank, found.name[-1], found.dur_ns) for found in steps_of(run)] == [
        (0, "0", 1000), (0, "1", 2000), (1, "0", 2000), (1, "1", 3000),
    ]  # fmt: skip
    assert median_step_ns(run) == 2000


def test_it_has_no_step_where_there_is_none(tmp_path: Path) -> None:
    run = read_run([write(tmp_path / "a.json", [event()])])
    assert (steps_of(run), median_step_ns(run)) == ([], None)
    assert inspect_run(run)["gpu"] == [{"rank": None, "events": 0, "kernels": 0, "busy_ns": 0, "span_ns": 0}]


INTERVALS = st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 9)), max_size=20)


@given(INTERVALS)
def test_it_unites_intervals(intervals: list[tuple[int, int]]) -> None:
    start, dur = (np.array([pair[side] for pair in intervals], np.int64) for side in (0, 1))
    assert union_ns(start, start + dur) == len({at for begin, long in intervals for at in range(begin, begin + long)})


@given(INTERVALS, INTERVALS)
def test_what_is_covered_of_other_intervals(intervals: list[tuple[int, int]], asked: list[tuple[int, int]]) -> None:
    start, dur = (np.array([pair[side] for pair in intervals], np.int64) for side in (0, 1))
    begin, long = (np.array([pair[side] for pair in asked], np.int64) for side in (0, 1))
    covered = {at for first, length in intervals for at in range(first, first + length)}
    found = Covered(start, start + dur).within(begin, begin + long)
    assert found.tolist() == [len(covered & set(range(first, first + length))) for first, length in asked]
