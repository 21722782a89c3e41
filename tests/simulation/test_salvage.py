"""Damaged files give what can be read of them, and say what is missing."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import zstandard

from simulation.errors import DamagedTrace, TraceError
from simulation.events import EventTable
from simulation.formats import read_trace
from tests.simulation.traces import counts, event, kernel, launch, step

EVENTS = [step(1, 0, 9), launch(1, 1, 3), kernel(2, 2, 3), event("a", 1.5, 2)]
BASE_NS = 1_700_000_000_000_000_000
REMARKS = {"no_steps", "unlinked_device_events", "rank_unknown", "child_outlasts_parent"}
"""Codes that any of these small files may have."""


def text(events: list[Any] = EVENTS, **top: Any) -> bytes:
    return json.dumps({"baseTimeNanoseconds": BASE_NS, "traceEvents": events, **top}).encode()


def salvaged(tmp_path: Path, content: bytes) -> EventTable:
    path = tmp_path / "trace.json"
    path.write_bytes(content)
    return read_trace(path)


def names(table: EventTable) -> list[str]:
    order = sorted(range(len(table)), key=lambda row: int(table.source_index[row]))
    return [table.name_of(row) for row in order]


def damage(table: EventTable) -> dict[str, int]:
    return {code: count for code, count in counts(table).items() if code not in REMARKS}


ALL = ["ProfilerStep#1", "cudaLaunchKernel", "kernel", "a"]


def test_a_cut_text_gives_the_events_before_the_cut(tmp_path: Path) -> None:
    whole = text()
    begin = whole.index(b'{"ph": "X", "cat": "cpu_op", "name": "a"')
    for cut in (begin + 1, begin + 30, len(whole) - 3):
        table = salvaged(tmp_path, whole[:cut])
        assert (names(table), damage(table)) == (ALL[:3], {"truncated": 1})
        assert f"trace.json at byte {begin - 2}" in str(table.quality.which("truncated"))
        assert (table.info.base_ns, table.info.events) == (BASE_NS, 3)


def test_a_cut_behind_the_events_loses_metadata_only(tmp_path: Path) -> None:
    table = salvaged(tmp_path, text(distributedInfo={"rank": 3})[:-5])
    assert (names(table), damage(table), table.info.rank) == (ALL, {"truncated": 1}, None)


@pytest.mark.parametrize("end", ["", ",", " ,\n "])
@pytest.mark.parametrize("begin", ["[", '{"traceEvents": ['])
def test_a_list_need_not_be_closed(tmp_path: Path, begin: str, end: str) -> None:
    table = salvaged(tmp_path, (begin + ", ".join(map(json.dumps, EVENTS)) + end).encode())
    assert (names(table), damage(table)) == (ALL, {"unclosed_list": 1})


def test_a_bare_list_is_a_trace(tmp_path: Path) -> None:
    table = salvaged(tmp_path, json.dumps(EVENTS).encode())
    assert (names(table), damage(table)) == (ALL, {})


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_packed_files_may_have_many_parts(tmp_path: Path, pack: Any) -> None:
    whole = text()
    parts = b"".join(pack(whole[at : at + 100]) for at in range(0, len(whole), 100))
    table = salvaged(tmp_path, parts)
    assert (names(table), damage(table)) == (ALL, {})


def test_padding_behind_a_packed_file_is_no_damage(tmp_path: Path) -> None:
    assert damage(salvaged(tmp_path, gzip.compress(text()) + bytes(700))) == {}


def test_what_follows_a_packed_file_is_told(tmp_path: Path) -> None:
    table = salvaged(tmp_path, gzip.compress(text()) + b"and more")
    assert (names(table), damage(table)) == (ALL, {"damaged_packing": 1})


def many(n: int) -> list[Any]:
    return [event(f"op{at * 7919 % 10007}", at, 1) for at in range(n)]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_cut_packed_file_gives_what_comes_out(tmp_path: Path, pack: Any) -> None:
    packed = pack(text(many(20_000)))
    table = salvaged(tmp_path, packed[: len(packed) // 2])
    assert 5_000 < len(table) < 15_000
    assert names(table) == [entry["name"] for entry in many(len(table))]
    assert damage(table) == {"truncated": 1, "damaged_packing": 1}
    assert table.quality.which("damaged_packing") == [f"trace.json at byte {len(packed) // 2:,}"]


def test_a_wrong_checksum_costs_nothing(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(text()))
    packed[-8] ^= 0xFF
    table = salvaged(tmp_path, bytes(packed))
    assert (names(table), damage(table)) == (ALL, {"damaged_packing": 1})


def test_a_packed_file_of_which_nothing_comes_out_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DamagedTrace, match=r"byte 20: the gzip stream ends early; .*Copy the file again"):
        salvaged(tmp_path, gzip.compress(text())[:20])


@pytest.mark.parametrize(
    ("broken", "left"),
    [
        ('"name": "say "hi" to"', [0, 2, 3]),
        ('"name": "C:\\"', [0, 2, 3]),
        ('"name": oops', [0, 2, 3]),
        ('"name": "x", {', [0, 2, 3]),
        ('"name": "x", "args": {"a": [1, 2}', [0, 2, 3]),
        ('"name" "x"', [0, 2, 3]),
    ],
)
def test_a_broken_event_is_left_out_and_counted(tmp_path: Path, broken: str, left: list[int]) -> None:
    whole = text().replace(b'"name": "cudaLaunchKernel"', broken.encode())
    table = salvaged(tmp_path, whole)
    assert names(table) == [ALL[at] for at in left]
    assert damage(table)["damaged_entries"] >= 1
    assert table.info.base_ns == BASE_NS


@pytest.mark.parametrize("garbage", ["}", "@@@", "}, }", '"', "\\", ": 5", "{", ', {"ph" '])
def test_garbage_between_events_is_passed_over(tmp_path: Path, garbage: str) -> None:
    one, two, *more = map(json.dumps, EVENTS)
    table = salvaged(tmp_path, f'{{"traceEvents": [{one}, {two} {garbage}, {", ".join(more)}]}}'.encode())
    assert names(table) == ALL
    assert damage(table)["damaged_entries"] >= 1


def test_a_list_that_ends_too_early_goes_on(tmp_path: Path) -> None:
    one, two, *more = map(json.dumps, EVENTS)
    table = salvaged(
        tmp_path, f'{{"traceEvents": [{one}, {two}], {", ".join(more)}], "distributedInfo": {{"rank": 4}}}}'.encode()
    )
    assert (names(table), table.info.rank, damage(table)["damaged_entries"]) == (ALL, 4, 1)


def test_events_behind_broken_metadata_are_read(tmp_path: Path) -> None:
    table = salvaged(tmp_path, b'{"deviceProperties": [{"id" 0}], "x": tru,' + text()[1:])
    assert (names(table), damage(table)) == (ALL, {"damaged_metadata": 1})


def test_a_value_that_is_no_json_is_left_out(tmp_path: Path) -> None:
    table = salvaged(tmp_path, text()[:-1] + b', "bad": 1e, "good": 2}')
    assert (damage(table), table.quality.which("damaged_metadata")) == ({"damaged_metadata": 1}, ["bad"])
    assert table.info.metadata["good"] == 2


def test_bytes_that_are_no_text_are_read(tmp_path: Path) -> None:
    raw = text().replace(b"cudaLaunchKernel", b"cuda\xffLaunch\x01Kernel")
    table = salvaged(tmp_path, raw)
    assert names(table)[1] == "cuda\ufffdLaunch\x01Kernel"
    assert damage(table) == {"invalid_utf8": 1, "control_characters": 1}


def test_events_without_a_number_are_kept_apart(tmp_path: Path) -> None:
    events = [*EVENTS, event("nan", float("nan")), event("inf", 1, float("inf")), event("text", "3.5", "2")]
    table = salvaged(tmp_path, text(events))
    assert (names(table), damage(table)) == ([*ALL, "text"], {"unplaced_events": 2, "text_numbers": 2})


@pytest.mark.parametrize("entry", ["0", "{}", '"x"', "[]", '{"ph":'])
def test_a_list_of_nothing_is_refused_before_it_fills_the_memory(tmp_path: Path, entry: str) -> None:
    body = (entry + ",") * 1_100_000
    with pytest.raises(TraceError, match=r"1,000,000 entries that are no events|no event"):
        salvaged(tmp_path, gzip.compress(f'{{"traceEvents": [{{"ph": "i", "ts": 1}}, {body} 0]}}'.encode(), 1))
