"""PyTorch execution traces: the JSON of torch.profiler's ExecutionTraceObserver, schemas 1.0.1 to 1.1.1 and alike.

Read by shape, not by the schema's name: flat nodes (1.0.x) and nodes with `attrs` (from 1.0.2-chakra on). A node is
a slice inside of its parent (`parent`, `ctrl_deps`), on the thread it names; `ctrl_deps` become control dependencies.
No node has a time: they are placed in the order of their record-function ids, in which they began. Lifted: ids,
shapes, types, collectives with their process group. Rank and world size are taken from collectives of the default
group. Tensors stay in the raw nodes, which are kept whole.
The format: https://github.com/pytorch/pytorch, torch/csrc/profiler/standalone/execution_trace_observer.cpp.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from simulation.args import ArgsStore
from simulation.dependencies import Need
from simulation.errors import TraceError
from simulation.events import WINDOW_CATEGORY, EventTable, TraceInfo
from simulation.formats.builder import TableBuilder
from simulation.formats.decimals import Bytes
from simulation.formats.entries import Document, mended, read_document
from simulation.formats.nodes import ID_BITS, Nodes, build
from simulation.formats.sniff import start
from simulation.progress import Progress

BLOCK_NODES = 4_096

NUMBERS = {
    "rf_id": "record_function",
    "seq_id": "sequence",
    "fw_tid": "forward_thread",
    "in_msg_nelems": "in_elements",
    "out_msg_nelems": "out_elements",
    "pg_size": "group_size",
}
"""Key or attribute of a node -> integer detail."""

TEXTS = {"collective_name": "collective", "dtype": "dtype", "pg_name": "group"}
"""Attribute of a node -> text detail."""

ROOT = "[pytorch|profiler|execution_"
"""How the names of the nodes that stand for a process or a thread begin."""

BACKWARD_SCOPE, USER_SCOPE = 1, 7
"""RecordScope of PyTorch: of a backward function; of a mark by the user."""

GROUPS_NODE = "## process_group:init ##"
COLLECTIVE_NODE = "record_param_comms"
DEFAULT_GROUP = "0"
"""Name of the group of all ranks; old files name none."""

SAYS_RANK = re.compile("_?(wait|all|reduce_scatter|barrier)")
"""Collectives whose arguments hold the rank itself; others hold the root or the peer at the same place."""


class _Values(msgspec.Struct):
    """`inputs` of newer schemas."""

    values: msgspec.Raw = msgspec.Raw(b"[]")
    shapes: msgspec.Raw = msgspec.Raw(b"")
    types: msgspec.Raw = msgspec.Raw(b"")


class _Attribute(msgspec.Struct):
    name: str
    value: Any = None


class _Node(msgspec.Struct):
    """Of either layout; keys that are not named here stay in the raw node."""

    id: int
    name: str = ""
    parent: int | None = None
    ctrl_deps: int | list[int] | None = None
    data_deps: list[int] = []
    tid: int = 0
    rf_id: int = 0
    seq_id: int = -1
    scope: int = 0
    fw_tid: int = 0
    inputs: _Values | list[msgspec.Raw] = []
    input_shapes: msgspec.Raw = msgspec.Raw(b"")
    input_types: msgspec.Raw = msgspec.Raw(b"")
    attrs: list[_Attribute] = []


_decoder = msgspec.json.Decoder(_Node)


def read(text: Bytes, file: Path, source_sha256: str, progress: Progress) -> EventTable:
    """Read the whole of a JSON object with `nodes`. Raises TraceError."""
    document = read_document(text, start(text), "nodes", file.name)
    reader = _Reader(text, str(document.head.get("pid", "")))
    reader.builder.quality.add("truncated", int(document.stops >= 0))
    reader.read(document, progress)
    info = TraceInfo(
        format="pytorch_et",
        file_name=file.name,
        source_sha256=source_sha256,
        base_ns=0,
        events=len(reader.nodes),
        rank=reader.rank,
        world_size=reader.world_size,
        metadata=document.head,
    )
    try:
        return build(reader.nodes, reader.builder, info, ArgsStore.from_spans(text, document.begin, document.end))
    except TraceError as error:
        raise type(error)(error.what, file=file.name, hint=error.hint) from None


class _Reader:
    """Fills nodes and details from the entries of the list."""

    def __init__(self, text: Bytes, pid: str) -> None:
        self.text, self.pid = text, pid
        self.builder, self.nodes = TableBuilder(), Nodes()
        self.ranks: dict[str, set[int]] = {}  # by name of the group that they are ranks in
        self.groups = 0
        self.world_size: int | None = None
        self._details: dict[str, list[tuple[int, int]]] = {}
        self._began: list[tuple[int, int]] = []  # (record function id, position), of operations

    def read(self, document: Document, progress: Progress) -> None:
        spans = zip(document.begin.tolist(), document.end.tolist(), strict=True)
        for number, (begin, end) in enumerate(spans):
            node = self._decoded(self.text[begin:end].tobytes())
            if node is None:
                self.nodes.add_damaged()
            else:
                self._add(node)
            if number % BLOCK_NODES == 0:
                progress("reading", number, len(document.begin))
        for detail, pairs in self._details.items():
            columns = np.array(pairs, np.int64)
            self.builder.details.add(detail, columns[:, 0], columns[:, 1])
        self._order()

    @property
    def rank(self) -> int | None:
        """As collectives of all ranks say it; where groups have no names, if there is only one."""
        ranks = self.ranks.get(DEFAULT_GROUP) or (self.ranks.get("", set()) if self.groups <= 1 else set())
        return next(iter(ranks)) if len(ranks) == 1 else None

    def _decoded(self, raw: bytes) -> _Node | None:
        try:
            return _decoder.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            value, replaced = mended(raw)
            self.builder.quality.add("invalid_utf8", int(replaced))
        try:
            return msgspec.convert(value, _Lenient).node()
        except msgspec.MsgspecError:
            return None

    def _add(self, node: _Node) -> None:
        attributes = {attribute.name: attribute.value for attribute in node.attrs}
        for key in ("tid", "rf_id", "seq_id", "scope", "fw_tid"):
            value = attributes.get(key)
            if type(value) is int:
                setattr(node, key, value)
        at = self.nodes.add(node.name, _category(node), node.id, self.pid, str(node.tid))
        parents = node.ctrl_deps if isinstance(node.ctrl_deps, list) else [node.ctrl_deps, node.parent]
        given = [parent for parent in parents if parent is not None and parent != node.id]
        if given:
            self.nodes.holders[at] = given[0] & ID_BITS
        self.nodes.depend(Need.CONTROL, at, [parent & ID_BITS for parent in given])
        self.nodes.depend(Need.DATA, at, [needed & ID_BITS for needed in node.data_deps])
        if not node.name.startswith(ROOT):
            self._began.append((node.rf_id, at))
        self._lift(node, attributes, at)

    def _lift(self, node: _Node, attributes: dict[str, Any], at: int) -> None:
        numbers = {**attributes, "rf_id": node.rf_id, "seq_id": node.seq_id, "fw_tid": node.fw_tid}
        for key, detail in NUMBERS.items():
            value = numbers.get(key)
            if type(value) is int and -(2**63) <= value < 2**63:
                self._details.setdefault(detail, []).append((at, value))
        for key, detail in TEXTS.items():
            if isinstance(value := attributes.get(key), str):
                self._add_text(detail, at, value)
        shapes, types = node.input_shapes, node.input_types
        if isinstance(node.inputs, _Values):
            shapes, types = node.inputs.shapes, node.inputs.types
        for detail, raw in (("dims", bytes(shapes)), ("types", bytes(types))):
            if raw not in (b"", b"[]"):
                self._add_text(detail, at, raw.decode(errors="replace"))
        if node.name == COLLECTIVE_NODE:
            self._lift_collective(_values(node), attributes, at)
        elif node.name == GROUPS_NODE:
            self._lift_groups(_values(node))

    def _add_text(self, detail: str, at: int, value: str) -> None:
        self._details.setdefault(detail, []).append((at, self.builder.details.texts.code(value)))

    def _lift_collective(self, values: list[Any], attributes: dict[str, Any], at: int) -> None:
        """Arguments are [tensors,] sequence, group, rank in the group, name of the collective, ..."""
        place = next((index for index, value in enumerate(values) if isinstance(value, str)), 0)
        if place < 2:
            return
        rank, group = values[place - 1], values[place - 2]
        name = group[0] if isinstance(group, list) and group and isinstance(group[0], str) else ""
        if "collective_name" not in attributes:
            self._add_text("collective", at, values[place])
            self._add_text("group", at, name)
        if type(rank) is int and 0 <= rank < 2**31 and SAYS_RANK.match(values[place]):
            self.ranks.setdefault(name, set()).add(rank)

    def _lift_groups(self, values: list[Any]) -> None:
        try:
            groups = json.loads(values[0])
            sizes = [group["group_size"] for group in groups if group["pg_name"] == DEFAULT_GROUP]
        except (ValueError, IndexError, KeyError, TypeError):
            return
        self.groups = max(self.groups, len(groups))
        if sizes and type(sizes[0]) is int and 0 < sizes[0] < 2**31:
            self.world_size = sizes[0]

    def _order(self) -> None:
        """Each operation begins when the last one before it that nests nothing has ended."""
        holders = set(self.nodes.holders[at] for _, at in self._began)
        last = None
        for _, at in sorted(self._began):
            if last is not None:
                self.nodes.before.append((at, last))
            if self.nodes.ids[at] not in holders:
                last = at


class _Lenient(msgspec.Struct):
    """A node whose text had to be mended."""

    id: int
    name: str = ""
    parent: int | None = None
    ctrl_deps: int | list[int] | None = None
    tid: int = 0
    rf_id: int = 0
    attrs: list[_Attribute] = []

    def node(self) -> _Node:
        return _Node(**{name: getattr(self, name) for name in self.__struct_fields__})


def _values(node: _Node) -> list[Any]:
    """Decoded arguments."""
    try:
        if isinstance(node.inputs, list):
            return [msgspec.json.decode(raw) for raw in node.inputs]
        values = msgspec.json.decode(node.inputs.values)
    except msgspec.MsgspecError:
        return []
    return values if isinstance(values, list) else []


def _category(node: _Node) -> str:
    """As Kineto has it: operators, marks of the user; the profiler's own process and thread nodes apart."""
    if node.name.startswith(ROOT):
        return WINDOW_CATEGORY
    return "user_annotation" if node.scope == USER_SCOPE else "cpu_op"
