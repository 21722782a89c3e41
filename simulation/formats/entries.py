"""A JSON object whose one list holds a trace: its other keys, and where each entry of the list stands."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numba import njit

from simulation.errors import DamagedTrace, UnknownFormat
from simulation.formats import scan
from simulation.formats.decimals import Bytes
from simulation.formats.words import decode, without_halves

MAX_KEYS = 10_000

_COMMA, _CLOSE_LIST = ord(","), ord("]")


@dataclass
class Document:
    """What could be read of the object."""

    head: dict[str, Any] = field(default_factory=dict)  # the keys but for the list
    begin: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))  # of each entry, i64
    end: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    stops: int = -1  # byte at which it cannot be read on, -1: it is whole


def read_document(text: Bytes, pos: int, key: str, file: str) -> Document:
    """The object at `pos` and the list under its `key`. A file that breaks off inside or after the list gives the rest.

    Raises TraceError: no such list, or broken before it.
    """
    document, seen, pos = Document(), False, pos + 1
    stack = np.empty(scan.MAX_DEPTH, np.uint8)
    for number in range(MAX_KEYS):
        status, begin, after, pos = scan.next_member(text, pos, len(text), number == 0)
        if status == scan.DONE and begin == 0:
            break
        value = pos
        if status == scan.DONE and decode(text[begin - 1 : after + 1].tobytes())[0] == key:
            if text[pos] != ord("["):
                raise DamagedTrace(f"{key} is not a list", file=file, byte=pos)
            seen = True
            status, document.begin, document.end, pos = entries(text, pos + 1, len(text), stack)
        elif status == scan.DONE:
            status, pos = scan.value_end(text, pos, len(text), stack)
            if status == scan.DONE:
                word = decode(text[begin - 1 : after + 1].tobytes())[0]
                document.head[word] = _value(text, value, pos, file)
        if status != scan.DONE:
            if seen:
                document.stops = pos
                return document
            raise DamagedTrace(f"is not readable JSON before {key}", file=file, byte=pos)
    if not seen:
        raise UnknownFormat(f"has no {key}", file=file)
    return document


@njit(cache=True, nogil=True)
def entries(text: Bytes, pos: int, end: int, stack: np.ndarray) -> tuple[int, np.ndarray, np.ndarray, int]:
    """The values of the list whose bracket is just before `pos`: (status, begins i64, ends i64, place).

    With a status other than DONE the values are those before the place that cannot be read.
    """
    begins, ends, n, first = np.empty(1024, np.int64), np.empty(1024, np.int64), 0, True
    status = scan.DONE
    while True:
        pos = scan.skip_space(text, pos, end)
        if pos < end and not first and text[pos] == _COMMA:
            pos = scan.skip_space(text, pos + 1, end)
        elif pos < end and not first and text[pos] != _CLOSE_LIST:
            status = scan.BROKEN
            break
        if pos >= end:
            status = scan.ENDS
            break
        if text[pos] == _CLOSE_LIST:
            pos += 1
            break
        if n == len(begins):
            begins, ends = np.concatenate((begins, begins)), np.concatenate((ends, ends))
        begins[n] = pos
        status, after = scan.value_end(text, pos, end, stack)
        if status != scan.DONE:
            break
        pos, ends[n] = after, after
        n, first = n + 1, False
    return status, begins[:n].copy(), ends[:n].copy(), pos


def mended(raw: bytes) -> tuple[Any, bool]:
    """(value, whether bytes were replaced) of an entry that is JSON but for bad UTF-8, control characters or NaN.

    The value is None where it is none even so.
    """
    text, replaced = decode(raw)
    try:
        value = json.loads(text, strict=False)
        written = json.dumps(value, ensure_ascii=False)
    except (ValueError, RecursionError):
        return None, replaced
    whole = without_halves(written)
    return (value, replaced) if whole == written else (json.loads(whole), True)


def _value(text: Bytes, begin: int, end: int, file: str) -> Any:
    try:
        return json.loads(text[begin:end].tobytes().decode(errors="replace"), strict=False)
    except (ValueError, RecursionError) as error:
        raise DamagedTrace(f"is not JSON ({error})", file=file, byte=begin) from None
