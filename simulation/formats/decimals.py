"""Numbers straight from their digits: microseconds to integer nanoseconds, ids to 64 bits, never a float."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.loads import Address, address, byte_at, word_at

Bytes = np.ndarray  # u8
Places = np.ndarray  # i64 offsets into the bytes

# How a number was found. 0 = as it should be; more than one may hold.
TEXT = 1  # written as a JSON string
ROUNDED = 2  # had digits below the unit; rounded half to even
MISSING = 4
NOT_A_NUMBER = 8  # null, true, NaN, Infinity, a list, words
OUT_OF_RANGE = 16
UNUSABLE = MISSING | NOT_A_NUMBER | OUT_OF_RANGE

LARGEST_NS = 4 * 10**18
"""Of a start or a duration: year 2096 as unix time; start + duration still fits in 64 bits."""

MICROSECONDS = 3
"""Digits to shift so that microseconds become nanoseconds."""

_U0, _U1, _U10 = np.uint64(0), np.uint64(1), np.uint64(10)
_ZERO = np.uint64(48)
_LAST_FULL, _LAST_DIGIT = np.uint64((2**64 - 1) // 10), (2**64 - 1) % 10
_U64_MAX = np.uint64(2**64 - 1)
_I64_MAX = np.uint64(2**63 - 1)
_LARGEST = np.uint64(LARGEST_NS)
_LARGEST_US, _US = np.uint64(LARGEST_NS // 1000), np.uint64(1000)

# Eight digits at once: neighbours are added up to pairs, pairs to fours, fours to eight.
_ZEROS, _ABOVE_NINE, _TOP_BITS = (np.uint64(byte * 0x0101010101010101) for byte in (0x30, 0x76, 0x80))
_PAIRS, _EIGHT_DIGITS = np.uint64(0x000000FF000000FF), np.uint64(10**8)
_HUNDREDS, _ONES = np.uint64(100 + (1_000_000 << 32)), np.uint64(1 + (10_000 << 32))


@njit(cache=True, nogil=True)
def _decimal(text: Address, begin: int, end: int, shift: int) -> tuple[np.uint64, bool, int]:
    """Read text[begin:end] (digits, dot, exponent, or a quoted number) times 10**shift.

    Returns (magnitude u64, negative, flags). Costs two passes over the digits: the place of the dot and the
    exponent decide which digits count.
    """
    flags = 0
    if end - begin >= 2 and byte_at(text, begin) == 34:
        flags = TEXT
        begin, end = begin + 1, end - 1
        while begin < end and byte_at(text, begin) == 32:
            begin += 1
        while begin < end and byte_at(text, end - 1) == 32:
            end -= 1
    negative = begin < end and byte_at(text, begin) == 45
    if negative:
        begin += 1
    digits_end, whole, dot, exponent = _shape(text, begin, end)
    if digits_end < 0:
        return _U0, False, NOT_A_NUMBER
    value, rounded, fits = _digits(text, begin, digits_end, dot, whole + shift + exponent)
    if not fits:
        return _U0, False, flags | OUT_OF_RANGE
    return value, negative, flags | (ROUNDED if rounded else 0)


@njit(cache=True, nogil=True)
def _shape(text: Address, begin: int, end: int) -> tuple[int, int, int, int]:
    """(end of the digits, digits before the dot, place of the dot or -1, exponent); end -1: not a number."""
    digits, whole, dot, pos = 0, -1, -1, begin
    while pos < end:
        byte = byte_at(text, pos)
        if 48 <= byte <= 57:
            digits += 1
        elif byte == 46 and dot < 0:
            dot, whole = pos, digits
        else:
            break
        pos += 1
    if digits == 0:
        return -1, 0, -1, 0
    if whole < 0:
        whole = digits
    if pos == end:
        return pos, whole, dot, 0
    digits_end = pos
    if byte_at(text, pos) | 32 != 101 or pos + 1 == end:
        return -1, 0, -1, 0
    pos += 1
    minus = byte_at(text, pos) == 45
    if (minus or byte_at(text, pos) == 43) and pos + 1 < end:
        pos += 1
    exponent = 0
    while pos < end:
        if not 48 <= byte_at(text, pos) <= 57:
            return -1, 0, -1, 0
        if exponent < 1_000_000_000:
            exponent = exponent * 10 + (byte_at(text, pos) - 48)
        pos += 1
    return digits_end, whole, dot, -exponent if minus else exponent


@njit(cache=True, nogil=True)
def _digits(text: Address, begin: int, end: int, dot: int, keep: int) -> tuple[np.uint64, bool, bool]:
    """The first `keep` digits as u64, rounded half to even by the rest: (value, rounded, fits)."""
    value, seen, half, rest = _U0, 0, 0, False
    for pos in range(begin, end):
        if pos == dot:
            continue
        digit = byte_at(text, pos) - 48
        if seen < keep:
            if value > _LAST_FULL or (value == _LAST_FULL and digit > _LAST_DIGIT):
                return _U0, False, False
            value = value * _U10 + (np.uint64(byte_at(text, pos)) - _ZERO)
        elif seen == keep:
            half = digit
        elif digit:
            rest = True
        seen += 1
    while seen < keep and value > _U0:
        if value > _LAST_FULL:
            return _U0, False, False
        value = value * _U10
        seen += 1
    if half > 5 or (half == 5 and (rest or value & _U1 == _U1)):
        if value == _U64_MAX:
            return _U0, False, False
        value += _U1
    return value, half > 0 or rest, True


@njit(cache=True, nogil=True, forceinline=True)
def _digits_from(text: Address, pos: int, end: int) -> tuple[np.uint64, int]:
    """The number that the digits from `pos` write, and the place after them; right up to 19 digits."""
    value = _U0
    while pos + 8 <= end:
        word = word_at(text, pos) - _ZEROS
        if ((word + _ABOVE_NINE) | word) & _TOP_BITS:
            break
        word = word * _U10 + (word >> np.uint64(8))
        pairs = (word & _PAIRS) * _HUNDREDS + ((word >> np.uint64(16)) & _PAIRS) * _ONES
        value = value * _EIGHT_DIGITS + (pairs >> np.uint64(32))
        pos += 8
    while pos < end and 48 <= byte_at(text, pos) <= 57:
        value = value * _U10 + (np.uint64(byte_at(text, pos)) - _ZERO)
        pos += 1
    return value, pos


@njit(cache=True, nogil=True, forceinline=True)
def time_at(text: Address, begin: int, end: int) -> tuple[np.int64, int]:
    """Microseconds at text[begin:end] as (nanoseconds i64, flags); 0 where unusable."""
    whole, pos = _digits_from(text, begin, end)
    if begin < pos <= begin + 16:  # up to 19 digits with the three that follow
        if pos == end:
            return _time_ns(text, begin, end) if whole > _LARGEST_US else (np.int64(whole * _US), 0)
        if byte_at(text, pos) == 46 and pos + 4 == end:
            part, after = _digits_from(text, pos + 1, end)
            if after == end and whole < _LARGEST_US:
                return np.int64(whole * _US + part), 0
    return _time_ns(text, begin, end)


@njit(cache=True, nogil=True)
def _time_ns(text: Address, begin: int, end: int) -> tuple[np.int64, int]:
    """Whatever the number looks like."""
    value, negative, flags = _decimal(text, begin, end, MICROSECONDS)
    if flags & UNUSABLE:
        return np.int64(0), flags
    if value > _LARGEST:
        return np.int64(0), flags & TEXT | OUT_OF_RANGE
    whole = np.int64(value)
    return (-whole if negative else whole), flags


@njit(cache=True, nogil=True)
def decimal(text: Bytes, begin: int, end: int, shift: int) -> tuple[np.uint64, bool, int]:
    """Read text[begin:end] times 10**shift: (magnitude u64, negative, flags)."""
    return _decimal(address(text), begin, end, shift)


@njit(cache=True, nogil=True)
def time_ns(text: Bytes, begin: int, end: int) -> tuple[np.int64, int]:
    """Microseconds in text[begin:end] as (nanoseconds i64, flags); 0 where unusable."""
    return time_at(address(text), begin, end)


@njit(cache=True, nogil=True)
def integers(text: Bytes, begin: Places, end: Places, absent: int) -> np.ndarray:
    """One integer per span: i64, `absent` where there is none.

    Ids from 2**63 to 2**64 - 1 keep their 64 bits (and come out negative): equal ids stay equal.
    """
    values, source = np.empty(len(begin), np.int64), address(text)
    for index in range(len(begin)):
        short, after = _digits_from(source, begin[index], end[index])
        if after == end[index] and begin[index] < after <= begin[index] + 18:
            values[index] = np.int64(short)
            continue
        value, negative, flags = _decimal(source, begin[index], end[index], 0)
        if flags & UNUSABLE or (negative and value > _I64_MAX):
            values[index] = absent
        else:
            values[index] = -np.int64(value) if negative else np.int64(value)
    return values


@njit(cache=True, nogil=True)
def triples(text: Bytes, begin: Places, end: Places, absent: int) -> np.ndarray:
    """Three integers per span `[x, y, z]`: i64[n, 3], `absent` where one is missing."""
    values, source = np.full((len(begin), 3), absent, np.int64), address(text)
    for index in range(len(begin)):
        pos, last, axis = begin[index] + 1, end[index] - 1, 0
        while pos < last and axis < 3:
            stop = pos
            while stop < last and byte_at(source, stop) != 44:
                stop += 1
            first, after = pos, stop
            while first < after and byte_at(source, first) <= 32:
                first += 1
            while first < after and byte_at(source, after - 1) <= 32:
                after -= 1
            value, negative, flags = _decimal(source, first, after, 0)
            if not flags & UNUSABLE and value <= _I64_MAX:
                values[index, axis] = -np.int64(value) if negative else np.int64(value)
            pos, axis = stop + 1, axis + 1
    return values
