"""Tiles: fixed places, exact columns."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.errors import StoreError
from simulation.lod import MAX_LEVEL, PIXELS, LodIndex, Palette, TileColumns, TileSource, tile
from tests.simulation.lanes import Lanes, lanes

NAMES = ("aten::mm", "ncclDevKernel_AllReduce", "gemm")
CATEGORIES = ("cpu_op", "kernel")
NAME_CODES = np.array([7, 70_000, 3], np.int32)


def source_of(rows: Lanes, shift_ns: int = 0) -> TileSource:
    n = len(rows.start_ns)
    return TileSource(
        columns={
            "start_ns": rows.start_ns,
            "dur_ns": rows.dur_ns,
            "name": np.arange(n, dtype=np.int32) % len(NAMES),
            "category": np.arange(n, dtype=np.int16) % len(CATEGORIES),
        },
        index=LodIndex.build(rows.start_ns, rows.dur_ns, rows.offsets),
        palette=Palette.of(NAMES, CATEGORIES),
        name_codes=NAME_CODES,
        shift_ns=shift_ns,
    )


def all_tiles(rows: Lanes, source: TileSource, level: int) -> list[TileColumns]:
    end_ns = int(rows.start_ns.max(initial=0)) + source.shift_ns
    return [tile(source, rows.offsets, level, index) for index in range(end_ns // (PIXELS << level) + 1)]


@given(lanes(max_events=200), st.integers(0, 6), st.integers(-300, 10**18))
def test_tiles_of_a_level_count_every_row_once(rows: Lanes, level: int, base_ns: int) -> None:
    away = Lanes(rows.start_ns + base_ns, rows.dur_ns, rows.offsets)
    tiles = all_tiles(rows, source_of(rows), level)
    assert sum(int(part.count[part.start_ns >= part.begin_ns].sum()) for part in tiles) == len(rows.start_ns)
    moved = source_of(away, shift_ns=-base_ns)
    for index, part in enumerate(tiles):
        other = tile(moved, away.offsets, level, index)
        for column in fields(TileColumns):
            assert np.array_equal(getattr(part, column.name), getattr(other, column.name))


def test_it_gives_the_columns_of_the_protocol() -> None:
    rows = Lanes.of([[(0, 3000), (0, 0)], [(100, 2000)]])
    part = tile(source_of(rows, shift_ns=5), rows.offsets, 0, 1)
    expected = {
        "start_ns": ("<i8", [5, 105]),
        "dur_ns": ("<i8", [3000, 2000]),
        "name": ("<u4", [7, 3]),
        "row": ("<u4", [0, 2]),
        "count": ("<u4", [1, 1]),
        "lane": ("<u2", [0, 1]),
    }
    for name, (dtype, values) in expected.items():
        column = getattr(part, name)
        assert (column.dtype, column.tolist()) == (np.dtype(dtype), values)
    assert part.colour.dtype == np.uint8 and part.begin_ns == 1024 and len(part) == 2


@given(lanes(), st.integers(0, 4))
def test_its_columns_are_those_of_the_rows_it_names(rows: Lanes, level: int) -> None:
    source = source_of(rows, shift_ns=11)
    for part in all_tiles(rows, source, level):
        name, category = source.columns["name"][part.row], source.columns["category"][part.row]
        assert np.array_equal(part.start_ns, rows.start_ns[part.row] + 11)
        assert np.array_equal(part.dur_ns, rows.dur_ns[part.row])
        assert np.array_equal(part.name, NAME_CODES[name])
        assert np.array_equal(part.colour, source.palette.colours(name, category))
        assert np.array_equal(part.lane, np.searchsorted(rows.offsets, part.row, side="right") - 1)


def test_a_tile_of_a_track_shows_that_track_only() -> None:
    rows = Lanes.of([[(0, 10)], [(0, 20)], [(0, 30)]])
    part = tile(source_of(rows), rows.offsets[1:3], 0, 0)
    assert (part.row.tolist(), part.lane.tolist()) == ([1], [0])


@pytest.mark.parametrize(
    ("level", "index"), [(-1, 0), (0, -1), (MAX_LEVEL + 1, 0), (MAX_LEVEL, 2), (0, 1 << 52), (3_000_000_000, 0)]
)
def test_it_refuses_a_tile_off_the_time_axis(level: int, index: int) -> None:
    rows = Lanes.of([[(0, 10)]])
    with pytest.raises(ValueError, match="no tile"):
        tile(source_of(rows), rows.offsets, level, index)


@pytest.mark.parametrize("shift_ns", [0, -(1 << 62), 1 << 62])
def test_the_outermost_tiles_are_answered(shift_ns: int) -> None:
    rows = Lanes.of([[(0, 10), (0, 5)]])
    away = Lanes(rows.start_ns - shift_ns, rows.dur_ns, rows.offsets)
    source = source_of(away, shift_ns)
    assert tile(source, rows.offsets, MAX_LEVEL, 0).count.tolist() == [2]
    assert len(tile(source, rows.offsets, MAX_LEVEL, 1)) == 0
    assert len(tile(source, rows.offsets, 0, (1 << 52) - 1)) == 0


def test_it_refuses_an_index_of_another_table() -> None:
    source = source_of(Lanes.of([[(0, 10)]]))
    with pytest.raises(StoreError, match="1 rows, the table has 0"):
        TileSource(source_of(Lanes.of([])).columns, source.index, source.palette, NAME_CODES, 0)
