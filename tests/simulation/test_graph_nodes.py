"""Nodes of a task graph: their order, and those that are put in behind, against plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.graph.tasks import _insert, _nodes
from simulation.graph.thread_handover import _sharing
from simulation.meetings import distinct

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


@given(st.lists(st.integers(0, 9), max_size=8), st.lists(st.integers(-1, 10), max_size=4))
def test_it_puts_nodes_behind_all_that_happens_then(times: list[int], at: list[int]) -> None:
    times, at = sorted(times), sorted(at)
    rows, nodes = len(times), len(times) + 1
    node_ns, node_row = np.array([0, *times]), np.array([-1, *range(rows)])
    start_node = np.arange(1, nodes)
    start, end = np.full(rows, -1), np.full(rows, -1)
    moved_ns, moved_row = np.empty(nodes + len(at), np.int64), np.empty(nodes + len(at), np.int64)
    added = _insert(np.array(at, np.int64), start_node, start_node, node_ns, node_row, start, end, moved_ns, moved_row)
    old = [(time, 0, row) for row, time in zip(node_row.tolist(), node_ns.tolist(), strict=True)]
    expected = sorted([*old, *((time, 1, -1) for time in at)], key=lambda node: node[:2])
    assert list(zip(moved_ns.tolist(), moved_row.tolist(), strict=True)) == [(ns, row) for ns, _, row in expected]
    assert added.tolist() == [place for place, (_, is_new, _) in enumerate(expected) if is_new]
    assert start.tolist() == end.tolist() == [moved_row.tolist().index(row) for row in range(rows)]


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
