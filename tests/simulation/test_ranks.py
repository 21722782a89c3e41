"""Which rank a file is: by its content, else by its name; and what is said of ranks that are twice or missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.events import TraceInfo
from simulation.quality import QualityReport
from simulation.ranks import claims, from_name, place


def info(name: str, rank: int | None = None, world_size: int | None = None) -> TraceInfo:
    return TraceInfo("kineto", name, "", 0, 1, rank, world_size)


def placed(*infos: TraceInfo) -> tuple[list[int | None], QualityReport]:
    quality = QualityReport()
    return place(infos, quality), quality


@pytest.mark.parametrize(
    ("name", "rank"),
    [
        ("rank0.json", 0),
        ("rank-12.json.gz", 12),
        ("kineto_rank_3.json.zst", 3),
        ("Rank7_trace.json", 7),
        ("worker3_step_12.1694128201545.pt.trace.json", 3),
        ("trace_r7.json", 7),
        ("trace.r-7.json", 7),
        ("chakra.0.et", 0),
        ("rank5/trace.json", 5),
        ("job8/rank5/7/trace.json", 5),
        ("rank1/rank2.json", 2),
        ("crank3.json", None),
        ("trace.json", None),
        ("step_12.json", None),
        ("rank.json", None),
        ("rank1694128201545.json", None),
        ("qwen1.5-0.5b.json", None),
        ("", None),
    ],
)
def test_a_name_says_the_rank(name: str, rank: int | None) -> None:
    assert from_name(name) == rank


@pytest.mark.parametrize(
    ("names", "ranks"),
    [
        (["dlrm_eg_0.json", "dlrm_eg_2.json", "dlrm_eg_1.json"], [0, 2, 1]),
        (["a_0.17.json", "a_1.18.json"], [None, None]),  # two numbers differ: which one is it?
        (["a_1.json", "b_2.json"], [None, None]),
        (["a_1.json", "a_01.json"], [None, None]),  # the same number twice
        (["a_1.json"], [None]),
        (["a.json", "a.json"], [None, None]),
        (["t_1694128201545.json", "t_1694128201546.json"], [None, None]),  # a time, no rank
        (["rank9.json", "a_1.json", "a_2.json"], [9, 1, 2]),
    ],
)
def test_names_that_differ_in_one_number_say_the_rank(names: list[str], ranks: list[int | None]) -> None:
    assert claims([info(name) for name in names]) == ranks


def test_the_content_goes_before_the_name() -> None:
    ranks, quality = placed(info("rank0.json"), info("rank5.json", rank=0), info("rank1.json"))
    assert ranks == [2, 0, 1]
    assert quality.which("rank_repeated") == ["rank 0 of rank0.json"]
    assert quality.which("rank_from_name") == ["rank0.json", "rank1.json"]


def test_it_says_which_ranks_are_missing() -> None:
    ranks, quality = placed(info("a", 1, 8), info("b", 4, 8), info("c", 5, 8))
    assert ranks == [1, 4, 5]
    assert (quality.count("ranks_missing"), quality.which("ranks_missing")) == (5, ["0", "2-3", "6-7"])


def test_a_gap_is_missing_also_where_no_file_says_how_many_there_are() -> None:
    _, quality = placed(info("rank0.json"), info("rank2.json"))
    assert quality.which("ranks_missing") == ["1"]


def test_files_of_unknown_rank_may_be_the_missing_ones() -> None:
    _, quality = placed(info("a", 1, 3), info("b"))
    assert (quality.count("ranks_missing"), quality.which("ranks_missing")) == (1, [])
    assert quality.which("rank_unknown") == ["b"]


@given(st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 5)), st.sampled_from(["a", "rank2", "rank3.json"]))))
def test_no_two_files_have_one_rank(files: list[tuple[int | None, str]]) -> None:
    ranks, quality = placed(*(info(name, rank) for rank, name in files))
    known = [rank for rank in ranks if rank is not None]
    assert len(set(known)) == len(known)
    assert quality.count("rank_unknown") == ranks.count(None)
    first = next((at for at, (rank, _) in enumerate(files) if rank is not None), None)
    assert first is None or ranks[first] == files[first][0]
