"""The passes over a task graph."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.csr import NO_EDGE


@njit(cache=True, nogil=True)
def walk_back(last: int, until_ns: int, source: np.ndarray, time_ns: np.ndarray, binding: np.ndarray) -> np.ndarray:
    """The nodes (i64) that decide `last`, from there back to the first that is not after `until_ns`, or the root."""
    path = np.empty(len(binding), np.int64)
    node, n = last, 0
    path[0] = last
    while binding[node] != NO_EDGE and time_ns[node] > until_ns:
        node = source[binding[node]]
        n += 1
        path[n] = node
    return path[: n + 1].copy()


@njit(cache=True, nogil=True)
def fit_lanes(lane_rows: np.ndarray, derived: np.ndarray, start_ns: np.ndarray, end_ns: np.ndarray) -> None:
    """Move rows that are `derived` so that no two rows of a lane overlap; in place, order and other rows stay.

    `lane_rows` are the row offsets of the lanes (i64, lanes + 1). A derived row gives way to the row before it and to
    the next one that is not derived.
    """
    for lane in range(len(lane_rows) - 1):
        begin, end = lane_rows[lane], lane_rows[lane + 1]
        limit = np.iinfo(np.int64).max
        for row in range(end - 1, begin - 1, -1):  # first from the back: nothing beyond the next fixed row
            if not derived[row]:
                limit = start_ns[row]
                continue
            end_ns[row] = min(end_ns[row], limit)
            start_ns[row] = min(start_ns[row], end_ns[row])
        floor = np.iinfo(np.int64).min
        for row in range(begin, end):
            if derived[row]:
                start_ns[row] = max(start_ns[row], floor)
                end_ns[row] = max(end_ns[row], start_ns[row])
            floor = end_ns[row]
