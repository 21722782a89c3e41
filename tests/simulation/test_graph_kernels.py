"""Small kernels of the task graph, against plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.graph.awaited import _first_of_thread, _latest
from simulation.graph.calibration import NEARBY, mean_nearby, per_group
from simulation.graph.calls import _not_exceeded
from simulation.graph.event_wait import NONE, _on_another
from simulation.graph.tasks import ROOT
from simulation.graph.thread_handover import _pauses

grouped = st.lists(st.tuples(st.integers(0, 3), st.integers(-50, 1_000)), max_size=30)


@given(grouped, st.sampled_from([0, 0.1, 5, 50, 95, 100]))
def test_it_takes_percentiles_of_groups(pairs: list[tuple[int, int]], percent: float) -> None:
    group, values = (np.array([pair[i] for pair in pairs], np.int64) for i in (0, 1))
    for number, found in enumerate(per_group(values, group, 4, percent).tolist()):
        mine = sorted(value for own, value in pairs if own == number)
        assert found == (mine[min(int(len(mine) * percent / 100), len(mine) - 1)] if mine else -1)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 99), st.integers(0, 9), st.booleans()), max_size=90))
def test_it_takes_means_of_what_is_nearby(entries: list[tuple[int, int, int, bool]]) -> None:
    group, values, when = (np.array([entry[i] for entry in entries], np.int64) for i in (0, 1, 2))
    seen = np.array([entry[3] for entry in entries], bool)
    found = mean_nearby(values, group, when, seen, 3).tolist()
    for own, value in enumerate(found):
        like = sorted((e[2], i) for i, e in enumerate(entries) if e[0] == entries[own][0] and (e[3] or i == own))
        at = like.index((entries[own][2], own))
        before, after = like[:at], like[at + 1 :]
        short = max(NEARBY - len(before), 0), max(NEARBY - len(after), 0)  # one side makes up for the other
        near = before[max(len(before) - NEARBY - short[1], 0) :] + after[: NEARBY + short[0]]
        costs = [entries[i][1] for _, i in near]
        assert value == (round(sum(costs) / len(costs)) if len(costs) >= 3 else -1)


@given(st.lists(st.lists(st.integers(0, 99), max_size=6), max_size=4), st.sampled_from([0.1, 0.5]))
def test_it_takes_what_a_share_does_not_exceed(groups: list[list[int]], share: float) -> None:
    begin = np.cumsum([0, *map(len, groups)])
    values = np.array([value for group in groups for value in group], np.int64)
    expected = [sorted(group)[int((len(group) - 1) * share)] if group else 0 for group in groups]
    assert _not_exceeded(begin, values, share).tolist() == expected


@given(st.lists(st.lists(st.integers(0, 99), max_size=6), max_size=4))
def test_it_keeps_the_latest_of_each_stream(streams: list[list[int]]) -> None:
    offsets = np.cumsum([0, *map(len, streams)])
    ends = np.array([end for stream in streams for end in stream], np.int64)
    assert _latest(ends, offsets).tolist() == [max(s[: i + 1]) for s in streams for i in range(len(s))]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), max_size=12))
def test_it_finds_the_last_launch_on_another_stream(drawn: list[tuple[int, int]]) -> None:
    launches = sorted(drawn, key=lambda launch: launch[0])
    thread, stream = (np.array([launch[i] for launch in launches], np.int64) for i in (0, 1))
    expected = [
        max((j for j in range(i) if launches[j][0] == own and launches[j][1] != on), default=NONE)
        for i, (own, on) in enumerate(launches)
    ]
    assert _on_another(thread, stream).tolist() == expected


nodes = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.booleans()), min_size=1, max_size=15)


@given(nodes, st.integers(0, 14), st.integers(0, 14))
def test_it_finds_the_next_node_of_a_thread(drawn: list[tuple[int, int, bool]], begin: int, end: int) -> None:
    track = np.array([thread for thread, _, _ in drawn])
    end = min(end, len(drawn) - 1)
    begin = min(begin, end)
    found = _first_of_thread(np.arange(len(drawn)), track, np.array([begin]), np.array([end])).tolist()
    assert found == [next(node for node in range(begin, end + 1) if track[node] == track[end])]


@given(nodes, st.integers(1, 6))
def test_it_finds_pauses(drawn: list[tuple[int, int, bool]], least: int) -> None:
    """Each drawn: thread, time since the node before, whether it is a host node."""
    times = np.cumsum([0, *(since for _, since, _ in drawn)])
    track, host = np.array([thread for thread, _, _ in drawn]), np.array([is_host for *_, is_host in drawn])
    node_row = np.array([-1, *range(len(drawn))])
    works = np.array([True, True, False])
    found = _pauses(node_row, times, track, host, works, least)
    expected, after = [], []
    for thread in (0, 1):
        own = [i + 1 for i, (on, _, is_host) in enumerate(drawn) if on == thread and is_host]
        before = [ROOT, *own]
        expected += [(a, b) for a, b in zip(before, own, strict=False) if times[b] - times[a] >= least]
        after += [(own[-1], ROOT)] if own else []
    assert list(zip(*(column.tolist() for column in found), strict=True)) == [
        *sorted(expected, key=lambda pause: pause[1]),
        *after,
    ]
