"""Gaps of streams and of the device, and why they are, on a trace that can be reckoned by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.analysis.idle import gaps
from simulation.analysis.report import analyze
from simulation.analysis.selection import DeviceEvents
from tests.simulation.build import call, kernel, make_run


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9), st.integers(0, 2)), max_size=14))
def test_a_gap_is_what_nothing_of_the_queue_covers(work: list[tuple[int, int, int]]) -> None:
    work = sorted(work)
    start, dur, queue = (np.array([line[at] for line in work], np.int64) for at in range(3))
    none = np.full(len(work), -1, np.int64)
    gap_ns, since_ns = gaps(DeviceEvents(none, start, start + dur, none, queue, none, none), queue)
    for at, (begin, _, mine) in enumerate(work):
        ends = [before + long for before, long, other in work[:at] if other == mine]
        assert gap_ns[at] == (max(begin - max(ends), 0) if ends else 0)
        assert since_ns[at] == (max(ends) if ends else begin)


def idle(*events: Any) -> dict[str, Any]:
    return analyze(make_run(list(events)), sections=["idle"])["idle"]["ranks"][0]


def test_each_gap_has_a_cause() -> None:
    found = idle(
        call(1, 0, 10, 1), kernel(7, 20, 100, 1),
        call(1, 30, 10, 2), kernel(7, 130, 70, 2),  # called while the first ran: 10 ns between kernels
        call(1, 300, 10, 3), kernel(7, 400, 100, 3),  # called 100 ns after the second had ended: the host was late
        call(1, 450, 10, 4), kernel(7, 40_500, 500, 4),  # called in time, and yet 40 us later
    )  # fmt: skip
    assert (found["idle_ns"], found["gaps"]) == (10 + 200 + 40_000, 3)
    assert (found["host_wait_ns"], found["kernel_wait_ns"], found["other_ns"]) == (200, 10, 40_000)
    assert (found["micro_idle_ns"], found["macro_idle_ns"]) == (210, 40_000)
    assert [line["dur_ns"] for line in found["longest"]] == [40_000, 200, 10]


def test_an_overlap_on_a_stream_hides_no_end() -> None:
    """HTA takes the end of the row before, and would see 60 ns of idle time here."""
    found = idle(kernel(7, 0, 100), kernel(7, 10, 20), kernel(7, 110, 10))
    assert (found["idle_ns"], found["streams"][0]["idle_ns"]) == (10, 10)


def test_the_device_is_idle_only_where_all_streams_are() -> None:
    found = idle(kernel(7, 0, 100), kernel(8, 50, 100), kernel(7, 200, 10))
    assert found["idle_ns"] == 50
    assert [(line["stream"], line["idle_ns"]) for line in found["streams"]] == [(7, 100), (8, 0)]


def test_intervals_of_a_stream_are_described_by_cause() -> None:
    """Of each event but the first, also those that follow at once."""
    (stream,) = idle(
        call(1, 0, 5, 1), call(1, 5, 5, 2), call(1, 10, 5, 3), call(1, 300, 5, 4),
        kernel(7, 100, 50, 1), kernel(7, 150, 20, 2), kernel(7, 180, 20, 3), kernel(7, 400, 10, 4),
    )["streams"]  # fmt: skip
    waits = stream["intervals_ns"]
    assert (waits["kernel_wait"]["count"], waits["kernel_wait"]["mean"], waits["kernel_wait"]["max"]) == (2, 5, 10)
    assert (waits["host_wait"]["count"], waits["host_wait"]["median"], waits["host_wait"]["deviation"]) == (
        1,
        200,
        None,
    )
    assert waits["other"] is None
