"""What a dependency costs: one figure per trace and kind, from all the places where it can be seen alone."""

from __future__ import annotations

import numpy as np


def per_group(values: np.ndarray, group: np.ndarray, groups: int, percent: float) -> np.ndarray:
    """The `percent` percentile (nearest rank, so a value that occurs) of each group: i64; -1 where it has none."""
    order = np.lexsort((values, group))
    begin = np.searchsorted(group[order], np.arange(groups))
    count = np.bincount(group, minlength=groups)
    at = begin + np.minimum((count * percent / 100).astype(np.int64), np.maximum(count - 1, 0))
    found = np.full(groups, -1, np.int64)
    known = count > 0
    found[known] = values[order][at[known]]
    return found


def mean_of_group(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """The mean of each group, rounded: i64; -1 where it has none."""
    count = np.bincount(group, minlength=groups)
    total = np.zeros(groups, np.int64)
    np.add.at(total, group, values)
    return np.where(count > 0, np.rint(total / np.maximum(count, 1)).astype(np.int64), -1)
