"""One numbering of all nodes of a run: those of each trace, and the meetings, merged by time.

The nodes of a trace are in measured order already, each with what decides among nodes of one time (`Tie`), then the
trace. They are merged window by window of time, each small enough to stay near the processor, on as many threads as
there are processors.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numba import njit

from simulation import parallel
from simulation.errors import DamagedTrace
from simulation.progress import Progress, silent
from simulation.sorting import DIGIT_BITS

MOST_NODES = 2**31 - 1
"""Nodes and edges are numbered by i32."""

SAMPLED = 128
"""The time of one node of so many is looked at to find windows of about equal size."""

WINDOW_NODES = 1 << 13
TURN = 64
"""Windows that a thread merges at a time."""

TIE_BITS = 3


class Tie(IntEnum):
    """Which of the nodes of one time comes first, so that nearly every edge points forward; see `tasks`."""

    DEVICE_END = 0
    HOST_END = 1
    HOST_START = 2
    DEVICE_START = 3
    EMPTY_END = 4  # of what lasts no time
    MEETING = 5


def numbered(times_ns: Sequence[np.ndarray], ties: Sequence[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
    """(number of each node of each sequence: i32; time of each number: i64), the root, which is in none, being 0.

    Each sequence (times i64, ties u8) is in order. Cost: O(nodes x digits of a window's times).
    """
    begin = np.cumsum([0, *map(len, times_ns)])
    if begin[-1] >= MOST_NODES:
        raise DamagedTrace(f"it has {begin[-1]:,} starts and ends, more than {MOST_NODES - 1:,}")
    when_ns, tie = np.concatenate([np.zeros(0, np.int64), *times_ns]), np.concatenate([np.zeros(0, np.uint8), *ties])
    if sum(len(times) > 0 for times in times_ns) <= 1:  # nothing to merge
        return np.split(np.arange(1, begin[-1] + 1, dtype=np.int32), begin[1:-1]), np.append(0, when_ns)
    number, node_ns = np.empty(begin[-1], np.int32), np.zeros(begin[-1] + 1, np.int64)
    cuts = _cuts(when_ns, begin)
    first = 1 + (cuts - begin[:-1]).sum(axis=1)
    most = int(np.diff(first).max(initial=0))

    def merge(turn: int, progress: Progress) -> None:
        mine = slice(turn, turn + TURN + 1)
        own_ns, spare_ns = np.empty((2, most), np.int64)
        own, spare, digit = np.empty((3, most), np.int32)
        _merge(when_ns, tie, cuts[mine], first[mine], own_ns, own, spare_ns, spare, digit, number, node_ns)

    turns = range(0, len(cuts) - 1, TURN)
    parallel.each(merge, turns, [1] * len(turns), silent)
    return np.split(number, begin[1:-1]), node_ns


def _cuts(when_ns: np.ndarray, begin: np.ndarray) -> np.ndarray:
    """Where windows begin in each sequence, and where the last ends: i64[windows + 1, sequences]."""
    step = WINDOW_NODES // SAMPLED
    at_ns = np.unique(np.sort(when_ns[::SAMPLED])[step::step])
    spans = zip(begin[:-1], begin[1:], strict=True)
    inside = [first + np.searchsorted(when_ns[first:end], at_ns) for first, end in spans]
    return np.concatenate([begin[None, :-1], np.stack(inside, axis=1), begin[None, 1:]])


@njit(cache=True, nogil=True)
def _merge(
    when_ns: np.ndarray,
    tie: np.ndarray,
    cuts: np.ndarray,
    first: np.ndarray,
    own_ns: np.ndarray,
    own: np.ndarray,
    spare_ns: np.ndarray,
    spare: np.ndarray,
    digit: np.ndarray,
    number: np.ndarray,
    node_ns: np.ndarray,
) -> None:
    """Number the nodes of some windows, each from its `first` on; the five arrays before `number` are room for one.

    By digits, the least first; tie and the last bits of the time make the first.
    """
    mask, low_bits = (1 << DIGIT_BITS) - 1, DIGIT_BITS - TIE_BITS
    for window in range(len(cuts) - 1):
        n, least_ns, most_ns = _gathered(when_ns, cuts[window], cuts[window + 1], own_ns, own)
        for i in range(n):
            digit[i] = ((own_ns[i] - least_ns) << TIE_BITS & mask) | tie[own[i]]
        _by_digit(own_ns[:n], own, digit, spare_ns, spare)
        shift = low_bits
        while (most_ns - least_ns) >> shift > 0:
            own_ns, own, spare_ns, spare = spare_ns, spare, own_ns, own
            for i in range(n):
                digit[i] = (own_ns[i] - least_ns) >> shift & mask
            _by_digit(own_ns[:n], own, digit, spare_ns, spare)
            shift += DIGIT_BITS
        for i in range(n):
            number[spare[i]], node_ns[first[window] + i] = first[window] + i, spare_ns[i]


@njit(cache=True, nogil=True)
def _gathered(
    when_ns: np.ndarray, begin: np.ndarray, end: np.ndarray, own_ns: np.ndarray, own: np.ndarray
) -> tuple[int, int, int]:
    """Fill times and places of one window, sequence by sequence; (how many, the earliest, the latest)."""
    n, least_ns, most_ns = 0, np.int64(np.iinfo(np.int64).max), np.int64(np.iinfo(np.int64).min)
    for sequence in range(len(begin)):
        for i in range(begin[sequence], end[sequence]):
            own_ns[n], own[n] = when_ns[i], i
            n += 1
        if begin[sequence] < end[sequence]:
            least_ns = min(least_ns, when_ns[begin[sequence]])
            most_ns = max(most_ns, when_ns[end[sequence] - 1])
    return n, int(least_ns), int(most_ns)


@njit(cache=True, nogil=True)
def _by_digit(
    own_ns: np.ndarray, own: np.ndarray, digit: np.ndarray, placed_ns: np.ndarray, placed: np.ndarray
) -> None:
    """Fill the last two with the first two by their digits; stable."""
    free = np.zeros((1 << DIGIT_BITS) + 1, np.int64)
    for i in range(len(own_ns)):
        free[digit[i] + 1] += 1
    for value in range(1 << DIGIT_BITS):
        free[value + 1] += free[value]
    for i in range(len(own_ns)):
        at = free[digit[i]]
        free[digit[i]] = at + 1
        placed_ns[at], placed[at] = own_ns[i], own[i]
