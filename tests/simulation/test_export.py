"""Exports: what is written is the run, or the part of it that was asked for, and harmless to those who open it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import csv, parquet

from simulation.analysis.counters import counters_of
from simulation.formats import chrome_events, read_trace
from simulation.formats.export import COLUMNS, SUFFIXES, export_run
from simulation.formats.selection import EVERYTHING, Selection
from simulation.replay import replay_run
from simulation.run import Run, read_run
from tests.simulation.test_chrome import ARROW, EVENTS, assert_same
from tests.simulation.traces import event, kernel, launch, read, side, step, write

TABULAR = ("arrow", "parquet", "csv")
BASE_NS = 1_711_964_646_000_000_000


def exported(run: Run, path: Path, selection: Selection = EVERYTHING) -> pa.Table:
    format_ = next(name for name, suffix in SUFFIXES.items() if path.name.endswith(suffix))
    export_run(run, path, format_, selection)
    if format_ == "arrow":
        return pa.ipc.open_file(path).read_all()
    return parquet.read_table(path) if format_ == "parquet" else csv.read_csv(path)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    files = [
        write(tmp_path / f"{rank}.json", EVENTS, baseTimeNanoseconds=BASE_NS + rank, distributedInfo={"rank": rank})
        for rank in range(2)
    ]
    return read_run(files)


@pytest.mark.parametrize("format_", TABULAR)
def test_it_writes_a_line_per_event_of_all_ranks(run: Run, tmp_path: Path, format_: str) -> None:
    table = exported(run, tmp_path / f"out{SUFFIXES[format_]}")
    assert table.column_names == list(COLUMNS)
    assert table.num_rows == run.row_base[-1]
    lines = {(line["trace"], line["row"]): line for line in table.to_pylist()}
    for trace, shown in enumerate(run.traces):
        for row in range(len(shown)):
            line = lines[trace, row]
            assert (line["rank"], line["name"], line["dur_ns"]) == (trace, shown.name_of(row), shown.dur_ns[row])
            assert line["start_ns"] == shown.start_ns[row] + run.shift_ns[trace]
            assert (line["category"] or "") == shown.category_of(row)
            assert (-1 if line["parent"] is None else line["parent"]) == shown.parent[row]
            assert (-1 if line["launch"] is None else line["launch"]) == shown.launch[row]
            assert (line["args"] or "").encode() == shown.args[int(shown.source_index[row])]
            assert (line["step"] or None) == (None if shown.step[row] < 0 else "ProfilerStep#1")


def test_it_says_where_its_zero_is(run: Run, tmp_path: Path) -> None:
    meta = json.loads(exported(run, tmp_path / "out.parquet").schema.metadata[b"traceviewer"])
    assert meta["origin_ns"] == run.origin_ns
    assert meta["quality"] == run.quality.counts()


def test_it_writes_predicted_times(tmp_path: Path) -> None:
    run = read_run([write(tmp_path / "t.json", EVENTS)])
    prediction = replay_run(run)
    table = exported(prediction.predicted, tmp_path / "out.arrow")
    predicted = prediction.start_ns[0] + run.shift_ns[0]
    assert [line["start_ns"] for line in table.to_pylist()] == [predicted[line["row"]] for line in table.to_pylist()]


def test_it_keeps_formulas_out_of_spreadsheets(tmp_path: Path) -> None:
    names = ["=1+1", "+1", "-1", "@sum", "\t=1", "\r=1", "aten::add", "a=b"]
    run = Run.of([read(tmp_path, *(event(name, at, cat="=cat") for at, name in enumerate(names)))])
    lines = exported(run, tmp_path / "out.csv").to_pylist()
    assert [line["name"] for line in lines] == [*(f"'{name}" for name in names[:6]), *names[6:]]
    assert {line["category"] for line in lines} == {"'=cat"}
    assert [line["name"] for line in exported(run, tmp_path / "out.arrow").to_pylist()] == names


def test_it_writes_args_that_are_not_utf8(tmp_path: Path) -> None:
    path = write(tmp_path / "t.json", [event(args={"a": "MARK"})])
    path.write_bytes(path.read_bytes().replace(b"MARK", b"\xff"))
    for format_ in TABULAR:
        (line,) = exported(read_run([path]), tmp_path / f"out{SUFFIXES[format_]}").to_pylist()
        assert json.loads(line["args"]) == {"a": "\ufffd"}


SPREAD = [event("long", 0, 100), event("early", 1, 2), event("late", 50, 10), event("edge", 60, 5),
          event("empty", 50, 0), event("other", 50, 5, tid=8)]  # fmt: skip


def names_of(table: pa.Table) -> set[str]:
    return set(table["name"].to_pylist())


def test_it_selects_what_touches_a_range(tmp_path: Path) -> None:
    run = Run.of([read(tmp_path, *SPREAD)])
    assert names_of(exported(run, tmp_path / "a.arrow", Selection(50_000, 60_000))) == {
        "long",
        "late",
        "empty",
        "other",
    }
    assert names_of(exported(run, tmp_path / "b.arrow", Selection(begin_ns=60_000))) == {"long", "edge"}
    assert names_of(exported(run, tmp_path / "c.arrow", Selection(end_ns=1_000))) == {"long"}
    assert names_of(exported(run, tmp_path / "d.arrow", Selection(10**12))) == set()


def test_it_selects_tracks_and_ranks(run: Run, tmp_path: Path) -> None:
    streams = frozenset((1, track.index) for track in run.traces[1].tracks if track.kind == "stream")
    table = exported(run, tmp_path / "a.arrow", Selection(tracks=streams))
    assert (names_of(table), set(table["trace"].to_pylist())) == ({"kernel"}, {1})
    assert exported(run, tmp_path / "b.arrow", Selection(ranks=frozenset([0]))).num_rows == len(run.traces[0])
    assert exported(run, tmp_path / "c.arrow", Selection(tracks=frozenset([(7, 0)]))).num_rows == 0


def chrome_of(run: Run, path: Path, selection: Selection) -> Any:
    export_run(run, path, "chrome", selection)
    return read_trace(path)


def test_a_part_as_chrome_json_reads_back_as_that_part(tmp_path: Path) -> None:
    run = Run.of(
        [read(tmp_path, *SPREAD, {**ARROW, "ph": "s", "pid": 7, "tid": 8, "ts": 50}, {"ph": "??", "name": "x"})]
    )
    table = chrome_of(run, tmp_path / "part.json.gz", Selection(50_000, 55_000, frozenset([(0, 1)])))
    assert [table.name_of(row) for row in range(len(table))] == ["other"]
    assert (table.start_ns.tolist(), table.dur_ns.tolist()) == ([50_000], [5_000])
    assert len(table.sides["flows"]["row"]) == 1 and len(table.sides["unplaced"]["name"]) == 0


def test_one_rank_of_several_reads_back_as_it_was(run: Run, tmp_path: Path) -> None:
    back = chrome_of(run, tmp_path / "rank1.json.gz", Selection(ranks=frozenset([1])))
    assert_same(back, run.traces[1])


def test_a_rank_that_only_the_name_told_is_written(tmp_path: Path) -> None:
    run = read_run([write(tmp_path / f"run_rank{rank}.json", EVENTS) for rank in (2, 3)])
    assert run.ranks == (2, 3)
    assert chrome_of(run, tmp_path / "out.json.gz", Selection(ranks=frozenset([1]))).info.rank == 3


LAUNCHED = [
    launch(10, 2, 1), launch(20, 2, 2), kernel(15, 10, 1), kernel(30, 20, 2),
    kernel(60, 10, cat="gpu_memcpy", name="Memcpy HtoD (Pinned -> Device)", args={"bytes": 40_000}),
]  # fmt: skip


@pytest.mark.parametrize("block_rows", [2, 1000])
def test_launch_queues_and_bandwidth_go_out_as_counters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block_rows: int
) -> None:
    monkeypatch.setattr(chrome_events, "BLOCK_ROWS", block_rows)
    run = Run.of([read(tmp_path, *LAUNCHED)])
    queue = [(10_000, 1), (15_000, 0), (20_000, 1), (30_000, 0)]

    def counted(selection: Selection, file: str) -> list[tuple[str, str, int, float]]:
        export_run(run, tmp_path / file, "chrome", selection, counters=counters_of)
        entries = json.loads((tmp_path / file).read_text())["traceEvents"]
        shown = [entry for entry in entries if entry["ph"] == "C"]
        assert all(entry["pid"] == 0 and entry.get("id", 3) == 3 for entry in shown)
        return [(entry["name"], *next(iter(entry["args"].items())), round(entry["ts"] * 1000)) for entry in shown]

    lengths = [("Queue Length", "Queue Length", value, at) for at, value in queue]
    rates = [("Memcpy HtoD", "Memcpy BW", 4.0, 60_000), ("Memcpy HtoD", "Memcpy BW", 0.0, 70_000)]
    assert counted(EVERYTHING, "out.json") == [*lengths, *rates]
    assert counted(Selection(15_000 - 10_000, 30_000 - 10_000), "part.json") == lengths[1:3]  # since the first event
    back = read_trace(tmp_path / "out.json")
    assert np.count_nonzero(back.is_device) == 3 and {"Queue Length[3]", "Memcpy HtoD"} <= {
        track.name for track in back.tracks if track.kind == "counter"
    }


LOOSE = [
    step(1, 0, 50.5), launch(1.001, 1, 4), event("no start", None), event("no duration", 5, "x", args={"a": 1}),
    event("negative", 5, -2), {"ph": "?", "name": "odd", "cat": "c", "ts": 3}, {"name": "no phase", "ts": 3}, 7,
    {**ARROW, "ph": "s", "pid": 99, "tid": 7, "ts": 1.001}, {**ARROW, "ph": "f", "id": 5, "pid": 7, "tid": 7, "ts": 1},
    {**ARROW, "ph": "t", "id": 6, "pid": 7, "tid": 7},
]  # fmt: skip


def test_what_has_no_place_is_kept(tmp_path: Path) -> None:
    table = read(tmp_path, *LOOSE)
    back = chrome_of(Run.of([table]), tmp_path / "out.json.gz", EVERYTHING)
    assert_same(back, table)

    def unplaced(shown: Any) -> list[Any]:
        lines = side(shown, "unplaced")
        return [{**line, "source_index": shown.args[line["source_index"]]} for line in lines]

    def flows(shown: Any) -> list[Any]:
        return sorted((line["phase"], line["id"], line["category"], str(line["row"])) for line in side(shown, "flows"))

    assert unplaced(back) == unplaced(table) and len(unplaced(table)) == 6
    assert flows(back) == flows(table) and len(flows(table)) == 3
    same = ("unplaced_events", "negative_durations", "unknown_phases", "dangling_flows")
    assert [back.quality.count(code) for code in same] == [table.quality.count(code) for code in same]


def test_a_sample_reads_back_as_it_was(samples: Path, tmp_path: Path) -> None:
    for name in ("hta/cuda_event_sync", "tracelens/h100/qwen1.5-0.5b"):
        table = read_trace(samples / f"{name}.json.gz")
        back = chrome_of(Run.of([table]), tmp_path / "out.json.gz", EVERYTHING)
        assert_same(back, table)
        assert back.quality.count("dangling_flows") == table.quality.count("dangling_flows")
        assert np.array_equal(back.is_device, table.is_device)
