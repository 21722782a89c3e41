"""Files that are no trace, or not a whole one: a clear refusal each, never a crash."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulation.errors import DamagedTrace, EmptyTrace, TraceError, UnknownFormat
from simulation.formats import Limits, read_trace
from tests.simulation.traces import event, kernel, launch, step, write

WHOLE = json.dumps({"traceEvents": [step(1, 0, 9), launch(1, 1, 3), kernel(2, 2, 3), event("a", 1.5, 2)]}).encode()


def refusal(tmp_path: Path, content: bytes, limits: Limits | None = None) -> TraceError:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(TraceError) as caught:
        read_trace(path, limits=limits or Limits())
    assert caught.value.file == "file.json"
    return caught.value


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        (b"", DamagedTrace, "empty"),
        (b" \n ", DamagedTrace, "nothing but white space"),
        (gzip.compress(b""), DamagedTrace, "nothing but white space"),
        (b"hello, world", UnknownFormat, "not JSON: it begins with 'hello, world'"),
        (b"<!doctype html>", UnknownFormat, "web page"),
        (b"\xff\xfe{\0", UnknownFormat, "UTF-16"),
        (b"PK\x03\x04rest", UnknownFormat, "zip"),
        (b"\x28\xb5\x2f\xfdrest", DamagedTrace, "the zstd stream ends early"),
        (b"SQLite format 3\0", UnknownFormat, "SQLite"),
        (gzip.compress(gzip.compress(WHOLE)), UnknownFormat, "gzip in gzip or zstd"),
        (b"x" * 257 + b"ustar", UnknownFormat, "tar archive"),
        (b"[]", UnknownFormat, "JSON list"),
        (b"{}", UnknownFormat, "without keys"),
        (b'{"schema": "1.1.1", "pid": 1, "nodes": []}', EmptyTrace, "no events"),
        (b'{"name": 1, "version": 2}', UnknownFormat, "keys name, version"),
        (b'{"traceEvents": []}', EmptyTrace, "no events"),
        (b'{"traceEvents": [{"ph": "M", "name": "process_name"}]}', EmptyTrace, "no event with a time"),
        (b'{"traceEvents": {}}', DamagedTrace, "not a list"),
        (b'{"traceEvents": [], "baseTimeNanoseconds": 1e300}', DamagedTrace, "baseTimeNanoseconds"),
        (b'{"traceEvents": [], "baseTimeNanoseconds": 99999999999999999999}', DamagedTrace, "baseTimeNanoseconds"),
        (b'{"traceEvents": [{"ph": "i"}, {"ph" "i"}]}', DamagedTrace, "byte 36: holds no event with a time before"),
        (b'{"traceEvents": [{"ph": "X", "na', DamagedTrace, "byte 17: holds no events before the JSON"),
        (b'{"traceEvents": [{"args": ' + b"[" * 100_000, DamagedTrace, "nested deeper"),
        (b'{"a": ' + b"[" * 100_000, DamagedTrace, "nested deeper"),
        (b'{"a": 1', DamagedTrace, "ends in the middle"),
        (b'{"a": b}', DamagedTrace, "not valid JSON at 'b}'"),
        (b'{"traceEvents": ' + b" " * 9, DamagedTrace, "ends in the middle"),
    ],
)  # fmt: skip
def test_it_says_what_is_wrong(tmp_path: Path, content: bytes, kind: type[TraceError], said: str) -> None:
    error = refusal(tmp_path, content)
    assert type(error) is kind
    assert said in str(error)


def test_it_refuses_what_unpacks_too_far(tmp_path: Path) -> None:
    packed = gzip.compress(b" " * 1_000_000)
    assert "limit of 1,000 bytes" in refusal(tmp_path, packed, Limits(size_bytes=1000)).what
    assert "20 times its size" in refusal(tmp_path, packed, Limits(ratio=20, ratio_from_bytes=1000)).what


def test_it_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="No such file"):
        read_trace(tmp_path / "absent.json")


def test_it_reads_past_a_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE)
    assert len(read_trace(path)) == 4


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.data())
def test_it_reads_or_refuses_whatever_happened_to_a_file(tmp_path: Path, data: st.DataObject) -> None:
    text = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.sampled_from([b"", b'"', b"{", b"]", b"null", b"1e999", b"-", b"\xff", b"\\", b"0", b"9" * 30, b"[[["])
        )
    path = tmp_path / "file.json"
    path.write_bytes(bytes(text))
    try:
        table = read_trace(path)
    except TraceError:
        return
    assert len(table) <= table.info.events


def test_it_refuses_a_file_that_says_too_much(tmp_path: Path) -> None:
    many = {str(key): 0 for key in range(10_001)}
    assert write(tmp_path / "file.json", [event()], **many)
    with pytest.raises(UnknownFormat):
        read_trace(tmp_path / "file.json")
