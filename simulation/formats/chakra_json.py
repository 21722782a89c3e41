"""Chakra's graphs as JSON: an object with `workload_graph`, the twin of `.et` that its feeder reads.

Read: Id, Name, NodeType (number or word), runtime (microseconds), data_deps, ctrl_deps (also ctrlDeps), and what
`.et` files have as attributes. Every other top-level key is metadata. Keys are told without regard to case and `_`.
The format: https://github.com/mlcommons/chakra, src/feeder.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from simulation.args import ArgsStore
from simulation.errors import TraceError
from simulation.events import EventTable, TraceInfo
from simulation.formats.builder import TableBuilder
from simulation.formats.chakra_et.graph import NODE_TYPES, ChakraNode, graph_of, integer
from simulation.formats.decimals import Bytes
from simulation.formats.entries import mended, read_document
from simulation.formats.nodes import ID_BITS, build
from simulation.formats.sniff import start
from simulation.progress import Progress

NAMES = {
    "id": "id",
    "name": "name",
    "nodetype": "type",
    "type": "type",
    "runtime": "runtime",
    "durationmicros": "runtime",
    "starttimemicros": "start",
    "datadeps": "data",
    "ctrldeps": "control",
}
"""Key of a node without case and `_` -> what it holds; other keys are attributes."""

_INVALID = 0


def read(text: Bytes, file: Path, source_sha256: str, progress: Progress) -> EventTable:
    """Read the whole of a JSON object with `workload_graph`. Raises TraceError."""
    document, builder = read_document(text, start(text), "workload_graph", file.name), TableBuilder()
    builder.quality.add("truncated", int(document.stops >= 0))
    spans = zip(document.begin.tolist(), document.end.tolist(), strict=True)
    nodes = [_node(text[begin:end].tobytes(), builder) for begin, end in spans]
    progress("reading", len(text), len(text))
    info = TraceInfo(
        format="chakra_json",
        file_name=file.name,
        source_sha256=source_sha256,
        base_ns=0,
        events=len(nodes),
        metadata=document.head,
    )
    try:
        args = ArgsStore.from_spans(text, document.begin, document.end)
        return build(graph_of(nodes, builder, "0"), builder, info, args)
    except TraceError as error:
        raise type(error)(error.what, file=file.name, hint=error.hint) from None


def _node(raw: bytes, builder: TableBuilder) -> ChakraNode:
    given = _decoded(raw, builder)
    held: dict[str, Any] = {}
    if isinstance(given, dict):
        held = {what: value for key, value in given.items() if (what := NAMES.get(key.replace("_", "").lower()))}
    id_ = integer(held.get("id"))
    if id_ is None:
        return ChakraNode(0, "", _INVALID, damaged=True)
    return ChakraNode(
        id=id_,
        name=str(held.get("name", "")),
        type=_type(held.get("type")),
        data=_ids(held.get("data")),
        control=_ids(held.get("control")),
        start_us=integer(held.get("start")) or 0,
        dur_us=integer(held.get("runtime")) or 0,
        attributes=given,
    )


def _decoded(raw: bytes, builder: TableBuilder) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        value, replaced = mended(raw)
        builder.quality.add("invalid_utf8", int(replaced))
        return value


def _type(value: Any) -> int:
    if isinstance(value, str) and value in NODE_TYPES:
        return NODE_TYPES.index(value)
    number = integer(value)
    return number if number is not None else _INVALID


def _ids(value: Any) -> list[int]:
    found = [integer(one) for one in value] if isinstance(value, list) else []
    return [one & ID_BITS for one in found if one is not None]
