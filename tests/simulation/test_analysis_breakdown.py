"""Every breakdown against seconds of a clock, counted one by one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.analysis.breakdown import MIXES, Work, breakdowns, mix_name, mixes_ns, spans_ns

Interval = tuple[int, int, int, int]  # start, duration, class, group

INTERVALS = st.lists(
    st.tuples(st.integers(-9, 9), st.integers(0, 6), st.integers(0, 3), st.integers(0, 2)), max_size=14
)


def columns(intervals: list[Interval]) -> tuple[np.ndarray, ...]:
    start, dur, class_, group = (np.array([line[at] for line in intervals], np.int64) for at in range(4))
    return start, start + dur, class_, group


def slow_mixes(intervals: list[Interval], groups: int) -> np.ndarray:
    found = np.zeros((groups, MIXES), np.int64)
    for group in range(groups):
        mine = [line for line in intervals if line[3] == group]
        times = range(min((line[0] for line in mine), default=0), max((line[0] + line[1] for line in mine), default=0))
        for at in times:
            classes = {class_ for start, dur, class_, _ in mine if start <= at < start + dur}
            found[group, sum(1 << class_ for class_ in classes)] += 1
    return found


@given(INTERVALS)
def test_it_gives_each_mix_its_time(intervals: list[Interval]) -> None:
    start, end, class_, group = columns(intervals)
    assert mixes_ns(start, end, class_, len(Work), group, 3).tolist() == slow_mixes(intervals, 3).tolist()


@given(INTERVALS, st.integers(-9, 9), st.integers(0, 12))
def test_parts_add_up_to_the_window(intervals: list[Interval], begin: int, dur: int) -> None:
    start, end, class_, group = columns(intervals)
    window = np.array([[begin, begin + dur]] * 3)
    for number, found in enumerate(breakdowns(start, end, class_, group, window)):
        parts = found.figures()
        names = ("exposed_compute_ns", "exposed_communication_ns", "overlapped_ns", "copying_ns", "idle_ns")
        assert sum(parts[name] for name in names) == parts["window_ns"] == dur
        assert parts["busy_ns"] + parts["idle_ns"] == sum(found.mixes().values()) == dur
        mine = [line for line in intervals if line[3] == number]

        def active(at: int, *classes: int, mine: list[Interval] = mine) -> bool:
            return any(start <= at < start + dur and class_ in classes for start, dur, class_, _ in mine)

        both = [at for at in range(begin, begin + dur) if active(at, 0) and active(at, 1)]
        alone = [at for at in range(begin, begin + dur) if active(at, 1) and not active(at, 0)]
        copies = [at for at in range(begin, begin + dur) if active(at, 2, 3) and not active(at, 0, 1)]
        assert (parts["overlapped_ns"], parts["exposed_communication_ns"]) == (len(both), len(alone))
        assert parts["copying_ns"] == len(copies)


def test_a_group_of_none_counts_nowhere() -> None:
    start, end = np.array([0, 5]), np.array([4, 9])
    group = np.array([-1, 0])
    window = spans_ns(start, end, group, 2)
    assert window.tolist() == [[5, 9], [0, 0]]
    first, second = breakdowns(start, end, np.zeros(2, np.int64), group, window)
    assert (first.busy_ns, first.window_ns, second.busy_ns, second.window_ns) == (4, 4, 0, 0)


def test_mixes_have_names() -> None:
    assert [mix_name(mask) for mask in (0, 1, 6)] == ["idle", "compute", "communication + copy"]
