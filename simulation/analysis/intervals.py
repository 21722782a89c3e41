"""Sets of time intervals, in exact nanoseconds."""

from __future__ import annotations

import numpy as np
from numba import njit


def union_ns(start_ns: np.ndarray, end_ns: np.ndarray) -> int:
    """Time that at least one of the intervals covers. Costs a sort."""
    order = np.argsort(start_ns, kind="stable")
    return int(_union(start_ns[order], end_ns[order]))


@njit(cache=True, nogil=True)
def _union(start: np.ndarray, end: np.ndarray) -> int:
    """Of intervals by start."""
    covered = 0
    if len(start) == 0:
        return covered
    until = start[0]
    for index in range(len(start)):
        if end[index] > until:
            covered += end[index] - max(start[index], until)
            until = end[index]
    return covered


def span_ns(start_ns: np.ndarray, end_ns: np.ndarray) -> int:
    """First start to last end; 0 of none."""
    return int(end_ns.max() - start_ns.min()) if len(start_ns) else 0
