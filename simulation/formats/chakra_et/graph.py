"""Chakra's nodes, whatever layout they come in, as nodes of the event table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulation.dependencies import Need
from simulation.formats.builder import TableBuilder
from simulation.formats.decimals import LARGEST_NS
from simulation.formats.naming import QUOTE
from simulation.formats.nodes import UNKNOWN_NS, Nodes

NODE_TYPES = (
    "INVALID_NODE",
    "METADATA_NODE",
    "MEM_LOAD_NODE",
    "MEM_STORE_NODE",
    "COMP_NODE",
    "COMM_SEND_NODE",
    "COMM_RECV_NODE",
    "COMM_COLL_NODE",
    "STORAGE_NODE",
    "BATCH_NODE",
    "CHECKPOINT_NODE",
)
COLLECTIVES = (
    "all_reduce",
    "reduce",
    "all_gather",
    "gather",
    "scatter",
    "broadcast",
    "all_to_all",
    "reduce_scatter",
    "reduce_scatter_block",
    "barrier",
)
PEERS = {"COMM_SEND_NODE": "send", "COMM_RECV_NODE": "recv"}
COPIES = ("MEM_LOAD_NODE", "MEM_STORE_NODE")

DEVICE_PID = "0"
"""Under which the work of the one device of a file lies."""

RESOURCES = {"COMM": "communication", "MEM": "memory", "COMP": "compute"}
"""Beginning of a device node's type -> track that it is on where it names no stream."""

NUMBERS = {
    "rf_id": "record_function",
    "seq_id": "sequence",
    "fw_tid": "forward_thread",
    "stream": "stream",
    "num_ops": "operations",
    "tensor_size": "tensor_bytes",
}
"""Attribute -> integer detail."""

MESSAGE_NUMBERS = {
    "comm_size": "message_bytes",
    "comm_tag": "message_tag",
    "comm_src": "source_rank",
    "comm_dst": "target_rank",
}
"""The same, of nodes that communicate."""


@dataclass
class ChakraNode:
    """One node by today's names and numbers."""

    id: int
    name: str
    type: int  # of NODE_TYPES
    data: Sequence[int] = ()
    control: Sequence[int] = ()
    start_us: int = 0
    dur_us: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)
    collectives: Sequence[str] = COLLECTIVES  # by comm_type
    damaged: bool = False

    @property
    def type_name(self) -> str:
        return NODE_TYPES[self.type] if 0 <= self.type < len(NODE_TYPES) else f"node type {self.type}"

    @property
    def takes_part(self) -> bool:
        """Uses the network or the memory, for a time that only a simulation knows."""
        return self.type_name.startswith(("COMM", "MEM"))

    @property
    def on_host(self) -> bool:
        return bool(integer(self.attributes.get("is_cpu_op")))

    @property
    def category(self) -> str:
        """As Kineto would have it."""
        if self.type_name.startswith(("COMM", "COMP", "MEM")) and not self.on_host:
            return "gpu_memcpy" if self.type_name in COPIES else "kernel"
        return "cpu_op" if self.on_host else self.type_name.removesuffix("_NODE").lower()

    @property
    def on_thread(self) -> bool:
        return self.category not in ("kernel", "gpu_memcpy")

    @property
    def place(self) -> str:
        """Thread or stream; one track per resource where the node names none."""
        if self.on_thread:
            return str(integer(self.attributes.get("tid")) or 0)
        stream = integer(self.attributes.get("stream"))
        return str(stream) if stream is not None else QUOTE + RESOURCES[self.type_name.split("_")[0]]

    @property
    def collective(self) -> str:
        """ "" for nodes that do not communicate."""
        if self.type_name != "COMM_COLL_NODE":
            return PEERS.get(self.type_name, "")
        kind = integer(self.attributes.get("comm_type"))
        if kind is None:
            return ""
        return self.collectives[kind] if 0 <= kind < len(self.collectives) else f"collective type {kind}"


def graph_of(found: Iterable[ChakraNode], builder: TableBuilder, pid: str) -> Nodes:
    """Nodes and details of a file."""
    nodes, details = Nodes(), dict[str, list[tuple[int, int]]]()
    sizes: list[tuple[int, bool]] = []
    for node in found:
        if node.damaged:
            nodes.add_damaged()
            sizes.append((0, False))
            continue
        at = nodes.add(node.name, node.category, node.id, pid if node.on_thread else DEVICE_PID, node.place)
        nodes.start_ns[at] = nanoseconds(node.start_us)
        nodes.depend(Need.DATA, at, node.data)
        nodes.depend(Need.CONTROL, at, node.control)
        sizes.append((nanoseconds(node.dur_us), node.takes_part))
        _lift(node, at, builder, details)
    _set_durations(nodes, sizes)
    nodes.recorded = any(nodes.start_ns)
    for detail, pairs in details.items():
        columns = np.array(pairs, np.int64)
        builder.details.add(detail, columns[:, 0], columns[:, 1])
    return nodes


def _set_durations(nodes: Nodes, sizes: list[tuple[int, bool]]) -> None:
    """A duration of 0 is as good as none; it counts where it can be meant: for computation beside nodes that last."""
    timed = any(dur for dur, _ in sizes)
    nodes.dur_ns = [dur if dur or (timed and not takes_part) else UNKNOWN_NS for dur, takes_part in sizes]


def _lift(node: ChakraNode, at: int, builder: TableBuilder, details: dict[str, list[tuple[int, int]]]) -> None:
    texts = builder.details.texts
    details.setdefault("node_type", []).append((at, texts.code(node.type_name)))
    wanted = {**NUMBERS, **MESSAGE_NUMBERS} if node.type_name.startswith("COMM") else NUMBERS
    for key, detail in wanted.items():
        if (value := integer(node.attributes.get(key))) is not None:
            details.setdefault(detail, []).append((at, value))
    if node.collective:
        details.setdefault("collective", []).append((at, texts.code(node.collective)))
        group = node.attributes.get("pg_name", node.attributes.get("comm_group"))
        if group not in (None, ""):
            details.setdefault("group", []).append((at, texts.code(str(group))))


def integer(value: Any) -> int | None:
    """Any way to write a number as an integer of 64 bits, None where it is none."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    elif isinstance(value, str):
        value = int(value) if value.removeprefix("-").isascii() and value.removeprefix("-").isdigit() else None
    if not isinstance(value, int) or not -(2**63) <= value < 2**63:
        return None
    return int(value)


def nanoseconds(microseconds: int) -> int:
    """0 where it is beyond any time."""
    return microseconds * 1_000 if 0 <= microseconds <= LARGEST_NS // 1_000 else 0
