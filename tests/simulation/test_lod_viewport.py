"""The viewport query, against a plain reading of its definition."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.lod import LodIndex
from simulation.lod.index import read_only
from simulation.lod.viewport import gallop, lower_bound, visible
from tests.simulation.lanes import Lanes, lanes

Seen = list[tuple[int, int, int]]  # (lane, row, count)


def query(rows: Lanes, begin_ns: int, level: int, pixels: int) -> Seen:
    index = LodIndex.build(rows.start_ns, rows.dur_ns, rows.offsets)
    columns = (rows.start_ns, rows.dur_ns, index.longest, index.levels, rows.offsets)
    row, count, lane = visible(*map(read_only, columns), begin_ns, level, pixels)
    return list(zip(lane.tolist(), row.tolist(), count.tolist(), strict=True))


def by_definition(rows: Lanes, begin_ns: int, level: int, pixels: int) -> Seen:
    seen = []
    for lane in range(len(rows.offsets) - 1):
        of_lane = range(rows.offsets[lane], rows.offsets[lane + 1])
        start, end = rows.start_ns.tolist(), (rows.start_ns + rows.dur_ns).tolist()
        seen += [(lane, row, 1) for row in of_lane if start[row] < begin_ns < end[row]]
        for pixel in range(pixels):
            left = begin_ns + pixel * 2**level
            here = [row for row in of_lane if left <= start[row] < left + 2**level]
            if here:
                seen.append((lane, max(here, key=lambda row: (end[row] - start[row], -row)), len(here)))
    return seen


begins = st.integers(-100, 2000)
levels = st.integers(0, 9)
widths = st.integers(0, 40)


@given(lanes(), begins, levels, widths)
def test_it_shows_what_the_definition_says(rows: Lanes, begin_ns: int, level: int, pixels: int) -> None:
    assert query(rows, begin_ns, level, pixels) == by_definition(rows, begin_ns, level, pixels)


@given(lanes(), begins, levels, widths, widths)
def test_two_parts_make_the_whole(rows: Lanes, begin_ns: int, level: int, left: int, right: int) -> None:
    middle_ns = begin_ns + (left << level)
    own = [seen for seen in query(rows, middle_ns, level, right) if rows.start_ns[seen[1]] >= middle_ns]
    whole = query(rows, begin_ns, level, left + right)
    assert sorted(query(rows, begin_ns, level, left) + own) == sorted(whole)


@given(lanes(), levels)
def test_windows_over_all_time_count_every_row_once(rows: Lanes, level: int) -> None:
    total, begin_ns, end_ns = 0, 0, int(rows.start_ns.max(initial=0))
    while begin_ns <= end_ns:
        total += sum(count for _, row, count in query(rows, begin_ns, level, 32) if rows.start_ns[row] >= begin_ns)
        begin_ns += 32 << level
    assert total == len(rows.start_ns)


def test_a_slice_shows_wherever_it_reaches() -> None:
    rows = Lanes.of([[(0, 1000), (0, 10)]])
    assert query(rows, 500, 0, 100) == [(0, 0, 1)]
    assert query(rows, 999, 0, 1) == [(0, 0, 1)]
    assert query(rows, 1000, 0, 1) == [(0, 1, 1)]
    assert query(rows, 1010, 0, 100) == []


def test_it_answers_for_millions_of_rows_as_for_few() -> None:
    rows = Lanes.of([[(1, 1)] * 200_000])
    rows.dur_ns[123_456] = 2
    seen = query(rows, 0, 12, 1024)
    assert sum(count for _, _, count in seen) == 200_000
    assert (0, 123_456, 2048) in seen and len(seen) == 98


@given(st.lists(st.integers(0, 50)).map(sorted), st.integers(-1, 51), st.data())
def test_searches_agree_with_numpy(values: list[int], value: int, data: st.DataObject) -> None:
    array = np.array(values, np.int64)
    begin = data.draw(st.integers(0, len(values)))
    end = data.draw(st.integers(begin, len(values)))
    expected = begin + np.searchsorted(array[begin:end], value)
    assert lower_bound(read_only(array), begin, end, value) == expected
    assert gallop(read_only(array), begin, end, value) == expected
