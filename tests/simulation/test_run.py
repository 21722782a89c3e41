"""A run of several ranks: order, one string table, one zero, one numbering; and what a run folder holds."""

from __future__ import annotations

import os
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest

from simulation.errors import DamagedTrace, StoreError
from simulation.events import FORMAT_VERSION, SIDE_TABLES, SINCE, readable_version
from simulation.run import Run, read_run
from tests.conftest import ROOT
from tests.simulation.traces import event, side, write

HOUR_NS = 3_600 * 10**9


def rank_file(folder: Path, name: str, rank: int | None, names: list[str], start: float = 0, base_ns: int = 0,
              world_size: int = 2) -> Path:  # fmt: skip
    told = {} if rank is None else {"distributedInfo": {"rank": rank, "world_size": world_size}}
    events = [event(word, start + at) for at, word in enumerate(names)]
    return write(folder / f"{name}.json", events, baseTimeNanoseconds=base_ns, **told)


def test_it_sorts_ranks_and_shares_names(tmp_path: Path) -> None:
    run = read_run([rank_file(tmp_path, "b", 1, ["x", "y"]), rank_file(tmp_path, "a", 0, ["y", "z", "z"])])
    assert run.ranks == (0, 1)
    assert [trace.info.file_name for trace in run.traces] == ["a.json", "b.json"]
    assert sorted(run.names) == ["x", "y", "z"]
    for trace, codes in zip(run.traces, run.name_codes, strict=True):
        assert [run.names[code] for code in codes] == list(trace.names)
    assert run.row_base.tolist() == [0, 3, 5]


def test_it_adds_the_base_before_it_compares(tmp_path: Path) -> None:
    run = read_run([
        rank_file(tmp_path, "a", 0, ["x"], start=10, base_ns=HOUR_NS),
        rank_file(tmp_path, "b", 1, ["x"], start=12.5, base_ns=HOUR_NS - 1000),
    ])  # fmt: skip
    assert run.origin_ns == HOUR_NS + 10_000
    assert [int(trace.start_ns[0]) + shift for trace, shift in zip(run.traces, run.shift_ns, strict=True)] == [0, 1500]


@pytest.mark.parametrize("ranks", [(2, 0, 1), (0, 0, 0), (None, None, None), (None, 1, None), (1, 1, 0)])
def test_it_is_the_same_run_in_whatever_order_its_files_come(tmp_path: Path, ranks: tuple[int | None, ...]) -> None:
    own = ([event("x", 0)], [event("y", float("nan"))], [event("z", 1, dur=-1)])  # two have findings, of other kinds
    told = [{} if rank is None else {"distributedInfo": {"rank": rank}} for rank in ranks]
    files = [write(tmp_path / f"part {9 + at}.json", [event("x", 5), *own[at]], **told[at]) for at in range(3)]
    runs = [read_run(list(given)) for given in permutations(files)]
    assert len({(run.ranks, tuple(trace.info.file_name for trace in run.traces)) for run in runs}) == 1
    assert len({tuple(run.quality) for run in runs}) == 1


@pytest.mark.parametrize(
    ("ranks", "shown", "counts"),
    [
        ([1, 0], (0, 1), {}),
        ([0, 0], (0, 1), {"rank_repeated": 1}),
        ([1, 0, 1, 1], (0, 1, 2, 3), {"rank_repeated": 2}),
        ([None, 1], (1, None), {"rank_unknown": 1}),
        ([None], (None,), {"rank_unknown": 1}),
        ([1], (1,), {"ranks_missing": 1}),
    ],
)
def test_it_says_which_ranks_are_there(
    tmp_path: Path, ranks: list[int | None], shown: tuple[int | None, ...], counts: dict[str, int]
) -> None:
    run = read_run([rank_file(tmp_path, str(at), rank, ["x"]) for at, rank in enumerate(ranks)])
    assert run.ranks == shown
    unknown = {"clocks_unknown": len(ranks)} if len(ranks) > 1 else {}  # no collective in these files
    assert run.quality.counts() == {"no_steps": len(ranks), **counts, **unknown}


def test_it_refuses_ranks_of_different_centuries(tmp_path: Path) -> None:
    files = [rank_file(tmp_path, str(at), at, ["x"], start=start) for at, start in enumerate((-4e15, 4e15))]
    with pytest.raises(DamagedTrace, match="century"):
        read_run(files)


def test_it_opens_what_it_saved(tmp_path: Path) -> None:
    run = read_run([rank_file(tmp_path, str(at), at, ["x", f"y{at}"], base_ns=HOUR_NS) for at in range(3)])
    run.save(tmp_path / "run")
    opened = Run.open(tmp_path / "run")
    assert (opened.ranks, opened.names, opened.origin_ns) == (run.ranks, run.names, run.origin_ns)
    assert (opened.shift_ns, opened.quality.counts()) == (run.shift_ns, run.quality.counts())
    for one, other in zip(opened.name_codes, run.name_codes, strict=True):
        assert np.array_equal(one, other)
    for one_trace, other_trace in zip(opened.traces, run.traces, strict=True):
        assert one_trace.content_hash() == other_trace.content_hash()
        assert not one_trace.start_ns.flags.writeable


def test_all_of_a_run_is_on_the_disk_before_its_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, held_at_the_record, replace_file = set[int](), list[set[int]](), os.replace

    def keep(descriptor: int) -> None:
        kept.add(os.fstat(descriptor).st_ino)

    def rename(source: Path, target: Path) -> None:
        if target.name == "run.arrow":
            held_at_the_record.append(kept.copy())
        replace_file(source, target)

    monkeypatch.setattr(os, "fsync", keep)
    monkeypatch.setattr(os, "replace", rename)
    folder = tmp_path / "run"
    read_run([rank_file(tmp_path, str(at), at, ["x", f"y{at}"]) for at in range(2)]).save(folder)
    assert len(list(folder.rglob("*.arrow"))) > 2 * len(SIDE_TABLES)
    assert held_at_the_record == [{path.stat().st_ino for path in [folder, *folder.rglob("*")]}]


def test_a_run_that_is_not_kept_by_the_disk_gets_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        read_run([rank_file(tmp_path, "a", 0, ["x"])]).save(tmp_path / "run")
    assert not (tmp_path / "run" / "run.arrow").exists()


def test_it_refuses_a_folder_that_is_not_whole(tmp_path: Path) -> None:
    run = read_run([rank_file(tmp_path, "a", 0, ["x"])])
    run.save(tmp_path / "run")
    (tmp_path / "run" / "run.arrow").unlink()
    with pytest.raises(StoreError):
        Run.open(tmp_path / "run")


def test_it_opens_a_folder_of_version_1() -> None:
    run = Run.open(ROOT / "tests" / "samples" / "store" / "version-1")
    assert (run.clocks, run.groups, run.has_clocks) == ((None,) * len(run.traces), (), False)  # not in version 1
    table = run.traces[0]
    assert (run.ranks, table.info.format, table.info.spellings) == ((0,), "kineto", {})
    assert sorted(table.name_of(row) for row in range(len(table))) == [
        "ProfilerStep#1", "aten::mm", "cudaLaunchKernel", "kernel", "nn.Module: Linear_0", "power",
    ]  # fmt: skip
    assert {
        name: len(next(iter(table.sides[name].values()))) for name in SIDE_TABLES if name in SINCE
    } == dict.fromkeys(SINCE, 0)
    assert [side(table, "steps")[0]["number"], side(table, "unplaced")[0]["name"]] == [1, "lost"]
    assert [table.name_of(row) for row in table.launch[table.is_device]] == ["cudaLaunchKernel"]


@pytest.mark.parametrize("version", [0, FORMAT_VERSION + 1, "1"])
def test_it_refuses_a_version_that_it_does_not_know(tmp_path: Path, version: object) -> None:
    with pytest.raises(StoreError, match=f"version {version}"):
        readable_version({"format_version": version}, tmp_path)
