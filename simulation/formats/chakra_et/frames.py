"""The framing of a `.et` file: `[length][message]` again and again; and which of the layouts the messages have."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum

from google.protobuf.message import DecodeError

from simulation.formats.chakra_et.chakra_pb2 import Header
from simulation.formats.decimals import Bytes

LONGEST_VARINT32 = 5
"""Bytes of a number of 32 bits, seven to a byte."""

PROBED_NODES = 1_000
"""Nodes that are looked at to tell layouts apart, at most."""

VERSION = re.compile(rb"[0-9]+(\.[0-9]+)+[\x20-\x7e]{0,40}")

VARINT, FIXED64, CHUNK, FIXED32 = 0, 1, 2, 5
"""Wire types."""

Fields = list[tuple[int, int, bytes]]
"""(field, wire type, content of a chunk or b"")."""


class Layout(Enum):
    """What messages a file consists of; the value is the version of the schema."""

    V1 = "0.0.1"
    V2 = "0.0.2"
    V3_JULY = "0.0.3 of July 2023"
    V3 = "0.0.3"
    V4_EARLY = "0.0.4 of 10 October 2023"
    V4 = "0.0.4"  # and 1.0.0: the same on the wire

    @property
    def has_header(self) -> bool:
        return self in (Layout.V3, Layout.V4_EARLY, Layout.V4)


def varint(data: bytes, pos: int, longest: int = LONGEST_VARINT32) -> tuple[int, int]:
    """(value, place after it) of the base-128 number at `pos`; the place is -1 where it does not end in time."""
    value = 0
    for shift in range(0, 7 * longest, 7):
        if pos >= len(data):
            break
        value |= (data[pos] & 0x7F) << shift
        pos += 1
        if data[pos - 1] < 0x80:
            return value, pos
    return 0, -1


def messages(data: bytes) -> tuple[list[tuple[int, int]], int]:
    """((begin, end) of each message, byte at which the file cannot be read on, -1: it is whole)."""
    found, pos = list[tuple[int, int]](), 0
    while pos < len(data):
        length, begin = varint(data, pos)
        if begin < 0 or begin + length > len(data):
            return found, pos
        found.append((begin, begin + length))
        pos = begin + length
    return found, -1


def begins(text: Bytes) -> bool:
    """Whether the file's first message is one that a Chakra trace begins with."""
    head = text[:LONGEST_VARINT32].tobytes()
    length, begin = varint(head, 0)
    if begin < 0 or begin + length > len(text):
        return False
    if length == 0:  # a header without anything, which a node has to follow
        rest = text[begin : begin + LONGEST_VARINT32].tobytes()
        length, after = varint(rest, 0)
        node = text[begin + after : begin + after + length].tobytes()
        return after > 0 and 0 < length == len(node) and _is_node(fields(node))
    return _header_layout(text[begin : begin + length].tobytes()) is not None


def layout_of(found: Iterable[bytes]) -> tuple[Layout, bool]:
    """(layout, whether that is certain) of a file for which `begins` holds."""
    rest = iter(found)
    first = next(rest, b"")
    layout = _header_layout(first)
    if layout is not None and layout.has_header:
        return layout, True
    nodes = [parsed for _, message in zip(range(PROBED_NODES), rest, strict=False) if (parsed := fields(message))]
    nodes.append(fields(first) or [])
    if not first:
        return Layout.V4, True
    if any(number > 11 or (5 <= number <= 10 and wire == VARINT) for node in nodes for number, wire, _ in node):
        return Layout.V1, True
    older, newer = _by_attributes(nodes)
    return (Layout.V2 if older and not newer else Layout.V3_JULY), older != newer


def _header_layout(message: bytes) -> Layout | None:
    """Layout of the file that begins with this message; V3_JULY for all that have no header; None: it is no Chakra."""
    if not message:
        return Layout.V4
    parsed = fields(message)
    if parsed is None:
        return None
    number, wire, content = parsed[0]
    if (number, wire) == (1, VARINT):
        return Layout.V3_JULY if _is_node(parsed) else None
    if (number, wire) == (1, CHUNK) and VERSION.fullmatch(content):
        return Layout.V4 if _is_header(message) else None
    if (number, wire) == (2, CHUNK):
        return Layout.V4 if _is_attribute(content) and _is_header(message) else None
    if (number, wire) == (1, CHUNK) and _is_attribute(content):
        attribute = fields(content) or []
        return Layout.V3 if any(field[:2] == (2, VARINT) for field in attribute) else Layout.V4_EARLY
    return None


def _is_header(message: bytes) -> bool:
    try:
        Header.FromString(message)
    except DecodeError:
        return False
    return True


def _is_attribute(message: bytes) -> bool:
    """Begins with a name."""
    parsed = fields(message)
    if not parsed:
        return False
    number, wire, name = parsed[0]
    return (number, wire) == (1, CHUNK) and name.isascii() and name != b""


def _is_node(parsed: Fields | None) -> bool:
    """Has a name, which is field 2 in every layout, and a type."""
    if not parsed:
        return False
    kinds = {field[:2] for field in parsed}
    return (2, CHUNK) in kinds and (3, VARINT) in kinds and all(0 < number < 40 for number, _ in kinds)


def _by_attributes(nodes: list[Fields]) -> tuple[bool, bool]:
    """(an attribute is as in 0.0.2, one is as in 0.0.3 of July)."""
    kinds = {
        field[:2]
        for node in nodes
        for number, wire, content in node
        if (number, wire) == (11, CHUNK)
        for field in fields(content) or []
    }
    older = bool(kinds & {(4, FIXED32), (5, VARINT), (6, CHUNK)})
    newer = bool(kinds & {(4, VARINT), (5, FIXED32), (6, VARINT), (7, CHUNK)})
    return older, newer


def fields(message: bytes) -> Fields | None:
    """The fields of a message in the order of the file; None where they do not fill it exactly."""
    found = list(_fields(message))
    return None if found and found[-1][0] < 0 else found


def _fields(message: bytes) -> Iterator[tuple[int, int, bytes]]:
    pos = 0
    while pos < len(message):
        tag, pos = varint(message, pos)
        number, wire, content = tag >> 3, tag & 7, b""
        if pos < 0 or number == 0:
            pos = -1
        elif wire == VARINT:
            _, pos = varint(message, pos, 10)
        elif wire == CHUNK:
            length, pos = varint(message, pos)
            content = message[pos : pos + length]
            pos = pos + length if pos >= 0 else -1
        else:
            size = {FIXED64: 8, FIXED32: 4}.get(wire, -1)
            pos = pos + size if size > 0 else -1
        if not 0 <= pos <= len(message):
            yield -1, wire, b""
            return
        yield number, wire, content
