"""Times and what they belong to, put in order by digits: linear in their number, where a sort by comparing is not."""

from __future__ import annotations

import numpy as np
from numba import njit

DIGIT_BITS = 11
"""Counts of so many values stay in the nearest cache."""


def by_time(when_ns: np.ndarray, what: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The times (i64) ascending, and `what` in that order; stable. Both arrays are used up.

    Least significant digit first (Knuth, The Art of Computer Programming 3, 5.2.5), as many as the span has.
    """
    least, most = (int(when_ns.min()), int(when_ns.max())) if len(when_ns) else (0, 0)
    spare_ns, spare = np.empty_like(when_ns), np.empty_like(what)
    for shift in range(0, (most - least).bit_length(), DIGIT_BITS):
        _by_digit(when_ns, what, least, shift, spare_ns, spare)
        when_ns, what, spare_ns, spare = spare_ns, spare, when_ns, what
    return when_ns, what


@njit(cache=True, nogil=True)
def _by_digit(
    when_ns: np.ndarray, what: np.ndarray, least_ns: int, shift: int, placed_ns: np.ndarray, placed: np.ndarray
) -> None:
    """Fill the last two with the first two by one digit of the time since `least_ns`."""
    mask, free = (1 << DIGIT_BITS) - 1, np.zeros((1 << DIGIT_BITS) + 1, np.int64)
    for i in range(len(when_ns)):
        free[((when_ns[i] - least_ns) >> shift & mask) + 1] += 1
    for digit in range(mask):
        free[digit + 1] += free[digit]
    for i in range(len(when_ns)):
        digit = (when_ns[i] - least_ns) >> shift & mask
        at = free[digit]
        free[digit] = at + 1
        placed_ns[at], placed[at] = when_ns[i], what[i]
