"""The minimap and the first view."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.lod import PIXELS, busiest_tracks, dense_view, overview_level
from tests.simulation.build import Event, annotation, instant, kernel, make_table, op


def busiest(*events: Event) -> list[str]:
    table = make_table(events)
    return [table.tracks[track].tid for track in busiest_tracks(table)]


def test_the_busiest_streams_stand_for_a_trace() -> None:
    kernels = [kernel(stream, 0, dur) for stream, dur in [(7, 30), (20, 10), (24, 40), (28, 20)]]
    assert busiest(op(1, 0, 500), *kernels) == ["24", "7", "28"]


def test_without_device_work_its_busiest_threads_do() -> None:
    nested = [op(1, 0, 100, "outer"), op(1, 10, 80, "inner")]
    window = Event("PyTorch Profiler (0)", "Trace", 3, 0, 10_000)
    assert busiest(*nested, op(2, 0, 150), window, annotation(7, 0, 900)) == ["2", "1"]


def test_a_trace_in_which_nothing_lasts_has_no_overview_track() -> None:
    assert busiest(instant(1, 5)) == []


@given(st.integers(0, (1 << 62) - 1))
def test_the_run_fits_in_two_tiles_and_in_no_finer_level(end_ns: int) -> None:
    level = overview_level(end_ns)
    assert end_ns >> level < 2 * PIXELS
    assert level == 0 or end_ns >> (level - 1) >= 2 * PIXELS


def view_of(*events: tuple[int, int]) -> tuple[int, int]:
    return dense_view(np.array([start for start, _ in events]), np.array([end for _, end in events]))


STEADY = [(start, start + 5) for start in range(1000, 2000, 10)]


def test_a_steady_trace_is_shown_whole() -> None:
    assert view_of(*STEADY) == (1000, 1995)


def test_a_far_timestamp_does_not_stretch_the_first_view() -> None:
    assert view_of((0, 0), *STEADY) == (0, 1995)
    assert view_of((-10_000, -9_999), *STEADY) == (1000, 1995)
    assert view_of(*STEADY, (50_000, 50_007)) == (1000, 1995)
    assert view_of((-10_000, -9_999), *STEADY, (1_700_000_000_000_000_000, 1_700_000_000_000_000_007)) == (1000, 1995)


def test_a_slice_that_bridges_the_gap_keeps_the_view_whole() -> None:
    assert view_of((-10_000, 1000), *STEADY) == (-10_000, 1995)


def test_a_long_pause_between_steps_stays_in_view() -> None:
    later = [(start + 100_000, end + 100_000) for start, end in STEADY]
    assert view_of(*STEADY, *later) == (1000, 101_995)


def test_of_a_few_events_none_is_an_outlier() -> None:
    assert view_of((0, 1), (5, 6), (1_000_000, 1_000_001)) == (0, 1_000_001)
    assert view_of((3, 4)) == (3, 4)
    assert view_of() == (0, 0)


events = st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 300)), min_size=1, max_size=300)


@given(events, st.integers(0, 10**6))
def test_the_first_view_leaves_out_less_than_two_in_a_hundred(events: list[tuple[int, int]], far_ns: int) -> None:
    slices = [(start, start + dur) for start, dur in events] + [(far_ns, far_ns + 1)]
    begin, end = view_of(*slices)
    outside = sum(not (begin <= left and right <= end) for left, right in slices)
    assert outside <= 2 * max(1, len(slices) // 100)
    assert begin <= end
