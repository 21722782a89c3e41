"""Bytes by their address: single ones, words of eight, and searches through sixteen at once.

Inner loops take a text as the address of its first byte. An array would be counted in and out of every function
that is handed it, which costs more than reading it. Whoever calls a kernel holds the array meanwhile, and every
function says how far it reads. Words are little-endian, as on every machine that Numba compiles for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import njit, types
from numba.extending import intrinsic

Address = int  # of the first byte of a text
CHUNK = 16

_I1, _I8, _I32, _I64 = (ir.IntType(bits) for bits in (1, 8, 32, 64))
_VECTOR = ir.VectorType(_I8, CHUNK)


@njit(cache=True, nogil=True, forceinline=True)
def address(array: np.ndarray) -> Address:
    """Of the first entry; valid as long as the caller holds the array."""
    return np.int64(array.ctypes.data)  # type: ignore[return-value]


def _pointer(builder: Any, args: Any, type_: Any) -> Any:
    return builder.inttoptr(builder.add(args[0], args[1]), type_.as_pointer())


def _load(builder: Any, args: Any, type_: Any) -> Any:
    return builder.load(_pointer(builder, args, type_), align=1)


def _all(byte: int) -> Any:
    return ir.Constant(_VECTOR, [byte] * CHUNK)


def _one_of(builder: Any, chunk: Any, wanted: Iterable[int]) -> Any:
    """Which bytes of a chunk are among `wanted`, as a mask."""
    mask = ir.Constant(ir.VectorType(_I1, CHUNK), [0] * CHUNK)
    for byte in wanted:
        mask = builder.or_(mask, builder.icmp_unsigned("==", chunk, _all(byte)))
    return mask


def _of_numbers(builder: Any, chunk: Any) -> Any:
    digits = builder.icmp_unsigned("<", builder.sub(chunk, _all(48)), _all(10))
    return builder.or_(digits, _one_of(builder, chunk, b"+-.eE"))


def _first(builder: Any, mask: Any) -> Any:
    """Place of the first that is set, CHUNK if none is."""
    bits = builder.zext(builder.bitcast(mask, ir.IntType(CHUNK)), _I32)
    bits = builder.or_(bits, ir.Constant(_I32, 1 << CHUNK))
    return builder.zext(builder.cttz(bits, ir.Constant(_I1, 1)), _I64)


def _searching(found: Callable[[Any, Any], Any]) -> Any:
    """An intrinsic: how far from `pos` the first byte is for which `found(builder, chunk)`, CHUNK if none is."""

    def search(_typing: Any, text: Any, pos: Any) -> Any:
        def code(_: Any, builder: Any, __: Any, args: Any) -> Any:
            return _first(builder, found(builder, _load(builder, args, _VECTOR)))

        return types.int64(types.int64, types.int64), code

    return intrinsic(search)


def _loading(type_: Any, bits: Any) -> Any:
    """An intrinsic: what stands `pos` bytes after an address."""

    def load(_typing: Any, text: Any, pos: Any) -> Any:
        return type_(types.int64, types.int64), lambda _, builder, __, args: _load(builder, args, bits)

    return intrinsic(load)


def _storing(type_: Any, bits: Any) -> Any:
    """An intrinsic: write a value `pos` bytes after an address."""

    def store(_typing: Any, place: Any, pos: Any, value: Any) -> Any:
        def code(_: Any, builder: Any, __: Any, args: Any) -> Any:
            builder.store(args[2], _pointer(builder, args, bits), align=1)
            return ir.Constant(_I64, 0)

        return types.int64(types.int64, types.int64, type_), code

    return intrinsic(store)


Load = Callable[[Address, Any], Any]
Store = Callable[[Address, Any, Any], int]

byte_at: Load = _loading(types.uint8, _I8)
word_at: Load = _loading(types.uint64, _I64)
put: Store = _storing(types.int64, _I64)
put_byte: Store = _storing(types.uint8, _I8)

quote_from: Load = _searching(lambda builder, chunk: _one_of(builder, chunk, b'"\\'))
"""How far the first quote or backslash is; CHUNK if none of the CHUNK bytes from the place is one."""
text_from: Load = _searching(lambda builder, chunk: builder.not_(_one_of(builder, chunk, b" \n\r\t")))
"""How far the first byte is that is not white space; CHUNK as above."""
number_stop_from: Load = _searching(lambda builder, chunk: builder.not_(_of_numbers(builder, chunk)))
"""How far the first byte is that numbers do not hold; CHUNK as above."""


_MASKS = np.array([(1 << 8 * length) - 1 for length in range(9)], np.uint64)
"""The first bytes of a word, by how many."""


@njit(cache=True, nogil=True, forceinline=True)
def short_word(text: Address, begin: int, length: int, end: int) -> np.uint64:
    """The first eight bytes of text[begin : begin + length], 0 where it has fewer; reads nothing at or past `end`."""
    if begin + 8 <= end:
        whole: np.uint64 = word_at(text, begin) & _MASKS[min(length, 8)]
        return whole
    word = np.uint64(0)
    for place in range(min(length, 8)):
        word |= np.uint64(byte_at(text, begin + place)) << np.uint64(8 * place)
    return word


@njit(cache=True, nogil=True, forceinline=True)
def same_bytes(text: Address, one: int, other: int, length: int) -> bool:
    """Whether the `length` bytes from `one` are those from `other`."""
    place = 0
    while place + 8 <= length:
        if word_at(text, one + place) != word_at(text, other + place):
            return False
        place += 8
    while place < length and byte_at(text, one + place) == byte_at(text, other + place):
        place += 1
    return place == length


@njit(cache=True, nogil=True)
def gather(text: np.ndarray, begin: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The spans of `text` (u8) that start at `begin`, one after the other: span i is offsets[i] .. offsets[i + 1]."""
    data = np.empty(offsets[-1], np.uint8)
    source, target = address(text), address(data)
    for index in range(len(begin)):
        copy(source + begin[index], target + offsets[index], offsets[index + 1] - offsets[index])
    return data


@njit(cache=True, nogil=True, forceinline=True)
def copy(source: Address, target: Address, length: int) -> None:
    place = 0
    while place + 8 <= length:
        put(target, place, np.int64(word_at(source, place)))
        place += 8
    while place < length:
        put_byte(target, place, byte_at(source, place))
        place += 1
