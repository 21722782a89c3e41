"""What a dependency costs: a figure per trace and kind, from the places where it can be seen alone."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.csr import by_source

NEARBY = 16
"""How long a hand-over takes changes in the course of a run, with all that shares the device and its bus: a cost is
taken from so many before, and so many after."""


def per_group(values: np.ndarray, group: np.ndarray, groups: int, percent: float) -> np.ndarray:
    """The `percent` percentile (nearest rank, so a value that occurs) of each group: i64; -1 where it has none."""
    return np.asarray(_percentiles(*by_source(group, np.asarray(values), groups), percent))


@njit(cache=True, nogil=True)
def _percentiles(begin: np.ndarray, values: np.ndarray, percent: float) -> np.ndarray:
    """Per group, whose values lie together."""
    found = np.full(len(begin) - 1, -1, np.int64)
    for group in range(len(found)):
        count = begin[group + 1] - begin[group]
        if count > 0:
            at = min(int(count * percent / 100), count - 1)
            found[group] = np.partition(values[begin[group] : begin[group + 1]], at)[at]
    return found


def mean_nearby(values: np.ndarray, group: np.ndarray, when_ns: np.ndarray, seen: np.ndarray, least: int) -> np.ndarray:
    """For each entry the mean, rounded, of what was `seen` (bool) of its group nearest to it in time, NEARBY before and
    NEARBY after it, its own value left out: i64; -1 where there are fewer than `least`. Cost: a sort."""
    order = np.lexsort((when_ns, group))
    own = seen[order]
    at = np.cumsum(own) - own  # of each entry, how many were seen before it in this order
    total = np.concatenate([[0], np.cumsum(values[order][own])])
    _, place, size = np.unique(group[order], return_index=True, return_counts=True)
    first = np.repeat(at[place], size)
    last = first + np.repeat(np.diff(np.append(at[place], own.sum())), size)
    begin = np.clip(at - NEARBY, first, np.maximum(last - 2 * NEARBY - own, first))
    end = np.minimum(begin + 2 * NEARBY + own, last)
    count = end - begin - own
    mean = np.rint((total[end] - total[begin] - values[order] * own) / np.maximum(count, 1))
    found = np.empty(len(values), np.int64)
    found[order] = np.where(count >= max(least, 1), mean, -1)
    return found
