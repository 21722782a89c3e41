"""One pass over the bytes of a JSON trace: where each event's values stand, without an object per event.

A value is a span (begin, end) of the text, quotes included; nothing is decoded here but times. What is JSON, and
what is forgiven, is in grammar.py; here are its functions for whole arrays, and the scan of an event list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from simulation.formats import grammar
from simulation.formats.decimals import MISSING, Bytes, time_at
from simulation.formats.grammar import BROKEN, CLOSE_LIST, COMMA, DEEP, DONE, ENDS, FULL, MAX_DEPTH, OPEN, QUOTE
from simulation.loads import Address, address, byte_at, put, short_word, word_at

__all__ = ["BROKEN", "DEEP", "DONE", "ENDS", "FULL", "MAX_DEPTH", "Keys", "members", "scan_events"]

# Columns of the `events` array, i64[EVENT_COLUMNS, n]. A span takes two columns; begin == end: absent.
PHASE, TS, TS_FLAGS, DUR, DUR_FLAGS = 0, 1, 2, 3, 4
NAME, CATEGORY, PID, TID, ID, ARGS = 5, 7, 9, 11, 13, 15  # ID also takes `id2`
SCOPE, ENCLOSES = 17, 19  # ENCLOSES: 1 where `bp` is "e"
EVENT_COLUMNS = 20

# Columns of the `details` array, i64[DETAIL_COLUMNS, n]: one entry per wanted key of an event's args.
DETAIL_EVENT, DETAIL_KEY, DETAIL_BEGIN, DETAIL_END = 0, 1, 2, 3
DETAIL_COLUMNS = 4

NOT_AN_OBJECT = -1
"""In PHASE, of an entry that is no object; 0 is a missing phase."""
DAMAGED = -2
"""In PHASE, where the list is no JSON, up to the next entry that can be read; TS is then the broken byte."""

# Where a scan goes on.
NEXT, FIRST, LOST = 0, 1, 2  # after an entry; after the bracket; in the middle of what is no JSON


class Keys(NamedTuple):
    """Wanted keys of args: their bytes, and where those of each length stand. A key's id is its place here."""

    letters: np.ndarray  # u8, 8 to spare
    offsets: np.ndarray  # i64[n + 1] into letters
    heads: np.ndarray  # u64[n]: the first eight bytes, 0 where there are fewer
    of_length: np.ndarray  # i64[longest + 2]: keys of length l are of_length[l] .. of_length[l + 1]

    @classmethod
    def of(cls, keys: Sequence[str]) -> Keys:
        """`keys` must be sorted by length."""
        words = [key.encode() for key in keys]
        lengths = [len(word) for word in words]
        assert lengths == sorted(lengths)
        return cls(
            np.frombuffer(b"".join(words) + bytes(8), np.uint8),
            np.cumsum([0, *lengths], dtype=np.int64),
            np.array([_number(word) for word in words], np.uint64),
            np.searchsorted(lengths, np.arange(max(lengths) + 2)).astype(np.int64),
        )


def _number(word: bytes) -> int:
    """Up to eight bytes as word_at reads them."""
    return int.from_bytes(word[:8], "little")


_LENGTH_BITS = np.uint64(56)
_PH, _TS, _DUR, _NAME, _CAT, _PID, _TID, _ID, _ID2, _ARGS, _SCOPE, _BP = (
    np.uint64(_number(key) | len(key) << 56)
    for key in (b"ph", b"ts", b"dur", b"name", b"cat", b"pid", b"tid", b"id", b"id2", b"args", b"scope", b"bp")
)


@njit(cache=True, nogil=True)
def skip_space(text: Bytes, pos: int, end: int) -> int:
    return grammar.skip_space(address(text), pos, end)


@njit(cache=True, nogil=True)
def value_end(text: Bytes, pos: int, end: int, stack: np.ndarray) -> tuple[int, int]:
    return grammar.value_end(address(text), pos, end, stack)


@njit(cache=True, nogil=True)
def next_member(text: Bytes, pos: int, end: int, first: bool) -> tuple[int, int, int, int]:
    return grammar.next_member(address(text), pos, end, first)


@njit(cache=True, nogil=True, forceinline=True)
def _event_column(text: Address, begin: int, length: int, end: int) -> int:
    """Column of an event's key, -1 if it is not one of ours."""
    if length > 5:
        return -1
    key = short_word(text, begin, length, end) | np.uint64(length) << _LENGTH_BITS
    if key == _PH:
        return PHASE
    if key == _TS:
        return TS
    if key == _DUR:
        return DUR
    if key == _NAME:
        return NAME
    if key == _CAT:
        return CATEGORY
    if key == _PID:
        return PID
    if key == _TID:
        return TID
    if key == _ARGS:
        return ARGS
    if key == _ID or key == _ID2:
        return ID
    if key == _BP:
        return ENCLOSES
    return SCOPE if key == _SCOPE else -1


@njit(cache=True, nogil=True, forceinline=True)
def _entry(table: Address, index: int) -> int:
    """Of an i64 array."""
    return np.int64(word_at(table, 8 * index))  # type: ignore[return-value]


@njit(cache=True, nogil=True, forceinline=True)
def _wanted(
    text: Address,
    begin: int,
    length: int,
    end: int,
    letters: Address,
    offsets: Address,
    heads: Address,
    first: int,
    last: int,
) -> int:
    """Id of a key of args, one of `first` .. `last`, which have its length; -1 if it is not wanted."""
    head = short_word(text, begin, length, end)
    for key in range(first, last):
        if word_at(heads, 8 * key) != head:
            continue
        offset, same = _entry(offsets, key), 8
        while same < length and byte_at(text, begin + same) == byte_at(letters, offset + same):
            same += 1
        if same >= length:
            return key
    return -1


@njit(cache=True, nogil=True)
def _scan_args(
    text: Address, pos: int, end: int, event: int, details: np.ndarray, found: int, keys: Keys, stack: np.ndarray
) -> tuple[int, int, int]:
    """Note the wanted keys of the args object that opens at `pos`: (status, place after it, details found)."""
    letters, offsets, heads = address(keys.letters), address(keys.offsets), address(keys.heads)
    of_length, longest = address(keys.of_length), len(keys.of_length) - 2
    target, room = address(details), details.shape[1]
    first, pos = True, pos + 1
    while True:
        status, key_begin, key_end, pos = grammar.next_member(text, pos, end, first)
        if status != DONE or key_begin == 0:
            return status, pos, found
        first, begin, length = False, pos, key_end - key_begin
        status, pos = grammar.any_end(text, pos, end, stack)
        if status != DONE:
            return status, pos, found
        if length > longest:
            continue
        low, high = _entry(of_length, length), _entry(of_length, length + 1)
        if low == high:
            continue
        key = _wanted(text, key_begin, length, end, letters, offsets, heads, low, high)
        if key >= 0:
            if found == room:
                return FULL, pos, found
            put(target, 8 * (found + DETAIL_EVENT * room), event)
            put(target, 8 * (found + DETAIL_KEY * room), key)
            put(target, 8 * (found + DETAIL_BEGIN * room), begin)
            put(target, 8 * (found + DETAIL_END * room), pos)
            found += 1


@njit(cache=True, nogil=True, forceinline=True)
def _set_value(text: Address, column: int, begin: int, end: int, row: Address, stride: int) -> None:
    """Put an event's value into its column: a time, the phase's letter, or the span."""
    one = end - begin == 3 and byte_at(text, begin) == QUOTE
    if column == TS or column == DUR:
        value, flags = time_at(text, begin, end)
        put(row, stride * column, value)
        put(row, stride * (column + 1), flags)
    elif column == PHASE:
        put(row, stride * PHASE, np.int64(byte_at(text, begin + 1)) if one else 0)
    elif column == ENCLOSES:
        put(row, stride * ENCLOSES, np.int64(one and byte_at(text, begin + 1) == 101))
    else:
        put(row, stride * column, begin)
        put(row, stride * (column + 1), end)


@njit(cache=True, nogil=True, forceinline=True)
def _clear(row: Address, stride: int, phase: int) -> None:
    for column in range(EVENT_COLUMNS):
        put(row, stride * column, 0)
    put(row, stride * PHASE, phase)
    put(row, stride * TS_FLAGS, MISSING)
    put(row, stride * DUR_FLAGS, MISSING)


@njit(cache=True, nogil=True)
def _scan_event(
    text: Address, pos: int, end: int, event: int, events: np.ndarray, details: np.ndarray, found: int, keys: Keys,
    stack: np.ndarray,
) -> tuple[int, int, int]:  # fmt: skip
    """Fill column `event` of `events` from the entry at `pos`: (status, place after it, details found)."""
    row, stride = address(events) + 8 * event, 8 * events.shape[1]
    _clear(row, stride, 0)
    if byte_at(text, pos) != OPEN:
        put(row, stride * PHASE, NOT_AN_OBJECT)
        status, pos = grammar.any_end(text, pos, end, stack)
        return status, pos, found
    first, pos, before = True, pos + 1, found
    while True:
        status, key_begin, key_end, pos = grammar.next_member(text, pos, end, first)
        if status != DONE or key_begin == 0:
            return status, pos, found
        first, begin = False, pos
        column = _event_column(text, key_begin, key_end - key_begin, end)
        if column == ARGS and byte_at(text, pos) == OPEN:
            status, pos, found = _scan_args(text, pos, end, event, details, before, keys, stack)
        else:
            status, pos = grammar.any_end(text, pos, end, stack)
        if status != DONE:
            return status, pos, found
        if column >= 0:
            _set_value(text, column, begin, pos, row, stride)


@njit(cache=True, nogil=True)
def _entry_from(text: Address, pos: int, end: int) -> tuple[int, bool]:
    """(place, found): the next brace with an event's key behind it and no colon before it, past damage.

    Not found, the place is the text's end, or a brace of which the text does not say enough.
    """
    before: Any = np.uint8(0)
    while pos < end:
        byte = byte_at(text, pos)
        if byte == OPEN and before != grammar.COLON:
            key = grammar.skip_space(text, pos + 1, end)
            if key + 9 > end:
                return pos, False
            last = key + 1
            while last < key + 7 and byte_at(text, last) != QUOTE:
                last += 1
            if byte_at(text, key) == QUOTE and _event_column(text, key + 1, last - key - 1, end) >= 0:
                return pos, True
        if byte > 32:
            before = byte
        pos += 1
    return end, False


@njit(cache=True, nogil=True, forceinline=True)
def _next_entry(text: Address, pos: int, end: int, first: bool) -> tuple[int, int]:
    """The status and place of the next entry; FULL: the list closed, the place is after its bracket."""
    pos = grammar.skip_space(text, pos, end)
    if pos < end and not first:
        if byte_at(text, pos) == COMMA:
            pos = grammar.skip_space(text, pos + 1, end)
        elif byte_at(text, pos) != CLOSE_LIST:
            return BROKEN, pos
    if pos >= end:
        return ENDS, end
    if byte_at(text, pos) == CLOSE_LIST:
        return FULL, pos + 1
    return DONE, pos


@njit(cache=True, nogil=True)
def scan_events(
    text: Bytes, pos: int, end: int, state: int, events: np.ndarray, details: np.ndarray, keys: Keys, stack: np.ndarray
) -> tuple[int, int, int, int, int, int]:
    """Fill `events` and `details` from a list; `state` says where in it `pos` is: FIRST, NEXT or LOST.

    Returns (status, place, events, details, place after the last event, state there). Call again from the last two:
    with FULL at once (0 events then mean that one event has more details than fit), with ENDS when there is more
    text. DETAIL_EVENT counts from 0 within the call. What is broken is DAMAGED and does not end the list.
    """
    source, target, stride = address(text), address(events), 8 * events.shape[1]
    n, found = 0, 0
    while n < events.shape[1]:
        if state == LOST:
            begin, known = _entry_from(source, pos, end)
            status, pos = (DONE, begin) if known else (ENDS, begin)
        else:
            status, begin = _next_entry(source, pos, end, state == FIRST)
            if status == FULL:
                return DONE, begin, n, found, begin, NEXT
        after, more = begin, found
        if status == DONE:
            status, after, more = _scan_event(source, begin, end, n, events, details, found, keys, stack)
        if status == BROKEN:
            _clear(target + 8 * n, stride, DAMAGED)
            put(target + 8 * n, stride * TS, after)
            n, pos, state = n + 1, after, LOST
        elif status != DONE:
            return status, end if status == ENDS else after, n, found, pos, state
        else:
            n, found, pos, state = n + 1, more, after, NEXT
    return FULL, pos, n, found, pos, state


@njit(cache=True, nogil=True)
def members(text: Bytes, begin: np.ndarray, end: np.ndarray, stack: np.ndarray) -> np.ndarray:
    """The keys and values of many objects: i64[n, 5] lines (object, key begin, end, value begin, end).

    Spans that are no object give none. Keys are without their quotes.
    """
    lines = np.empty((max(16, len(begin)), 5), np.int64)
    source, n = address(text), 0
    for index in range(len(begin)):
        pos, stop, first = begin[index], end[index], True
        if pos >= stop or byte_at(source, pos) != OPEN:
            continue
        pos += 1
        while True:
            status, key_begin, key_end, pos = grammar.next_member(source, pos, stop, first)
            if status != DONE or key_begin == 0:
                break
            first, value = False, pos
            status, pos = grammar.value_end(source, pos, stop, stack)
            if status != DONE:
                break
            if n == len(lines):
                longer = np.empty((2 * n, 5), np.int64)
                longer[:n] = lines
                lines = longer
            lines[n, 0], lines[n, 1], lines[n, 2], lines[n, 3], lines[n, 4] = index, key_begin, key_end, value, pos
            n += 1
    return lines[:n]
