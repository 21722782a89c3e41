"""The viewport query: what of a few lanes can be seen at a given resolution.

For each lane and each pixel (2^level ns), the longest event that **starts** in the pixel, and the exact number of
events that start there. Events of zero duration count as any other. Equally long events: the first row. Pixels in
which nothing starts give nothing. Before them, per lane, the one slice that started before the window and ends
inside or after it (strictly: end > window start), with count 1: it stands for itself only, and what it stood for
where it started is counted there. So a drawn event with start < window start is that slice, and

- the counts of the others add up to the number of rows that start in the window;
- a window cut at pixel edges into parts gives the events of the whole, and each part its own reaching-in slice.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.lod.index import longest_row


@njit(cache=True, nogil=True)
def visible(
    start_ns: np.ndarray,
    dur_ns: np.ndarray,
    longest: np.ndarray,
    levels: np.ndarray,
    lane_rows: np.ndarray,
    begin_ns: int,
    level: int,
    pixels: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What `pixels` pixels from `begin_ns` on show: (row u32, count u32, lane u16), by lane, then start.

    `lane_rows` are the row offsets of the lanes (i64, lanes + 1), `longest` and `levels` those of the LodIndex.
    Costs two binary searches per lane, and per pixel in which several events start a short search and a range maximum.
    """
    lanes = len(lane_rows) - 1
    first, last = np.empty(lanes, np.int64), np.empty(lanes, np.int64)
    room = 0
    for lane in range(lanes):
        first[lane] = lower_bound(start_ns, lane_rows[lane], lane_rows[lane + 1], begin_ns)
        last[lane] = lower_bound(start_ns, first[lane], lane_rows[lane + 1], begin_ns + (pixels << level))
        room += 1 + min(last[lane] - first[lane], pixels)
    rows, counts, in_lane = np.empty(room, np.uint32), np.empty(room, np.uint32), np.empty(room, np.uint16)
    n = 0
    for lane in range(lanes):
        row, end = first[lane], last[lane]
        if row > lane_rows[lane] and start_ns[row - 1] + dur_ns[row - 1] > begin_ns:
            rows[n], counts[n], in_lane[n] = row - 1, 1, lane
            n += 1
        while row < end:
            pixel = (start_ns[row] - begin_ns) >> level
            after = gallop(start_ns, row + 1, end, begin_ns + ((pixel + 1) << level))
            rows[n] = longest_row(dur_ns, longest, levels, row, after) if after - row > 1 else row
            counts[n], in_lane[n] = after - row, lane
            n += 1
            row = after
    return rows[:n], counts[:n], in_lane[:n]


@njit(cache=True, nogil=True)
def lower_bound(sorted_: np.ndarray, begin: int, end: int, value: int) -> int:
    """The first index in begin .. end whose entry is at least `value`, else end."""
    while begin < end:
        middle = (begin + end) // 2
        if sorted_[middle] < value:
            begin = middle + 1
        else:
            end = middle
    return begin


@njit(cache=True, nogil=True)
def gallop(sorted_: np.ndarray, begin: int, end: int, value: int) -> int:
    """As lower_bound, but in O(log of the distance): neighbouring pixels are near each other."""
    step = 1
    while begin + step <= end and sorted_[begin + step - 1] < value:
        begin += step
        step *= 2
    return lower_bound(sorted_, begin, min(begin + step, end), value)
