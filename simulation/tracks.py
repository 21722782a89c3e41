"""Tracks, nesting and lanes: computed once, after reading.

A track is a thread, a stream or a counter of one rank. Within it, slices nest by time (depth, parent), and
each gets a lane, the drawing row: below its parent, and one further down for as long as it would overlap a
slice that is there already. So no two slices of a lane overlap, and nothing is moved or cut.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from simulation.errors import DamagedTrace
from simulation.events import Kind

LIMIT = 2**16
"""Of tracks in a trace, lanes in a track, and nesting: they are stored as u16."""

_SLICE = int(Kind.SLICE)
_NO_PARENT = -1


@dataclass(frozen=True)
class Nesting:
    """What `nest` found, in the order of its input."""

    depth: np.ndarray  # i32
    lane: np.ndarray  # i32, slices only
    parent: np.ndarray  # i32, position in the input; -1 none
    partial: np.ndarray  # bool: a slice that ends after the slice in which it starts


def nest(
    order: np.ndarray, track: np.ndarray, start_ns: np.ndarray, dur_ns: np.ndarray, kind: np.ndarray, strict: np.ndarray
) -> Nesting:
    """Nest events; `order` is their permutation by (track, start, longer first).

    The parent is the innermost slice that is open when the event starts. On a track that is `strict` (bool
    per track: streams, where overlapping work is no nesting) it must enclose the event to its end as well.
    Costs O(n log n) at most where slices nest, O(n x lanes) where they overlap.
    """
    return Nesting(*_nest(order, track, start_ns, start_ns + dur_ns, kind, strict))


@njit(cache=True, nogil=True)
def _nest(
    order: np.ndarray, track: np.ndarray, start: np.ndarray, end: np.ndarray, kind: np.ndarray, strict: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    n = len(order)
    depth, lane = np.zeros(n, np.int32), np.zeros(n, np.int32)
    parent, partial = np.full(n, _NO_PARENT, np.int32), np.zeros(n, np.bool_)
    open_, lane_end = np.empty(n, np.int32), np.empty(n, np.int64)
    current, top, lanes = -1, 0, 0
    for event in order:
        if track[event] != current:
            current, top, lanes = track[event], 0, 0
        while top and end[open_[top - 1]] <= start[event]:
            top -= 1
        holder = top - 1
        if holder >= 0 and end[event] > end[open_[holder]]:
            partial[event] = True
            if strict[current]:
                while holder >= 0 and end[open_[holder]] < end[event]:
                    holder -= 1
        first_lane = 0
        if holder >= 0:
            above = open_[holder]
            parent[event], depth[event], first_lane = above, depth[above] + 1, lane[above] + 1
        if kind[event] != _SLICE:
            continue
        free = first_lane
        while free < lanes and lane_end[free] > start[event]:
            free += 1
        lane[event], lane_end[free] = free, end[event]
        lanes = max(lanes, free + 1)
        open_[top] = event
        top += 1
    return depth, lane, parent, partial


def side_by_side(
    order: np.ndarray,
    strand: np.ndarray,
    track: np.ndarray,
    start_ns: np.ndarray,
    dur_ns: np.ndarray,
    kind: np.ndarray,
    lane: np.ndarray,
) -> np.ndarray:
    """Lanes for tracks that several strands share, each nested for itself by `nest`: i32, as `lane` elsewhere.

    `order` are the events of such tracks by (strand, start, longer first). Slices of a strand that overlap stay
    together, as one block of lanes, in the first place of their track that is free for as long as they last.
    """
    lane = lane.copy()
    order = order[kind[order] == _SLICE]
    if not len(order):
        return lane
    end_ns = start_ns + dur_ns
    first = np.flatnonzero(_begins_block(order, strand, start_ns, end_ns))
    begin, end = start_ns[order[first]], np.maximum.reduceat(end_ns[order], first)
    height = np.maximum.reduceat(lane[order].astype(np.int64), first) + 1
    block_track = track[order[first]]
    base = _stack(np.lexsort((-(end - begin), begin, block_track)), block_track, begin, end, height)
    lane[order] += np.repeat(base, np.diff(first, append=len(order))).astype(np.int32)
    return lane


@njit(cache=True, nogil=True)
def _begins_block(order: np.ndarray, strand: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Whether a slice starts when no earlier one of its strand is open: bool, in `order`."""
    begins = np.zeros(len(order), np.bool_)
    current, reach = np.int64(-1), np.int64(0)
    for place in range(len(order)):
        event = order[place]
        if strand[event] != current or start[event] >= reach:
            begins[place], current, reach = True, strand[event], end[event]
        reach = max(reach, end[event])
    return begins


@njit(cache=True, nogil=True)
def _stack(order: np.ndarray, track: np.ndarray, begin: np.ndarray, end: np.ndarray, height: np.ndarray) -> np.ndarray:
    """First lane of each block, so that none overlap: i64. `order` is by (track, begin). O(blocks x lanes)."""
    base, lane_end = np.zeros(len(order), np.int64), np.empty(height.sum(), np.int64)
    current, lanes = np.int64(-1), 0
    for block in order:
        if track[block] != current:
            current, lanes = track[block], 0
        first, lane = 0, 0
        while lane < lanes and lane < first + height[block]:
            if lane_end[lane] > begin[block]:
                first = lane + 1
            lane += 1
        base[block] = first
        for lane in range(first, first + height[block]):
            lane_end[lane] = end[block]
        lanes = max(lanes, first + height[block])
    return base


def lane_counts(track: np.ndarray, lane: np.ndarray, kind: np.ndarray, tracks: int) -> tuple[np.ndarray, np.ndarray]:
    """(lanes of each track i64, lane of each event i32): instants and counters lie below the slices.

    Raises DamagedTrace where more overlap than can be stored.
    """
    counts, lanes = _lane_counts(track, lane, kind, tracks)
    if len(counts) and counts.max() >= LIMIT:
        raise DamagedTrace(
            f"more than {LIMIT - 1:,} events of one thread or stream overlap",
            hint="This cannot be a recording of one thread; check how the file was made.",
        )
    return counts, lanes


@njit(cache=True, nogil=True)
def _lane_counts(track: np.ndarray, lane: np.ndarray, kind: np.ndarray, tracks: int) -> tuple[np.ndarray, np.ndarray]:
    counts, lanes = np.zeros(tracks, np.int64), np.empty(len(track), np.int32)
    has_others = np.zeros(tracks, np.int64)
    for event in range(len(track)):
        if kind[event] == _SLICE:
            counts[track[event]] = max(counts[track[event]], lane[event] + 1)
        else:
            has_others[track[event]] = 1
    for event in range(len(track)):
        lanes[event] = lane[event] if kind[event] == _SLICE else counts[track[event]]
    return counts + has_others, lanes


def arrange(
    order: np.ndarray, track: np.ndarray, lane: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sort into rows by (track, lane, order): (event of each row i32, first row of each lane i64, lanes + 1)."""
    first_lane = np.concatenate([[0], np.cumsum(counts)])
    event_of, offsets = _placed(order, track, lane, first_lane)
    return event_of, offsets


@njit(cache=True, nogil=True)
def _placed(
    order: np.ndarray, track: np.ndarray, lane: np.ndarray, first_lane: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Counting sort: stable, O(n)."""
    offsets = np.zeros(first_lane[-1] + 1, np.int64)
    for event in range(len(track)):
        offsets[first_lane[track[event]] + lane[event] + 1] += 1
    offsets = np.cumsum(offsets)
    next_row = offsets.copy()
    event_of = np.empty(len(order), np.int32)
    for event in order:
        flat = first_lane[track[event]] + lane[event]
        event_of[next_row[flat]] = event
        next_row[flat] += 1
    return event_of, offsets


@njit(cache=True, nogil=True)
def enclosing(
    track: np.ndarray,
    at_ns: np.ndarray,
    lane_rows: np.ndarray,
    first_lane: np.ndarray,
    start: np.ndarray,
    end: np.ndarray,
    kind: np.ndarray,
) -> np.ndarray:
    """For each (track, time): the row of the deepest slice that starts there or is open then, -1 none: i32.

    Lanes of track t are first_lane[t] .. first_lane[t + 1], rows of lane l are lane_rows[l] .. lane_rows[l + 1].
    Costs a binary search per lane.
    """
    found = np.full(len(track), _NO_PARENT, np.int32)
    for index in range(len(track)):
        if track[index] < 0:
            continue
        for lane in range(first_lane[track[index] + 1] - 1, first_lane[track[index]] - 1, -1):
            low, high = lane_rows[lane], lane_rows[lane + 1]
            while low < high:  # first row that starts later
                middle = (low + high) // 2
                if start[middle] <= at_ns[index]:
                    low = middle + 1
                else:
                    high = middle
            row = low - 1
            if row < lane_rows[lane] or kind[row] != _SLICE:
                continue
            if start[row] == at_ns[index] or end[row] > at_ns[index]:
                found[index] = row
                break
    return found


@njit(cache=True, nogil=True)
def following(
    track: np.ndarray,
    at_ns: np.ndarray,
    lane_rows: np.ndarray,
    first_lane: np.ndarray,
    start: np.ndarray,
    kind: np.ndarray,
) -> np.ndarray:
    """For each (track, time): the row of the next slice that starts there or later, the outermost; -1 none: i32.

    Lanes as in `enclosing`; lanes of instants lie last. Costs a binary search per lane.
    """
    found = np.full(len(track), _NO_PARENT, np.int32)
    for index in range(len(track)):
        if track[index] < 0:
            continue
        for lane in range(first_lane[track[index]], first_lane[track[index] + 1]):
            low, high = lane_rows[lane], lane_rows[lane + 1]
            while low < high:  # first row that starts no earlier
                middle = (low + high) // 2
                if start[middle] < at_ns[index]:
                    low = middle + 1
                else:
                    high = middle
            if low == lane_rows[lane + 1] or kind[low] != _SLICE:
                continue
            if found[index] < 0 or start[low] < start[found[index]]:
                found[index] = low
    return found


@njit(cache=True, nogil=True)
def inherited(parent: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Each row's `own` value, or where that is -1 the nearest one among the slices around it. O(n).

    A parent's row comes before its children's.
    """
    values = own.copy()
    for row in range(len(parent)):
        if values[row] < 0 and parent[row] >= 0:
            values[row] = values[parent[row]]
    return values
