"""What a dependency costs: one figure per trace and kind, from all the places where it can be seen alone."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.csr import by_source


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


def mean_of_group(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """The mean of each group, rounded: i64; -1 where it has none."""
    count = np.bincount(group, minlength=groups)
    total = np.bincount(group, weights=values, minlength=groups)
    return np.where(count > 0, np.rint(total / np.maximum(count, 1)).astype(np.int64), -1)
