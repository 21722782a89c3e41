"""Columns that wait on the disk come back as they went."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.spool import Spool

PARTS = st.lists(st.lists(st.integers(-(2**31), 2**31 - 1), max_size=9), max_size=12)


@given(PARTS, PARTS, st.sampled_from([0, 40, 10**6]))
def test_columns_are_the_parts_one_after_the_other(one: list[list[int]], two: list[list[int]], held: int) -> None:
    spool = Spool(held_bytes=held)
    narrow, wide = spool.column(np.int32), spool.column(np.int64)
    for at in range(max(len(one), len(two))):
        for column, parts in ((narrow, one), (wide, two)):
            if at < len(parts):
                column.add(np.array(parts[at], np.int64))
    for column, parts, type_ in ((narrow, one, np.int32), (wide, two, np.int64)):
        whole = column.whole()
        assert whole.tolist() == [value for part in parts for value in part] and whole.dtype == type_
        assert len(column) == len(whole)
        assert column.whole().tolist() == whole.tolist()


def test_what_was_added_may_be_changed_afterwards() -> None:
    column, values = Spool().column(np.int64), np.arange(4)
    column.add(values)
    values[:] = 9
    assert column.whole().tolist() == [0, 1, 2, 3]


@given(st.lists(st.integers(-9, 9), min_size=1, max_size=2000))
def test_a_kept_array_has_the_same_values_and_can_be_written(values: list[int]) -> None:
    spool, array = Spool(kept_bytes=64), np.array(values)
    kept = spool.keep(array)
    assert kept.tolist() == values and kept.dtype == array.dtype and kept.flags.writeable
    assert (kept is array) == (array.nbytes < 64)


def test_kept_arrays_outlive_their_spool_and_the_file_has_no_name(tmp_path: Path) -> None:
    spool = Spool(tmp_path, held_bytes=0, kept_bytes=0)
    kept = [spool.keep(np.full(5000, at)) for at in range(3)]
    spool.column(np.int8).add(np.zeros(10))
    assert not list(tmp_path.iterdir())
    del spool
    assert [array[0] for array in kept] == [0, 1, 2] and all((array == array[0]).all() for array in kept)


def test_small_columns_make_no_file() -> None:
    before = os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else pytest.skip("needs /proc")
    spool = Spool()
    spool.column(np.int64).add(np.arange(1000))
    spool.keep(np.arange(1000))
    assert len(os.listdir("/proc/self/fd")) == len(before)
