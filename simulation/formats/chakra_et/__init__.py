"""Chakra execution traces: `.et` files of MLCommons' Chakra, layouts 0.0.1 to 1.0.0.

Read: every node of every layout with its data and control dependencies, start and duration where given, all
attributes (as raw args), and lifted from them what SIDE_TABLES has; the header as metadata. Numbers are taken from
whichever member of the oneof holds them. Nodes without `is_cpu_op` run on the device. Not read: storage details and
`any` values, which no released writer makes.
The format: https://github.com/mlcommons/chakra, schema/protobuf/et_def.proto.
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import pyarrow as pa

from simulation.args import ArgsStore
from simulation.errors import DamagedTrace, TraceError
from simulation.events import EventTable, TraceInfo
from simulation.formats.builder import TableBuilder
from simulation.formats.chakra_et.frames import Layout, layout_of, messages
from simulation.formats.chakra_et.graph import ChakraNode, graph_of
from simulation.formats.chakra_et.layouts import decoder, header
from simulation.formats.decimals import Bytes
from simulation.formats.nodes import build
from simulation.progress import Progress

BLOCK_NODES = 4_096

_LONGEST_KEPT = 4_096
"""Characters of a text in the header that are kept; converters put whole input files there."""


def read(text: Bytes, file: Path, source_sha256: str, progress: Progress) -> EventTable:
    """Read all messages of the file. Raises TraceError."""
    data, builder = text.tobytes(), TableBuilder()
    spans, stops = messages(data)
    if not spans:
        raise DamagedTrace("breaks off in its first message", file=file.name, byte=0)
    layout, certain = layout_of(data[begin:end] for begin, end in spans)
    head = header(data[slice(*spans[0])], layout) if layout.has_header else {}
    nodes = _nodes(data, spans[1:] if layout.has_header else spans, layout, progress)
    builder.quality.add("truncated", int(stops >= 0))
    builder.quality.add("node_types_unclear", 0 if certain else len(nodes))
    builder.quality.add("empty_nodes", sum(begin == end for begin, end in spans[1:]))
    builder.quality.add("invalid_utf8", sum("\ufffd" in node.name for node in nodes))
    info = TraceInfo(
        format="chakra_et",
        file_name=file.name,
        source_sha256=source_sha256,
        base_ns=0,
        events=len(nodes),
        metadata={"layout": layout.value, **{key: _cut(value) for key, value in head.items()}},
    )
    try:
        return build(graph_of(nodes, builder, str(head.get("pid", 0))), builder, info, _args(nodes))
    except TraceError as error:
        raise type(error)(error.what, file=file.name, hint=error.hint) from None


def _nodes(data: bytes, spans: list[tuple[int, int]], layout: Layout, progress: Progress) -> list[ChakraNode]:
    decode, nodes = decoder(layout), []
    for number, (begin, end) in enumerate(spans):
        nodes.append(decode(data[begin:end]))
        if number % BLOCK_NODES == 0:
            progress("reading", end, len(data))
    return nodes


def _args(nodes: list[ChakraNode]) -> ArgsStore:
    """Type and attributes as JSON; dependencies are rows of a table of their own."""
    texts = [msgspec.json.encode({"node type": node.type_name, **node.attributes}) for node in nodes]
    return ArgsStore(values=pa.array(texts, pa.large_binary()))


def _cut(value: object) -> object:
    return value[:_LONGEST_KEPT] if isinstance(value, str) else value
