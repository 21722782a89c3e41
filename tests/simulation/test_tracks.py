"""Nesting and lanes against their definition."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.events import Kind
from simulation.tracks import Nesting, arrange, enclosing, following, inherited, lane_counts, nest, side_by_side

Events = list[tuple[int, int, int, int]]  # track, start, duration, kind

events = st.lists(
    st.builds(
        lambda track, start, dur, kind: (track, start, dur if kind == Kind.SLICE else 0, int(kind)),
        st.integers(0, 2),
        st.integers(-10, 10),
        st.integers(0, 8),
        st.sampled_from([Kind.SLICE, Kind.SLICE, Kind.SLICE, Kind.INSTANT]),
    ),
    max_size=25,
)
STRICT = np.array([False, True, False])


def columns(given_: Events) -> tuple[np.ndarray, ...]:
    table = np.array(given_, np.int64).reshape(-1, 4)
    track, start, dur, kind = (table[:, column].copy() for column in range(4))
    return np.lexsort((-dur, start, track)), track, start, dur, kind


def nested(given_: Events) -> tuple[tuple[np.ndarray, ...], Nesting]:
    order, track, start, dur, kind = columns(given_)
    return (order, track, start, dur, kind), nest(order, track, start, dur, kind, STRICT)


@given(events)
def test_it_finds_the_parent_of_the_definition(given_: Events) -> None:
    (order, track, start, dur, kind), found = nested(given_)
    end = start + dur
    begun: list[int] = []
    for event in order.tolist():
        around = [e for e in begun if track[e] == track[event] and end[e] > start[event]]
        outlasts = bool(around) and kind[event] == Kind.SLICE and end[event] > end[around[-1]]
        if STRICT[track[event]]:
            around = [e for e in around if end[e] >= end[event]]
        assert found.parent[event] == (around[-1] if around else -1)
        assert found.depth[event] == (found.depth[around[-1]] + 1 if around else 0)
        assert kind[event] != Kind.SLICE or found.partial[event] == outlasts
        begun += [event] if kind[event] == Kind.SLICE else []


@given(events)
def test_it_puts_every_event_into_a_lane_where_nothing_overlaps(given_: Events) -> None:
    (order, track, start, dur, kind), found = nested(given_)
    counts, lane = lane_counts(track, found.lane, kind, 3)
    event_of, lane_rows = arrange(order, track, lane, counts)
    assert sorted(event_of.tolist()) == list(range(len(given_)))
    assert len(lane_rows) == counts.sum() + 1
    place = [(track[event], lane[event]) for event in event_of]
    assert place == sorted(place)
    for rows in (event_of[first:last] for first, last in pairwise(lane_rows.tolist())):
        assert len(rows), "no lane is empty"
        assert len({(track[event], lane[event], kind[event]) for event in rows}) == 1
        for one, next_ in pairwise(rows.tolist()):
            assert start[one] + dur[one] <= start[next_]


@given(events)
def test_it_draws_a_slice_below_its_parent(given_: Events) -> None:
    (_, _, start, dur, kind), found = nested(given_)
    for event, parent in enumerate(found.parent.tolist()):
        if parent >= 0:
            assert start[parent] <= start[event] < start[parent] + dur[parent]
            assert kind[event] != Kind.SLICE or found.lane[event] > found.lane[parent]


@given(events, st.lists(st.tuples(st.integers(-1, 2), st.integers(-12, 20)), max_size=8))
def test_it_finds_the_deepest_slice_at_a_time(given_: Events, asked: list[tuple[int, int]]) -> None:
    (order, track, start, dur, kind), found = nested(given_)
    counts, lane = lane_counts(track, found.lane, kind, 3)
    event_of, lane_rows = arrange(order, track, lane, counts)
    track, start, dur, kind, lane = (values[event_of] for values in (track, start, dur, kind, lane))
    where, at = (np.array([pair[side] for pair in asked], np.int64) for side in (0, 1))
    first_lane = np.concatenate([[0], np.cumsum(counts)])
    rows = enclosing(where, at, lane_rows, first_lane, start, start + dur, kind)
    for row, (wanted, time) in zip(rows.tolist(), asked, strict=True):
        here = [
            r
            for r in range(len(given_))
            if track[r] == wanted
            and kind[r] == Kind.SLICE
            and (start[r] == time or start[r] < time < start[r] + dur[r])
        ]
        if not here:
            assert row == -1
        else:
            assert row in here and lane[row] == max(lane[r] for r in here)


def test_it_nests_longer_slices_outside_and_touching_ones_side_by_side() -> None:
    (_, *_), found = nested([(0, 0, 10, 0), (0, 0, 5, 0), (0, 5, 5, 0), (0, 10, 1, 0)])
    assert found.parent.tolist() == [-1, 0, 0, -1]
    assert found.lane.tolist() == [0, 1, 1, 0]
    assert not found.partial.any()


def test_it_keeps_overlapping_stream_work_apart_without_calling_it_nested() -> None:
    (_, *_), found = nested([(1, 0, 10, 0), (1, 5, 10, 0), (0, 0, 10, 0), (0, 5, 10, 0)])
    assert found.parent.tolist() == [-1, -1, -1, 2]
    assert found.lane.tolist() == [0, 1, 0, 1]
    assert found.partial.tolist() == [False, True, False, True]


@given(events, st.lists(st.integers(0, 3), min_size=25, max_size=25))
def test_it_lays_strands_side_by_side(given_: Events, of_event: list[int]) -> None:
    (_, track, start, dur, kind), _ = nested(given_)
    strand = 4 * track + np.array(of_event[: len(given_)], np.int64)
    by_strand = np.lexsort((-dur, start, strand))
    found = nest(by_strand, strand, start, dur, kind, np.zeros(12, bool))
    laid = side_by_side(by_strand, strand, track, start, dur, kind, found.lane)
    slices = [event for event in range(len(given_)) if kind[event] == Kind.SLICE]
    for one in slices:
        parent = int(found.parent[one])
        assert parent < 0 or (strand[parent] == strand[one] and laid[parent] < laid[one])
        for other in slices:
            together = strand[one] == strand[other] and overlap(start, dur, one, other)
            assert not together or laid[one] - laid[other] == found.lane[one] - found.lane[other]
            if one < other and track[one] == track[other] and laid[one] == laid[other]:
                assert not overlap(start, dur, one, other)
    counts, lane = lane_counts(track, laid, kind, 3)
    event_of, lane_rows = arrange(np.lexsort((-dur, start, track)), track, lane, counts)
    assert sorted(event_of.tolist()) == list(range(len(given_)))
    assert all(last > first for first, last in pairwise(lane_rows.tolist())), "no lane is empty"


def overlap(start: np.ndarray, dur: np.ndarray, one: int, other: int) -> bool:
    return bool(start[one] < start[other] + dur[other] and start[other] < start[one] + dur[one])


@given(events, st.lists(st.tuples(st.integers(-1, 2), st.integers(-12, 20)), max_size=8))
def test_it_finds_the_next_slice(given_: Events, asked: list[tuple[int, int]]) -> None:
    (order, track, start, dur, kind), found = nested(given_)
    counts, lane = lane_counts(track, found.lane, kind, 3)
    event_of, lane_rows = arrange(order, track, lane, counts)
    track, start, kind, lane = (values[event_of] for values in (track, start, kind, lane))
    where, at = (np.array([pair[side] for pair in asked], np.int64) for side in (0, 1))
    rows = following(where, at, lane_rows, np.concatenate([[0], np.cumsum(counts)]), start, kind)
    for row, (wanted, time) in zip(rows.tolist(), asked, strict=True):
        later = [r for r in range(len(given_)) if track[r] == wanted and kind[r] == Kind.SLICE and start[r] >= time]
        assert row == min(later, key=lambda r: (start[r], lane[r]), default=-1)


@given(st.lists(st.tuples(st.integers(-1, 30), st.integers(-1, 3)), max_size=20))
def test_it_inherits_from_the_nearest_around(given_: list[tuple[int, int]]) -> None:
    parent = np.array([min(above, at - 1) for at, (above, _) in enumerate(given_)], np.int64)
    own = np.array([value for _, value in given_], np.int64)
    for at, value in enumerate(inherited(parent, own).tolist()):
        while own[at] < 0 and parent[at] >= 0:
            at = parent[at]
        assert value == own[at]
