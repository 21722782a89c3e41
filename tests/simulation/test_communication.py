"""Which kernels move data between ranks, asked of one name and of many."""

from hypothesis import given
from hypothesis import strategies as st

from simulation.communication import communicates, which_communicate

PARTS = ("nccl", "NCCL", "rccl", "ccl", "nvshmem", "cross_device_reduce", "ep::", "deep_", "_ep", "\n", "İ", "a", " ")


@given(st.lists(st.lists(st.sampled_from(PARTS), max_size=4).map("".join), min_size=1, max_size=6))
def test_many_names_are_told_as_each_of_them(names: list[str]) -> None:
    assert which_communicate(names).tolist() == [communicates(name) for name in names]


def test_of_no_names_none_does() -> None:
    assert which_communicate([]).tolist() == [False]
