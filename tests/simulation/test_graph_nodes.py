"""Nodes of a task graph: their order, and how those of several traces merge, against plain Python."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.graph import numbering
from simulation.graph.tasks import Tasks, _nodes
from simulation.graph.thread_handover import _sharing
from simulation.meetings import distinct
from tests.simulation.build import instant, kernel, make_run, op

HOST, DEVICE, NEITHER = 0, 1, 2

rows = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 6), st.integers(0, 3), st.integers(0, 2), st.booleans()), max_size=12
)
"""Each: lane, start, duration, who does it, whether it is a slice (an instant lasts no time)."""


@given(rows)
def test_it_numbers_boundaries_in_measured_order(drawn: list[tuple[int, int, int, int, bool]]) -> None:
    drawn = sorted(drawn, key=lambda row: row[:2])
    lane, start, last, who = (np.array([row[i] for row in drawn], np.int64) for i in range(4))
    is_slice = np.array([row[4] for row in drawn], bool)
    end = start + np.where(is_slice, last, 0)
    is_device = (who == DEVICE) & is_slice
    found = _nodes({
        "start_ns": start, "end_ns": end, "track": np.zeros_like(lane), "lane": lane, "is_slice": is_slice,
        "is_host": who == HOST, "is_device": is_device,
    })  # fmt: skip

    def rank(row: int, is_end: bool) -> tuple[int, ...]:
        """Ends of what lasted, on the device first, the inner first; starts on the host first; other ends."""
        device = bool(is_device[row])
        if not is_end:
            return int(start[row]), 1, device, row
        if end[row] > start[row]:
            return int(end[row]), 0, not device, -int(lane[row]), row
        return int(end[row]), 2, row

    mine = [row for row in range(len(drawn)) if who[row] == HOST or is_device[row]]
    boundaries = [(row, False) for row in mine] + [(row, True) for row in mine if is_slice[row]]
    expected = sorted(boundaries, key=lambda boundary: rank(*boundary))
    assert found["node_row"].tolist() == [-1, *(row for row, _ in expected)]
    assert found["node_ns"].tolist() == [0, *(int((end if is_end else start)[row]) for row, is_end in expected)]
    number = {boundary: at + 1 for at, boundary in enumerate(expected)}
    for row in range(len(drawn)):
        first = number.get((row, False), -1)
        assert found["start_node"][row] == first
        assert found["end_node"][row] == number.get((row, True), first)


sequences = st.lists(
    st.lists(st.tuples(st.sampled_from([0, 1, 2, 3, 2**40]), st.integers(0, 5)), max_size=9), max_size=4
)
"""Each node: time, tie."""


@given(sequences, st.integers(1, 3), st.integers(1, 4), st.integers(1, 2))
def test_it_merges_nodes_by_time_then_tie_then_trace(
    drawn: list[list[tuple[int, int]]], sampled: int, window: int, turn: int
) -> None:
    drawn = [sorted(nodes) for nodes in drawn] or [[]]
    times = [np.array([time for time, _ in nodes], np.int64) for nodes in drawn]
    ties = [np.array([tie for _, tie in nodes], np.uint8) for nodes in drawn]
    sizes = {"SAMPLED": sampled, "WINDOW_NODES": sampled * window, "TURN": turn}
    with patch.multiple(numbering, **sizes):
        numbers, node_ns = numbering.numbered(times, ties)
    nodes = [(time, tie, trace, at) for trace, own in enumerate(drawn) for at, (time, tie) in enumerate(own)]
    expected = sorted(nodes)
    assert node_ns.tolist() == [0, *(time for time, *_ in expected)]
    for trace, own in enumerate(numbers):
        assert own.tolist() == [n + 1 for n, (_, _, of, _) in enumerate(expected) if of == trace]


@given(rows)
def test_it_tells_ties_apart(drawn: list[tuple[int, int, int, int, bool]]) -> None:
    """Nodes by (time, tie) are in the order in which they are numbered."""
    events = [op(who, at, last) if is_slice else instant(who, at) for who, at, last, _, is_slice in drawn]
    events += [kernel(7 + who, at, last, 0) for who, at, last, on, _ in drawn if on == DEVICE]
    tasks = Tasks.of(make_run(events or [op(1, 0, 1)]))
    keys = list(zip(tasks.node_ns.tolist()[1:], tasks.tie.tolist(), strict=True))
    assert keys == sorted(keys)


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 3)), max_size=15))
def test_it_pairs_tracks_that_share_a_key(drawn: list[tuple[int, int]]) -> None:
    key, track = (np.array([line[i] for line in drawn], np.int64) for i in (0, 1))
    expected = set()
    for own in set(key.tolist()):
        tracks = sorted({on for line, on in drawn if line == own})
        expected |= {pair for a, b in zip(tracks, tracks[1:], strict=False) for pair in ((a, b), (b, a))}
    assert _sharing(key, track) == expected


@given(st.lists(st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.integers(0, 1)), max_size=15))
def test_it_tells_combinations_apart(lines: list[tuple[int, int, int]]) -> None:
    combinations, which = distinct(np.array(lines, np.int64).reshape(-1, 3).T)
    expected = sorted(set(lines))
    assert [tuple(line) for line in combinations.T.tolist()] == expected
    assert which.tolist() == [expected.index(line) for line in lines]
