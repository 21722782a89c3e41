"""JSON by its grammar, over the bytes at an address: where a value ends, which key comes next.

Every function takes `end` and never reads at or past it, and answers (status, place): on BROKEN or DEEP the place
is the byte that is wrong. Lenient where that is cheap: control characters and bytes that are not UTF-8 in strings,
NaN and Infinity, a comma too many before a closing bracket.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.loads import CHUNK, Address, byte_at, number_stop_from, quote_from, text_from

# Statuses.
DONE = 0  # value, object or list is whole; the place is after it
FULL = 1  # the arrays are full; go on from the place, which is after a whole event
ENDS = 2  # the text ends too early; the place is its end
BROKEN = 3  # not JSON
DEEP = 4  # nested deeper than the stack

MAX_DEPTH = 512

QUOTE, BACKSLASH, COMMA, COLON = 34, 92, 44, 58
OPEN_LIST, CLOSE_LIST, OPEN, CLOSE = 91, 93, 123, 125

_WORDS = (b"true", b"false", b"null", b"NaN", b"Infinity")
_LETTERS = np.frombuffer(b"".join(_WORDS), np.uint8)
_OFFSETS = np.cumsum([0, *(len(word) for word in _WORDS)])


@njit(cache=True, nogil=True, forceinline=True)
def skip_space(text: Address, pos: int, end: int) -> int:
    if pos < end and byte_at(text, pos) > 32:
        return pos
    while pos + CHUNK <= end:
        step = text_from(text, pos)
        pos += step
        if step < CHUNK:
            return pos
    while pos < end and byte_at(text, pos) in (32, 10, 13, 9):
        pos += 1
    return pos


@njit(cache=True, nogil=True, forceinline=True)
def string_end(text: Address, pos: int, end: int) -> int:
    """The place after the closing quote of the string that opens at `pos`; -1 if it is never closed."""
    pos += 1
    while pos + CHUNK <= end:
        step = quote_from(text, pos)
        pos += step
        if step < CHUNK:
            if byte_at(text, pos) == QUOTE:
                return pos + 1
            pos += 2
    while pos < end:
        byte = byte_at(text, pos)
        if byte == QUOTE:
            return pos + 1
        pos += 2 if byte == BACKSLASH else 1
    return -1


@njit(cache=True, nogil=True, forceinline=True)
def scalar_end(text: Address, pos: int, end: int) -> tuple[int, int]:
    """Of a number or a literal."""
    begin = pos
    if byte_at(text, pos) == 45:
        pos += 1
    if pos < end and 48 <= byte_at(text, pos) <= 57:
        return DONE, _number_end(text, pos, end)
    return _literal_end(text, pos, end, begin)


@njit(cache=True, nogil=True, forceinline=True)
def _number_end(text: Address, pos: int, end: int) -> int:
    while pos + CHUNK <= end:
        step = number_stop_from(text, pos)
        pos += step
        if step < CHUNK:
            return pos
    while pos < end and (48 <= byte_at(text, pos) <= 57 or byte_at(text, pos) in (43, 45, 46, 69, 101)):
        pos += 1
    return pos


@njit(cache=True, nogil=True)
def _literal_end(text: Address, pos: int, end: int, begin: int) -> tuple[int, int]:
    for word in range(len(_OFFSETS) - 1):
        offset, length = _OFFSETS[word], _OFFSETS[word + 1] - _OFFSETS[word]
        same = 0
        while same < length and pos + same < end and byte_at(text, pos + same) == _LETTERS[offset + same]:
            same += 1
        if same == length:
            return DONE, pos + length
        if pos + same == end:
            return ENDS, end
    return BROKEN, begin


@njit(cache=True, nogil=True)
def value_end(text: Address, pos: int, end: int, stack: np.ndarray) -> tuple[int, int]:
    """Of any value that starts at or after `pos`. `stack` (u8[MAX_DEPTH]) is scratch: the brackets open."""
    depth = 0
    while True:
        pos = skip_space(text, pos, end)
        if pos >= end:
            return ENDS, end
        byte = byte_at(text, pos)
        opened = byte == OPEN or byte == OPEN_LIST
        if opened:
            if depth == len(stack):
                return DEEP, pos
            stack[depth] = byte + 2  # its closing bracket
            depth += 1
            pos = skip_space(text, pos + 1, end)
        elif byte == QUOTE:
            pos = string_end(text, pos, end)
            if pos < 0:
                return ENDS, end
        else:
            status, pos = scalar_end(text, pos, end)
            if status != DONE:
                return status, pos
        # After a value (or an opening bracket): close what closes, then stand before the next value.
        while depth:
            pos = skip_space(text, pos, end)
            if pos >= end:
                return ENDS, end
            if byte_at(text, pos) == stack[depth - 1]:
                depth, pos, opened = depth - 1, pos + 1, False
                continue
            if not opened:
                if byte_at(text, pos) != COMMA:
                    return BROKEN, pos
                pos = skip_space(text, pos + 1, end)
                if pos >= end:
                    return ENDS, end
                if byte_at(text, pos) == stack[depth - 1]:
                    continue
            if stack[depth - 1] == CLOSE:
                status, _, _, pos = key_at(text, pos, end)
                if status != DONE:
                    return status, pos
            break
        if depth == 0:
            return DONE, pos


@njit(cache=True, nogil=True, forceinline=True)
def any_end(text: Address, pos: int, end: int, stack: np.ndarray) -> tuple[int, int]:
    """As value_end, of a value that starts at `pos`, without a call for the strings and numbers that most are."""
    byte = byte_at(text, pos)
    if byte == QUOTE:
        after = string_end(text, pos, end)
        return (DONE, after) if after >= 0 else (ENDS, end)
    if byte == OPEN or byte == OPEN_LIST:
        return value_end(text, pos, end, stack)
    return scalar_end(text, pos, end)


@njit(cache=True, nogil=True, forceinline=True)
def key_at(text: Address, pos: int, end: int) -> tuple[int, int, int, int]:
    """A key and its colon: (status, begin and end of the key within its quotes, place of the value)."""
    if byte_at(text, pos) != QUOTE:
        return BROKEN, 0, 0, pos
    begin, after = pos + 1, string_end(text, pos, end)
    if after < 0:
        return ENDS, 0, 0, end
    pos = skip_space(text, after, end)
    if pos >= end:
        return ENDS, 0, 0, end
    if byte_at(text, pos) != COLON:
        return BROKEN, 0, 0, pos
    pos = skip_space(text, pos + 1, end)
    if pos >= end:
        return ENDS, 0, 0, end
    return DONE, begin, after - 1, pos


@njit(cache=True, nogil=True, forceinline=True)
def next_member(text: Address, pos: int, end: int, first: bool) -> tuple[int, int, int, int]:
    """The next key of an object, `pos` being after its brace or its last value.

    (status, begin and end of the key, place of the value); begin 0 with DONE: the object closed, the place is
    after its brace (a key begins at 2 or later).
    """
    pos = skip_space(text, pos, end)
    if pos >= end:
        return ENDS, 0, 0, end
    if not first and byte_at(text, pos) == COMMA:
        pos = skip_space(text, pos + 1, end)
        if pos >= end:
            return ENDS, 0, 0, end
    elif not first and byte_at(text, pos) != CLOSE:
        return BROKEN, 0, 0, pos
    if byte_at(text, pos) == CLOSE:
        return DONE, 0, 0, pos + 1
    return key_at(text, pos, end)
