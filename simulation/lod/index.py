"""LodIndex: where the longest event of any run of rows is, in 0.27 bytes per event.

Rows are those of an EventTable, sorted by (lane, start), so the events of a lane between two moments are one run
of rows. For every full block of 16 rows the index holds the row of the longest event, for every 16 such blocks
again, and so on: a run of n rows is answered by looking at no more than 30 entries on each of log16(n) levels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numba import njit

from simulation.errors import StoreError
from simulation.store import open_table, write_table

FORMAT_VERSION = 1
FAN_OUT = 16

SCANNED_ROWS = 256
"""Fewer rows than this are faster looked at one by one than found through the index (measured)."""


@dataclass(frozen=True)
class LodIndex:
    """Derived data: safe to delete and build again from the same rows."""

    longest: np.ndarray  # i32, row of the longest event of each full block, finest level first
    levels: np.ndarray  # i64, blocks of level k: longest[levels[k]] .. longest[levels[k + 1]]
    rows: int

    @classmethod
    def build(cls, start_ns: np.ndarray, dur_ns: np.ndarray, lane_offsets: np.ndarray) -> LodIndex:
        """Index all lanes at once; O(rows), about 10 ms for 10 million.

        Rows of lane l are lane_offsets[l] .. lane_offsets[l + 1]. Raises ValueError where they are not in the order
        of both start and end: then slices overlap, and no viewport could be answered by binary search.
        """
        bad = first_disorder(read_only(start_ns), read_only(dur_ns), read_only(lane_offsets))
        if bad >= 0:
            raise ValueError(f"row {bad} starts or ends before the row above it in the same lane")
        levels = _levels(len(dur_ns))
        return cls(_longest_of_blocks(read_only(dur_ns), levels), levels, len(dur_ns))

    def save(self, path: Path) -> None:
        """Write one Arrow file, all or nothing; it is not synced."""
        meta = {"format_version": FORMAT_VERSION, "rows": self.rows}
        write_table(path, {"longest": self.longest}, meta, synced=False)

    @classmethod
    def open(cls, path: Path) -> LodIndex:
        """Map a saved index. Raises StoreError."""
        columns, meta = open_table(path)
        if meta["format_version"] != FORMAT_VERSION:
            raise StoreError(
                f"is of index version {meta['format_version']}, this program reads version {FORMAT_VERSION}",
                file=path.name,
                hint="Delete it: it is built again.",
            )
        return cls(_array(columns, "longest"), _levels(meta["rows"]), meta["rows"])

    def longest_row(self, dur_ns: np.ndarray, begin: int, end: int) -> int:
        """The row of the longest event of rows begin .. end (not empty), the first of equals."""
        return int(longest_row(read_only(dur_ns), read_only(self.longest), self.levels, begin, end))


def read_only(array: np.ndarray) -> np.ndarray:
    """The same array as a stored one looks, so that each kernel is compiled once and not again for writable arrays."""
    view = array.view()
    view.flags.writeable = False
    return view


def _array(columns: Mapping[str, object], name: str) -> np.ndarray:
    column = columns[name]
    assert isinstance(column, np.ndarray)
    return column


def _levels(rows: int) -> np.ndarray:
    """Where each level begins in `longest`, and where the last one ends: i64, read-only."""
    sizes = []
    while rows := rows // FAN_OUT:
        sizes.append(rows)
    return read_only(np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64))


@njit(cache=True, nogil=True)
def first_disorder(start_ns: np.ndarray, dur_ns: np.ndarray, lane_offsets: np.ndarray) -> int:
    """The first row that starts or ends before the row above it in its lane, or -1."""
    for lane in range(len(lane_offsets) - 1):
        for row in range(lane_offsets[lane] + 1, lane_offsets[lane + 1]):
            above = start_ns[row - 1]
            if start_ns[row] < above or start_ns[row] + dur_ns[row] < above + dur_ns[row - 1]:
                return row
    return -1


@njit(cache=True, nogil=True)
def _longest_of_blocks(dur_ns: np.ndarray, levels: np.ndarray) -> np.ndarray:
    longest = np.empty(levels[-1], np.int32)
    for level in range(len(levels) - 1):
        for block in range(levels[level], levels[level + 1]):
            below = (block - levels[level]) * FAN_OUT
            best = -1
            for entry in range(below, below + FAN_OUT):
                row = entry if level == 0 else longest[levels[level - 1] + entry]
                if best < 0 or dur_ns[row] > dur_ns[best]:
                    best = row
            longest[block] = best
    return longest


@njit(cache=True, nogil=True)
def longest_row(dur_ns: np.ndarray, longest: np.ndarray, levels: np.ndarray, begin: int, end: int) -> int:
    """As LodIndex.longest_row. Looks at the two ragged ends row by row, and at full blocks in between."""
    if end - begin < SCANNED_ROWS:
        return _longest_scanned(dur_ns, begin, end)
    first, last = (begin + FAN_OUT - 1) // FAN_OUT, end // FAN_OUT
    best = _longest_scanned(dur_ns, begin, first * FAN_OUT + 1)
    level = 0
    while level < len(levels) - 2 and last - first >= 2 * FAN_OUT:
        left, right = (first + FAN_OUT - 1) // FAN_OUT, last // FAN_OUT
        best = _longer_block(dur_ns, longest, best, levels[level] + first, levels[level] + left * FAN_OUT)
        best = _longer_block(dur_ns, longest, best, levels[level] + right * FAN_OUT, levels[level] + last)
        first, last, level = left, right, level + 1
    best = _longer_block(dur_ns, longest, best, levels[level] + first, levels[level] + last)
    rest = _longest_scanned(dur_ns, end // FAN_OUT * FAN_OUT - 1, end)
    return rest if dur_ns[rest] > dur_ns[best] else best


@njit(cache=True, nogil=True)
def _longest_scanned(dur_ns: np.ndarray, begin: int, end: int) -> int:
    """The first longest of rows begin .. end, one by one: 1 ns per row."""
    best, best_ns = begin, dur_ns[begin]
    for row in range(begin + 1, end):
        if dur_ns[row] > best_ns:
            best, best_ns = row, dur_ns[row]
    return best


@njit(cache=True, nogil=True)
def _longer_block(dur_ns: np.ndarray, longest: np.ndarray, best: int, begin: int, end: int) -> int:
    """The first longest of row `best` and the rows that entries begin .. end of the index name."""
    best_ns = dur_ns[best]
    for entry in range(begin, end):
        row = longest[entry]
        row_ns = dur_ns[row]
        if row_ns > best_ns or (row_ns == best_ns and row < best):
            best, best_ns = row, row_ns
    return best
