"""The scanner against the json module."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from simulation.formats import scan
from simulation.formats.words import Words, decode, intern

WANTED = ["id", "grid", "stream", "bytes per block"]
KEYS = scan.Keys.of(sorted(WANTED, key=len))
COLUMNS = {
    "name": scan.NAME,
    "cat": scan.CATEGORY,
    "pid": scan.PID,
    "tid": scan.TID,
    "id": scan.ID,
    "args": scan.ARGS,
    "scope": scan.SCOPE,
}

plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), plain)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3), max_leaves=8
)
args = st.dictionaries(st.sampled_from([*WANTED, "other", "", "grix"]), values, max_size=4)
events = st.dictionaries(
    st.sampled_from(["ph", "ts", "dur", *COLUMNS, "bp", "nam", "phx"]), values, max_size=6
).flatmap(lambda event: st.one_of(st.just(event), args.map(lambda given: {**event, "args": given})))
entries = st.lists(st.one_of(events, events, events, values), max_size=6)
layouts = st.sampled_from([{"indent": 2}, {"separators": (",", ":")}, {"ensure_ascii": False}, {"indent": "\t"}])


class Scanned:
    """The result of scanning a list, call by call where the arrays are small."""

    def __init__(self, text: bytes, begin: int = 1, rows: int = 100, details: int = 100) -> None:
        self.text = np.frombuffer(text, np.uint8)
        stack = np.empty(scan.MAX_DEPTH, np.uint8)
        self.rows: list[list[int]] = []
        self.details: list[tuple[int, str, Any]] = []
        pos, state, self.status = begin, scan.FIRST, scan.FULL
        while self.status == scan.FULL:
            found = np.empty((scan.EVENT_COLUMNS, rows), np.int64), np.empty((scan.DETAIL_COLUMNS, details), np.int64)
            self.status, place, n, m, pos, state = scan.scan_events(
                self.text, pos, len(self.text), state, *found, KEYS, stack
            )
            if self.status == scan.FULL and n == 0:
                details *= 2
            for event, key, first, last in found[1][:, :m].T.tolist():
                name = sorted(WANTED, key=len)[key]
                self.details.append((event + len(self.rows), name, json.loads(text[first:last])))
            self.rows += found[0][:, :n].T.tolist()
        self.place, self.after, self.state = place, pos, state

    @property
    def damaged(self) -> list[int]:
        """The bytes that are broken."""
        return [row[scan.TS] for row in self.rows if row[scan.PHASE] == scan.DAMAGED]

    def value(self, event: int, column: int) -> Any:
        """What stands in a span, None where there is none."""
        begin, end = self.rows[event][column : column + 2]
        return json.loads(self.text[begin:end].tobytes()) if end > begin else None


def same(found: Any, expected: Any) -> bool:
    """Equality by which NaN equals itself."""
    return repr(found) == repr(expected)


@given(entries, layouts, st.integers(1, 4), st.integers(1, 4))
def test_it_finds_what_json_finds(listed: list[Any], layout: dict[str, Any], rows: int, details: int) -> None:
    text = json.dumps(listed, **layout).encode()
    found = Scanned(text, rows=rows, details=details)
    assert (found.status, found.place, len(found.rows)) == (scan.DONE, len(text), len(listed))
    wanted = []
    for index, event in enumerate(listed):
        if not isinstance(event, dict):
            assert found.rows[index][scan.PHASE] == scan.NOT_AN_OBJECT
            continue
        for key, column in COLUMNS.items():
            assert same(found.value(index, column), event.get(key))
        if isinstance(event.get("args"), dict):
            wanted += [(index, key, value) for key, value in event["args"].items() if key in WANTED]
    assert same(found.details, wanted)


@given(entries, layouts, st.data())
def test_it_says_where_a_cut_text_ends(listed: list[Any], layout: dict[str, Any], data: st.DataObject) -> None:
    text = json.dumps(listed, **layout).encode()
    cut = data.draw(st.integers(1, len(text) - 1))
    found = Scanned(text[:cut])
    assert (found.status, found.place, found.damaged) == (scan.ENDS, cut, [])
    whole = json.loads(text[: found.after] + b"]")
    assert len(found.rows) == len(whole)
    assert same(whole, listed[: len(whole)])


@given(st.binary(max_size=60))
def test_it_survives_any_bytes(noise: bytes) -> None:
    found = Scanned(b'[{"args": {"id": [' + noise + b" ", begin=1)
    assert found.status in (scan.DONE, scan.ENDS, scan.DEEP)
    assert 0 <= found.place <= len(found.text)


@given(entries, layouts, st.data())
def test_it_never_reads_on_where_json_stops(listed: list[Any], layout: dict[str, Any], data: st.DataObject) -> None:
    """A flipped byte that json refuses is refused at or after that byte, or was inside what we read leniently."""
    text = bytearray(json.dumps(listed, **layout).encode())
    at = data.draw(st.integers(1, len(text) - 1))
    text[at] = data.draw(st.sampled_from(b'{}[],:"x'))
    try:
        parsed = json.loads(text, strict=False)
    except ValueError:
        return
    assume(isinstance(parsed, list))
    found = Scanned(bytes(text))
    assert (found.status, found.damaged) == (scan.DONE, [])


@pytest.mark.parametrize(
    ("text", "place"),
    [(b"[1 2]", 3), (b'[{"a" 1}]', 6), (b'[{"a": 1 "b": 2}]', 9), (b"[{1: 2}]", 2), (b"[[1, 2}]", 6), (b"[nul]", 1)],
)
def test_it_names_the_broken_byte(text: bytes, place: int) -> None:
    found = Scanned(text)
    assert (found.status, found.damaged, found.state) == (scan.ENDS, [place], scan.LOST)


def test_it_refuses_to_nest_without_end() -> None:
    deep = b"[" + b"[" * scan.MAX_DEPTH + b"]" * scan.MAX_DEPTH + b"]"
    assert Scanned(deep).status == scan.DONE
    deeper = b"[" + b'{"a":' * (scan.MAX_DEPTH + 2)
    assert Scanned(deeper).status == scan.DEEP


def test_it_takes_the_last_of_two_equal_keys_as_json_does() -> None:
    found = Scanned(b'[{"name": "a", "args": {"id": 1}, "name": "b", "args": {"id": 2}}]')
    assert found.value(0, scan.NAME) == "b"
    assert found.details == [(0, "id", 2)]


@pytest.mark.parametrize(("bp", "encloses"), [('"e"', 1), ('"s"', 0), ("5", 0), ('"ee"', 0), ("null", 0)])
def test_it_notes_to_which_slice_a_flow_binds(bp: str, encloses: int) -> None:
    found = Scanned(f'[{{"bp": {bp}, "ph": "f"}}]'.encode())
    assert [row[scan.ENCLOSES] for row in found.rows] == [encloses]


def test_it_reads_both_kinds_of_ids() -> None:
    found = Scanned(b'[{"id2": {"local": "0x1"}}, {"id": 5}]')
    assert [found.value(event, scan.ID) for event in (0, 1)] == [{"local": "0x1"}, 5]


def test_it_forgives_a_comma_before_a_closing_bracket() -> None:
    assert Scanned(b'[{"name": "a",},]').status == scan.DONE


@given(st.lists(st.one_of(st.dictionaries(plain, values, max_size=3), scalars), max_size=4))
def test_it_lists_the_members_of_objects(objects: list[Any]) -> None:
    spans, text = [], b" "
    for value in objects:
        raw = json.dumps(value).encode()
        spans.append((len(text), len(text) + len(raw)))
        text += raw
    begin, end = (np.array([span[side] for span in spans], np.int64) for side in (0, 1))
    lines = scan.members(np.frombuffer(text, np.uint8), begin, end, np.empty(scan.MAX_DEPTH, np.uint8))
    found = [
        (at, json.loads(text[first - 1 : last + 1]), json.loads(text[value:stop]))
        for at, first, last, value, stop in lines.tolist()
    ]
    expected = [
        (at, key, value)
        for at, object_ in enumerate(objects)
        if isinstance(object_, dict)
        for key, value in object_.items()
    ]
    assert same(found, expected)


@given(st.lists(plain, max_size=20))
def test_it_gives_equal_words_one_code(given_: list[str]) -> None:
    text = np.frombuffer("".join(given_).encode() or b" ", np.uint8)
    lengths = np.array([len(word.encode()) for word in given_], np.int64)
    end = np.cumsum(lengths)
    codes, first = intern(text, end - lengths, end)
    distinct = list(dict.fromkeys(given_))
    assert [given_[index] for index in first] == distinct
    assert codes.tolist() == [distinct.index(word) for word in given_]


def test_it_keeps_codes_over_blocks_and_spellings() -> None:
    words = Words()
    raw = b'"a""b""\\u0061"'
    text, begin, end = np.frombuffer(raw, np.uint8), np.array([0, 3, 6]), np.array([3, 6, 14])
    assert words.codes(text, begin, end).tolist() == [0, 1, 0]
    assert words.codes(text, begin[::-1].copy(), end[::-1].copy()).tolist() == [0, 1, 0]
    assert words.codes(text, begin[:0], end[:0]).tolist() == []
    assert words.words == ["a", "b"]


@pytest.mark.parametrize(
    ("raw", "word", "replaced"),
    [
        (b'"a\\n\\u00e9"', "a\né", False),
        (b'"\xff"', "\ufffd", True),
        (b'"\\ud800x"', "\ufffdx", True),
        (b'"\\q"', "\\q", False),
        (b'"\\ud83d\\ude00"', "\U0001f600", False),
        (b"12", "12", False),
        (b"", "", False),
    ],
)
def test_it_decodes_words(raw: bytes, word: str, replaced: bool) -> None:
    assert decode(raw) == (word, replaced)
