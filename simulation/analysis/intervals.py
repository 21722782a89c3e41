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


class Covered:
    """What a set of intervals covers, for many questions. Costs a sort."""

    def __init__(self, start_ns: np.ndarray, end_ns: np.ndarray) -> None:
        order = np.argsort(start_ns, kind="stable")
        start, end = start_ns[order], end_ns[order]
        until = np.maximum.accumulate(end) if len(end) else end
        first = np.ones(len(start), np.bool_)
        first[1:] = start[1:] > until[:-1]
        self.start_ns, self.end_ns = start[first], until[np.append(first[1:], True)] if len(start) else end
        self.before_ns = np.concatenate([[0], np.cumsum(self.end_ns - self.start_ns)])

    def until(self, at_ns: np.ndarray) -> np.ndarray:
        """How much is covered before each time: i64."""
        count = np.searchsorted(self.start_ns, at_ns, side="right")
        if not len(self.end_ns):
            return np.zeros(np.shape(at_ns), np.int64)
        beyond = np.maximum(self.end_ns[np.maximum(count - 1, 0)] - at_ns, 0)
        return np.asarray(self.before_ns[count] - np.where(count > 0, beyond, 0))

    def within(self, start_ns: np.ndarray, end_ns: np.ndarray) -> np.ndarray:
        """How much of each interval is covered: i64."""
        return np.asarray(self.until(end_ns) - self.until(start_ns))


def span_ns(start_ns: np.ndarray, end_ns: np.ndarray) -> int:
    """First start to last end; 0 of none."""
    return int(end_ns.max() - start_ns.min()) if len(start_ns) else 0
