"""Text of many spans as codes into a list of distinct words; each word is decoded once."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
from numba import njit

from simulation.formats.decimals import Bytes, Places
from simulation.loads import Address, address, same_bytes, short_word

_PRIME = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


@njit(cache=True, nogil=True)
def intern(text: Bytes, begin: Places, end: Places) -> tuple[np.ndarray, np.ndarray]:
    """Codes of equal spans, in order of first occurrence: (code of each span i32, first span of each code i64)."""
    source, limit = address(text), len(text)
    slots = np.full(_FEW, -1, np.int32)
    digests, first = np.empty(_FEW, np.uint64), np.empty(_FEW, np.int64)
    codes = np.empty(len(begin), np.int32)
    distinct = 0
    for index in range(len(begin)):
        start, length = begin[index], end[index] - begin[index]
        if (
            index
            and length == end[index - 1] - begin[index - 1]
            and same_bytes(source, start, begin[index - 1], length)
        ):
            codes[index] = codes[index - 1]
            continue
        digest = _digest(source, start, length, limit)
        slot = np.int64(digest) & (len(slots) - 1)
        while slots[slot] >= 0:
            code = slots[slot]
            if digests[code] == digest:
                other = first[code]
                if end[other] - begin[other] == length and same_bytes(source, start, begin[other], length):
                    break
            slot = (slot + 1) & (len(slots) - 1)
        if slots[slot] < 0:
            slots[slot], digests[distinct], first[distinct] = distinct, digest, index
            distinct += 1
        codes[index] = slots[slot]
        if 2 * distinct > len(slots):
            slots, digests, first = _grown(digests, first, distinct, 4 * len(slots))
    return codes, first[:distinct].copy()


_FEW = 1024


@njit(cache=True, nogil=True, forceinline=True)
def _digest(text: Address, begin: int, length: int, end: int) -> np.uint64:
    digest, place = np.uint64(length), 0
    while place < length:
        digest = (digest ^ short_word(text, begin + place, length - place, end)) * _PRIME
        digest ^= digest >> _HALF
        place += 8
    return digest


@njit(cache=True, nogil=True)
def _grown(
    digests: np.ndarray, first: np.ndarray, distinct: int, size: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slots, digests and firsts with room for more words; `size` is a power of two."""
    slots = np.full(size, -1, np.int32)
    wider_digests, wider_first = np.empty(size, np.uint64), np.empty(size, np.int64)
    wider_digests[:distinct], wider_first[:distinct] = digests[:distinct], first[:distinct]
    for code in range(distinct):
        slot = np.int64(digests[code]) & (len(slots) - 1)
        while slots[slot] >= 0:
            slot = (slot + 1) & (len(slots) - 1)
        slots[slot] = code
    return slots, wider_digests, wider_first


def decode(raw: bytes) -> tuple[str, bool]:
    """A JSON value as text, and whether a byte had to be replaced; what is no string stays as it is written."""
    if raw[:1] != b'"':
        return _utf8(raw)
    if b"\\" not in raw:
        return _utf8(raw[1:-1])
    text, replaced = _utf8(raw)
    try:
        value = str(json.loads(text, strict=False))
    except ValueError:  # an escape that JSON does not know
        return text[1:-1], replaced
    whole = without_halves(value)
    return whole, replaced or whole != value


def without_halves(text: str) -> str:
    """Lone halves of surrogate pairs, which JSON can escape and UTF-8 cannot write, replaced."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _utf8(raw: bytes) -> tuple[str, bool]:
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), True


class Words:
    """Distinct words in order of first occurrence, over as many blocks of text as come."""

    def __init__(self, decode: Callable[[bytes], tuple[str, bool]] = decode) -> None:
        self.decode = decode
        self.words: list[str] = []
        self.replaced: list[bool] = []  # the word holds bytes that were not UTF-8
        self.controls: list[bool] = []  # the word held raw control characters
        self._raw: dict[bytes, int] = {}
        self._codes: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self.words)

    def code(self, word: str, replaced: bool = False, controls: bool = False) -> int:
        code = self._codes.setdefault(word, len(self.words))
        if code == len(self.words):
            self.words.append(word)
            self.replaced.append(replaced)
            self.controls.append(controls)
        return code

    def codes(self, text: Bytes, begin: Places, end: Places) -> np.ndarray:
        """Code of each span, i32. Costs a Python step per word that is distinct within the call."""
        local, first = intern(text, begin, end)
        raws = [text[begin[index] : end[index]].tobytes() for index in first]
        known = np.array([self._code_of(raw) for raw in raws], np.int32)
        return np.take(known, local) if len(raws) else local

    def _code_of(self, raw: bytes) -> int:
        code = self._raw.get(raw)
        if code is None:
            word, replaced = self.decode(raw)
            code = self._raw[raw] = self.code(word, replaced, bool(raw) and min(raw) < 32)
        return code
