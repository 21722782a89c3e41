"""The index of the longest events."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.errors import StoreError
from simulation.lod import LodIndex
from simulation.store import write_table
from tests.simulation.lanes import Lanes


def one_lane(dur_ns: np.ndarray) -> LodIndex:
    start_ns = np.concatenate([[0], np.cumsum(dur_ns)[:-1]])
    return LodIndex.build(start_ns, dur_ns, np.array([0, len(dur_ns)]))


@given(st.integers(1, 20_000), st.integers(1, 10_000), st.integers(0, 2**32), st.data())
def test_it_finds_the_first_longest_row_of_any_range(rows: int, high: int, seed: int, data: st.DataObject) -> None:
    dur_ns = np.random.default_rng(seed).integers(0, high, rows)
    index = one_lane(dur_ns)
    begin = data.draw(st.integers(0, rows - 1))
    end = data.draw(st.integers(begin + 1, rows))
    assert index.longest_row(dur_ns, begin, end) == begin + np.argmax(dur_ns[begin:end])


@pytest.mark.parametrize(("begin", "end"), [(0, 9000), (3, 8999), (255, 4097), (256, 4864)])
def test_it_finds_one_long_event_wherever_it_is(begin: int, end: int) -> None:
    for peak in range(begin, end):
        dur_ns = np.zeros(9000, np.int64)
        dur_ns[:begin] = dur_ns[end:] = 2
        dur_ns[peak] = 1
        assert one_lane(dur_ns).longest_row(dur_ns, begin, end) == peak


def test_it_is_small() -> None:
    index = one_lane(np.ones(1_000_000, np.int64))
    assert index.longest.nbytes < 0.27 * 1_000_000


@pytest.mark.parametrize("rows", [0, 1, 15, 16, 17, 4096])
def test_it_opens_as_it_was_saved(rows: int, tmp_path: Path) -> None:
    index = one_lane(np.arange(rows, dtype=np.int64)) if rows else LodIndex.build(*vars(Lanes.of([])).values())
    index.save(tmp_path / "lod.arrow")
    opened = LodIndex.open(tmp_path / "lod.arrow")
    assert opened.rows == rows
    assert np.array_equal(opened.longest, index.longest) and np.array_equal(opened.levels, index.levels)


def test_it_refuses_an_index_of_another_version(tmp_path: Path) -> None:
    write_table(tmp_path / "lod.arrow", {"longest": np.zeros(0, np.int32)}, {"format_version": 99, "rows": 0})
    with pytest.raises(StoreError, match="version 99"):
        LodIndex.open(tmp_path / "lod.arrow")


def test_it_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"lod\.arrow"):
        LodIndex.open(tmp_path / "lod.arrow")


@pytest.mark.parametrize(
    ("start_ns", "dur_ns"), [([0, 10, 5], [1, 1, 1]), ([0, 2, 30], [10, 3, 1])], ids=["start", "end"]
)
def test_it_refuses_rows_out_of_order(start_ns: list[int], dur_ns: list[int]) -> None:
    bad = 2 if start_ns[2] < start_ns[1] else 1
    with pytest.raises(ValueError, match=f"row {bad} "):
        LodIndex.build(np.array(start_ns), np.array(dur_ns), np.array([0, 3]))


def test_it_takes_lanes_one_after_another_in_time_and_back() -> None:
    rows = Lanes.of([[(0, 10), (0, 10)], [(0, 3)]])
    assert LodIndex.build(rows.start_ns, rows.dur_ns, rows.offsets).rows == 3
