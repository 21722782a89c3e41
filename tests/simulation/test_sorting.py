"""Sorting by digits, against Python's own sort."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.sorting import DIGIT_BITS, by_time

times = st.one_of(st.integers(-5, 5), st.integers(-(2**DIGIT_BITS), 2**DIGIT_BITS), st.integers(-(2**61), 2**61))


@given(st.lists(times, max_size=30))
def test_it_sorts_times_and_keeps_the_order_of_equal_ones(when: list[int]) -> None:
    found_ns, found = by_time(np.array(when, np.int64), np.arange(len(when), dtype=np.int32))
    expected = sorted(range(len(when)), key=lambda i: when[i])
    assert found.tolist() == expected
    assert found_ns.tolist() == [when[i] for i in expected]
