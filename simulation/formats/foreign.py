"""Profiles that are not read, told by their content, so that a refusal can name them."""

from __future__ import annotations

import re

from simulation.formats.chakra_et.frames import varint
from simulation.formats.decimals import Bytes

LOOKED_AT_BYTES = 1 << 20

SQLITE = b"SQLite format 3"

TABLES = {
    b"CUPTI_ACTIVITY_KIND": "an Nsight Systems export (SQLite)",
    b"NSYS_EVENT": "an Nsight Systems export (SQLite)",
    b"TARGET_INFO_": "an Nsight Systems export (SQLite)",
    b"rocpd": "a rocprof database (SQLite)",
}
"""Names in the schema of an SQLite database -> what it is."""

WORDS = {
    b"QuadDCommon": "an Nsight Systems report (.nsys-rep)",
    b"QuadDAnalysis": "an Nsight Systems report (.nsys-rep)",
}
"""Words near the beginning of other binary files."""

PICKLE = re.compile(rb"\x80[\x02-\x05](\x95|}|\]|c)")
TABLE_OF_ROCPROF = re.compile(rb'"?(Index"?,"?KernelName|Kind"?,"?Agent_Id|Name"?,"?Calls"?,"?TotalDurationNs)', re.I)
PLANES = (b"/host:", b"/device:", b"Task Environment", b"/job:")
"""How the planes of an XSpace are called."""

FIRST_FIELD = 0x0A
"""Tag of a message or text as field 1."""

_MOST_PACKETS = 16


def described(text: Bytes) -> str | None:
    """What a foreign profile is, or None where nothing is recognized."""
    head = text[:LOOKED_AT_BYTES].tobytes()
    if head.startswith(SQLITE):
        return next((what for word, what in TABLES.items() if word in head), "an SQLite database")
    if PICKLE.match(head):
        return "a Python pickle, as PyTorch's memory snapshots are"
    if TABLE_OF_ROCPROF.match(head):
        return "a table of rocprof (CSV)"
    if b"\0" in head[:4096]:
        for word, what in WORDS.items():
            if word in head:
                return what
    return _protobuf(head, len(text))


def _protobuf(head: bytes, size: int) -> str | None:
    """Both are one message with a list as field 1: an XSpace of planes, a Perfetto trace of packets."""
    pos, packets = 0, 0
    while pos < len(head) and packets < _MOST_PACKETS and head[pos] == FIRST_FIELD:
        length, begin = varint(head, pos + 1)
        if begin < 0 or begin + length > size:
            return None
        if any(name in head[begin : begin + 64] for name in PLANES):
            return "an XPlane profile (.xplane.pb), as JAX and TensorFlow write it"
        pos, packets = begin + length, packets + 1
    return "a Perfetto trace (protobuf)" if packets and (pos >= len(head) or packets == _MOST_PACKETS) else None
