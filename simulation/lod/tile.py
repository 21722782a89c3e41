"""Tiles: what the browser draws, cut at fixed places of the time axis so that every answer can be kept.

A pixel of level L is 2^L ns wide; tile `index` of a level covers the PIXELS pixels from PIXELS * index on, counted
from the run's origin. The columns are those of `Tile` in messages.proto, dtypes included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from simulation.errors import StoreError
from simulation.lod.colours import SHADES, Palette
from simulation.lod.index import LodIndex, read_only
from simulation.lod.viewport import visible

PIXELS = 1024
MAX_LEVEL = 51
"""A tile of this level is 2^61 ns = 73 years wide."""

MAX_NS = 1 << 62
"""Tiles end here, 146 years from the run's origin."""

MIN_I64, MAX_I64 = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True)
class TileSource:
    """One trace, as tiles see it. Of a predicted run: the predicted times, their own index, the rest as measured."""

    columns: Mapping[str, np.ndarray]  # of its EventTable: start_ns, dur_ns, name and category are read
    index: LodIndex
    palette: Palette
    name_codes: np.ndarray  # i32, the trace's name code -> the run's
    shift_ns: int  # add to start_ns: ns since the run's origin

    def __post_init__(self) -> None:
        rows = len(self.columns["start_ns"])
        if self.index.rows != rows:
            raise StoreError(
                f"the index is of {self.index.rows:,} rows, the table has {rows:,}",
                hint="Delete the index: it is built again.",
            )


@dataclass(frozen=True)
class TileColumns:
    """One track of a tile, sorted by lane, then start. An event with start_ns < `begin_ns` reaches in from before."""

    begin_ns: int
    start_ns: np.ndarray  # <i8, since the run's origin
    dur_ns: np.ndarray  # <i8, true duration
    name: np.ndarray  # <u4, the run's name code
    row: np.ndarray  # <u4, row of the trace's table
    count: np.ndarray  # <u4, events that it stands for, itself included
    lane: np.ndarray  # <u2, within the track
    colour: np.ndarray  # u1

    def __len__(self) -> int:
        return len(self.row)


def tile(source: TileSource, lane_rows: Sequence[int] | np.ndarray, level: int, index: int) -> TileColumns:
    """Tile `index` of `level` for the track whose lanes are the rows between `lane_rows`.

    Costs O(lanes + drawn events) whatever the size of the trace. Raises ValueError for a tile off the time axis (a
    level above MAX_LEVEL, an index beyond MAX_NS); a tile after the last event is empty, or holds what reaches into it.
    """
    if not 0 <= level <= MAX_LEVEL or not 0 <= index < MAX_NS // (PIXELS << level):
        raise ValueError(f"no tile {index} of level {level}: levels are 0 to {MAX_LEVEL}, times 0 to {MAX_NS} ns")
    begin_ns = (index * PIXELS) << level
    times = read_only(source.columns["start_ns"]), read_only(source.columns["dur_ns"])
    lanes = read_only(np.asarray(lane_rows, np.int64))
    local_ns = begin_ns - source.shift_ns
    if not MIN_I64 <= local_ns <= MAX_I64 - (PIXELS << level):
        lanes, local_ns = lanes[:1], 0  # beyond the times that a trace can hold: nothing is there
    blocks = read_only(source.index.longest), source.index.levels
    row, count, lane = visible(*times, *blocks, lanes, local_ns, level, PIXELS)
    words = read_only(source.columns["name"]), read_only(source.columns["category"])
    start_ns, dur_ns, name, colour = _describe(
        row, *times, *words, source.shift_ns, read_only(source.name_codes), *source.palette
    )
    return TileColumns(begin_ns, start_ns, dur_ns, name, row, count, lane, colour)


@njit(cache=True, nogil=True)
def _describe(
    row: np.ndarray,
    start_ns: np.ndarray,
    dur_ns: np.ndarray,
    name: np.ndarray,
    category: np.ndarray,
    shift_ns: int,
    name_codes: np.ndarray,
    communicates: np.ndarray,
    shade: np.ndarray,
    role: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Start, duration, name and colour of the rows `row`. Gathered here and not by NumPy, which would hold the GIL
    while pages of a mapped table are read from disk."""
    n = len(row)
    starts, durs = np.empty(n, np.int64), np.empty(n, np.int64)
    codes, colours = np.empty(n, np.uint32), np.empty(n, np.uint8)
    for i in range(n):
        r = row[i]
        code = name[r]
        starts[i], durs[i], codes[i] = start_ns[r] + shift_ns, dur_ns[r], name_codes[code]
        colours[i] = role[communicates[code], category[r]] * SHADES + shade[code]
    return starts, durs, codes, colours
