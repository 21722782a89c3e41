"""Execution traces and Chakra files from a few tuples, written as their tools write them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from simulation.events import EventTable
from simulation.formats import read_trace

Pair = tuple[str, str]

THREAD = "[pytorch|profiler|execution_trace|thread]"
PROCESS = "[pytorch|profiler|execution_trace|process]"


def varint(value: int) -> bytes:
    """Base 128, low groups first."""
    groups = [value & 127]
    while value := value >> 7:
        groups.append(value & 127)
    return bytes(group | 128 for group in groups[:-1]) + bytes(groups[-1:])


def chunk(number: int, content: bytes | str) -> bytes:
    """A field that holds text or a message."""
    raw = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def number(field: int, value: int) -> bytes:
    """A field that holds an integer."""
    return varint(field << 3) + varint(value & (2**64 - 1))


def framed(*messages: bytes) -> bytes:
    """A `.et` file."""
    return b"".join(varint(len(message)) + message for message in messages)


HEADER = chunk(1, "0.0.4")


def node4(id_: int, type_: int, name: str = "n", *, data: Sequence[int] = (), control: Sequence[int] = (),
          start_us: int = 0, dur_us: int = 0, attributes: bytes = b"") -> bytes:  # fmt: skip
    """A node of 0.0.4 and later."""
    needs = b"".join(chunk(field, b"".join(map(varint, ids))) for field, ids in ((4, control), (5, data)) if ids)
    head = (number(1, id_) if id_ else b"") + chunk(2, name) + number(3, type_)
    return head + needs + number(6, start_us) + number(7, dur_us) + attributes


def attribute4(name: str, value: bytes) -> bytes:
    """One attribute of a node, its value already as a field."""
    return chunk(10, chunk(1, name) + value)


def op(id_: int, parent: int, rf_id: int, name: str = "aten::add", tid: int = 1, **more: Any) -> dict[str, Any]:
    """A node with `attrs`, as schemas from 1.0.2-chakra on have it."""
    told = {"rf_id": rf_id, "fw_parent": 0, "seq_id": -1, "scope": 0, "tid": tid, "fw_tid": 0, **more}
    values = told.pop("values", [])
    attributes = [{"name": key, "type": "uint64", "value": value} for key, value in told.items()]
    arguments = {"values": values, "shapes": [[] for _ in values], "types": ["Int" for _ in values]}
    return {"id": id_, "name": name, "ctrl_deps": parent, "inputs": arguments, "outputs": {}, "attrs": attributes}


def flat_op(id_: int, parent: int, rf_id: int, name: str = "aten::add", tid: int = 1, **more: Any) -> dict[str, Any]:
    """A node of schema 1.0.1."""
    return {"name": name, "id": id_, "rf_id": rf_id, "parent": parent, "fw_parent": 0, "seq_id": -1, "scope": 0,
            "tid": tid, "fw_tid": 0, "inputs": [], "input_shapes": [], "input_types": [], **more}  # fmt: skip


def roots(tid: int = 1) -> list[dict[str, Any]]:
    return [op(1, 1, 0, PROCESS, 0), op(2, 1, 0, THREAD, tid)]


def document(nodes: Sequence[dict[str, Any]], **top: Any) -> bytes:
    return json.dumps({"schema": "1.1.1-chakra.0.0.4", "pid": 77, **top, "nodes": nodes}).encode()


def read(folder: Path, content: bytes, name: str = "file") -> EventTable:
    path = folder / name
    path.write_bytes(content)
    return read_trace(path)


def times_us(table: EventTable) -> dict[str, tuple[float, float]]:
    """(start, end) by name."""
    return {
        table.name_of(row): (int(table.start_ns[row]) / 1000, int(table.end_ns[row]) / 1000)
        for row in range(len(table))
    }


def needs(table: EventTable) -> dict[str, list[str]]:
    """What each row depends on, by name; data first, a control dependency with a `!`."""
    found = table.dependencies
    assert found is not None
    return {
        table.name_of(row): [
            table.name_of(int(found.rows[at])) + "!" * int(found.need[at])
            for at in range(found.offsets[row], found.offsets[row + 1])
        ]
        for row in range(len(table))
    }
