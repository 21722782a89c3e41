"""Messages of every layout as Chakra nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.message import DecodeError, Message

from simulation.formats.chakra_et import chakra_pb2 as pb
from simulation.formats.chakra_et.frames import Layout
from simulation.formats.chakra_et.graph import ChakraNode

COLLECTIVES_OF_2023 = ("all_reduce", "all_to_all", "all_gather", "reduce_scatter", "broadcast")
"""By comm_type in 0.0.2 and 0.0.3; 0.0.1 counts from 1."""

RUN_TIMES = ("runtime", "simulated_run_time", "duration_micros")
"""Attributes that held the duration, in microseconds, before there was a field for it."""

_ATTRIBUTES: dict[Layout, Any] = {Layout.V2: pb.Attribute2, Layout.V3_JULY: pb.Attribute3July, Layout.V3: pb.Attribute3}
_NUMBERS_OF_1 = (
    "tensor_size",
    "num_ops",
    "comm_type",
    "communicator_id",
    "comm_src",
    "comm_dst",
    "comm_size",
    "comm_tag",
    "comm_priority",
    "tensor_loc",
    "input_tensor_loc",
    "input_tensor_size",
    "output_tensor_loc",
    "output_tensor_size",
)


def decoder(layout: Layout) -> Callable[[bytes], ChakraNode]:
    """What turns a message into a node; one that cannot be read comes as damaged."""
    decode = {Layout.V1: _node1, Layout.V4: _node4, Layout.V4_EARLY: _node4}.get(layout)
    of_layout = decode or (lambda message: _node2(message, layout))

    def node(message: bytes) -> ChakraNode:
        try:
            return of_layout(message)
        except DecodeError:
            return ChakraNode(0, "", 0, damaged=True)

    return node


def header(message: bytes, layout: Layout) -> dict[str, Any]:
    """Version and attributes of the file's first message."""
    try:
        if layout is Layout.V3:
            return _named(pb.Header3.FromString(message).attribute, _value2)
        if layout is Layout.V4_EARLY:
            return _named(pb.EarlyHeader.FromString(message).attr, _value4)
        head = pb.Header.FromString(message)
    except DecodeError:
        return {}
    version = {"version": text(head.version)} if head.version else {}
    return {**version, **_named(head.attr, _value4)}


def _node4(message: bytes) -> ChakraNode:
    node = pb.Node.FromString(message)
    attributes = _named(node.attr, _value4)
    for side, arguments in (("inputs", node.inputs), ("outputs", node.outputs)):
        given = {field.name: text(value) for field, value in arguments.ListFields()}
        if given:
            attributes.setdefault(side, given)
    return ChakraNode(
        id=node.id,
        name=text(node.name),
        type=node.type,
        data=node.data_deps,
        control=node.ctrl_deps,
        start_us=node.start_time_micros,
        dur_us=node.duration_micros,
        attributes=attributes,
    )


def _node2(message: bytes, layout: Layout) -> ChakraNode:
    node = pb.Node2.FromString(message)
    attributes = _named([_ATTRIBUTES[layout].FromString(raw) for raw in node.attribute], _value2)
    for key in ("inputs", "input_shapes", "input_types", "outputs", "output_shapes", "output_types"):
        if raw := getattr(node, key):
            attributes[key] = text(raw)
    return ChakraNode(
        id=node.id,
        name=text(node.name),
        type=_type_of_2023(node.type) if layout is Layout.V2 else node.type,
        data=node.parent,
        dur_us=_run_time(attributes),
        attributes=attributes,
        collectives=COLLECTIVES_OF_2023,
    )


def _node1(message: bytes) -> ChakraNode:
    node = pb.Node1.FromString(message)
    attributes = {key: getattr(node, key) for key in _NUMBERS_OF_1 if node.HasField(key)}
    if node.involved_dim:
        attributes["involved_dim"] = list(node.involved_dim)
    return ChakraNode(
        id=node.id,
        name=text(node.name),
        type=_type_of_2023(node.node_type),
        data=node.parent,
        dur_us=node.simulated_run_time,
        attributes=attributes,
        collectives=("invalid", *COLLECTIVES_OF_2023[:4]),
    )


def _type_of_2023(type_: int) -> int:
    """Before there was METADATA_NODE, all after INVALID_NODE were one lower."""
    return type_ + 1 if type_ > 0 else type_


def _run_time(attributes: dict[str, Any]) -> int:
    found = next((attributes[key] for key in RUN_TIMES if key in attributes), 0)
    return int(found) if isinstance(found, int | float) and 0 <= found < 2**63 else 0


def _named(attributes: Iterable[Any], value_of: Callable[[Any], Any]) -> dict[str, Any]:
    return {text(attribute.name): value_of(attribute) for attribute in attributes}


def _value4(attribute: pb.Attribute) -> Any:
    which = attribute.WhichOneof("value")
    return _plain(getattr(attribute, which)) if which else None


def _value2(attribute: Message) -> Any:
    """The one value, or the one list, that the attribute has."""
    values = [value for field, value in attribute.ListFields() if field.name not in ("name", "type")]
    return _plain(values[0]) if values else None


def _plain(value: Any) -> Any:
    """As JSON has it."""
    if isinstance(value, bytes):
        return text(value)
    if isinstance(value, bool | int | float):
        return value
    items = value.values if isinstance(value, Message) else value
    return [_plain(item) for item in items]


def text(raw: bytes) -> str:
    return raw.decode(errors="replace")
