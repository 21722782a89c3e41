"""From nodes and dependencies, as execution traces have them, to the event table: through `TableBuilder`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import numpy as np

from simulation.args import ArgsStore
from simulation.dependencies import Dependencies, Need
from simulation.events import EventTable, TraceInfo
from simulation.formats.builder import SLICE, Block, TableBuilder
from simulation.formats.placing import place

UNIT_NS = 1_000
"""How long a node without nodes inside is drawn where nothing says how long it took."""

BY_DATA_AND_CONTROL, BY_DATA = "data and control", "data"
"""Which dependencies decide where a node without a recorded time is placed: as early as these allow."""

UNKNOWN_NS = -1
NOT_AN_OBJECT = -1
ID_BITS = 2**64 - 1
"""Ids are taken modulo this and one."""


@dataclass
class Nodes:
    """What a reader found, one entry per node of the file, in its order. Ids are unsigned, of 64 bits.

    `links` hold (node that depends, ids it depends on); `before` pairs of positions, for placing alone.
    """

    ids: list[int] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    categories: list[str] = field(default_factory=list)
    places: list[tuple[str, str]] = field(default_factory=list)  # (pid, tid)
    start_ns: list[int] = field(default_factory=list)
    dur_ns: list[int] = field(default_factory=list)  # UNKNOWN_NS where nothing says
    holders: list[int] = field(default_factory=list)  # id of the node it runs inside of; its own: none
    links: dict[Need, list[tuple[int, Sequence[int]]]] = field(default_factory=lambda: {need: [] for need in Need})
    before: list[tuple[int, int]] = field(default_factory=list)
    damaged: list[int] = field(default_factory=list)  # positions of entries that are no node
    recorded: bool = False  # start_ns means something

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, name: str, category: str, id_: int, pid: str, tid: str) -> int:
        """One more node, without time, holder and dependencies; its position."""
        self.ids.append(id_ & ID_BITS)
        self.names.append(name)
        self.categories.append(category)
        self.places.append((pid, tid))
        self.start_ns.append(0)
        self.dur_ns.append(UNKNOWN_NS)
        self.holders.append(id_ & ID_BITS)
        return len(self.ids) - 1

    def depend(self, need: Need, at: int, ids: Sequence[int]) -> None:
        """Node `at` depends on those with `ids`, which must be in the range of ids."""
        if len(ids):
            self.links[need].append((at, ids))

    def add_damaged(self) -> None:
        """An entry that cannot be read as a node; it keeps its number."""
        self.damaged.append(self.add("", "", 0, "", ""))


def build(nodes: Nodes, builder: TableBuilder, info: TraceInfo, args: ArgsStore) -> EventTable:
    """The table, its dependencies, and in the metadata where the times come from: `placed`, and `placing`, the rule.

    Raises TraceError as TableBuilder does.
    """
    known = _Ids(nodes)
    builder.quality.add("repeated_nodes", known.repeated)
    ends = {need: known.resolved(pairs, builder) for need, pairs in nodes.links.items()}
    start, dur, placing = _times(nodes, known, ends, builder)
    builder.quality.add("placed_by_replay", 0 if nodes.recorded else len(nodes))
    builder.details.add("node", np.arange(len(nodes)), known.ids.view(np.int64))
    builder.add(_block(nodes, builder, start, dur))
    made = {"placed": "recorded"} if nodes.recorded else {"placed": "replay", "placing": placing}
    table = builder.build(replace(info, metadata={**info.metadata, **made}), args)
    return replace(table, dependencies=_dependencies(table, ends))


class _Ids:
    """Where each id stands; of nodes with the same id the first counts."""

    def __init__(self, nodes: Nodes) -> None:
        self.ids = np.array(nodes.ids, np.uint64)
        real = np.setdiff1d(np.arange(len(nodes)), nodes.damaged)
        order = real[np.argsort(self.ids[real], kind="stable")]
        self._sorted, first = np.unique(self.ids[order], return_index=True)
        self._at = order[first]
        self.repeated = len(order) - len(first)

    def at(self, ids: np.ndarray) -> np.ndarray:
        """Position of each id (u64), -1 where no node has it."""
        if not len(self._sorted):
            return np.full(len(ids), -1, np.int64)
        place = np.minimum(np.searchsorted(self._sorted, ids), len(self._sorted) - 1)
        return np.where(self._sorted[place] == ids, self._at[place], -1)

    def resolved(self, links: list[tuple[int, Sequence[int]]], builder: TableBuilder) -> np.ndarray:
        """(node, node it depends on) i64[n, 2]; ids of no node are counted and left out, as is a node's own."""
        node = np.repeat(np.array([at for at, _ in links], np.int64), [len(ids) for _, ids in links])
        on = self.at(np.fromiter(chain.from_iterable(ids for _, ids in links), np.uint64, len(node)))
        builder.quality.add("dangling_dependencies", int(np.count_nonzero(on < 0)))
        good = (on >= 0) & (on != node)
        return np.stack([node[good], on[good]], axis=1)


def _times(
    nodes: Nodes, known: _Ids, ends: dict[Need, np.ndarray], builder: TableBuilder
) -> tuple[np.ndarray, np.ndarray, str]:
    """(start, duration) of each node, as recorded or by its dependencies, to which nesting is none; which these were.

    Data and control both count, as in Chakra's newer feeder; where they contradict each other, data alone, as in its
    older one: control then only means the call that a node stood in.
    """
    start, dur = np.array(nodes.start_ns, np.int64), np.array(nodes.dur_ns, np.int64)
    inside = known.at(np.array(nodes.holders, np.uint64))
    nested = (inside >= 0) & (inside != np.arange(len(nodes)))
    leaf = np.ones(len(nodes), bool)
    leaf[inside[nested]] = False
    unknown = dur < 0
    unknown[nodes.damaged] = False
    builder.quality.add("unknown_durations", int(np.count_nonzero(unknown & leaf)))
    dur = np.where(unknown & leaf, UNIT_NS, np.maximum(dur, 0))
    if nodes.recorded:
        return start, dur, ""
    data = np.concatenate([ends[Need.DATA], np.array(nodes.before, np.int64).reshape(-1, 2)])
    lost, placing = 0, ""
    for rule, pairs in ((BY_DATA_AND_CONTROL, np.concatenate([data, ends[Need.CONTROL]])), (BY_DATA, data)):
        placing = rule
        after = pairs[inside[pairs[:, 0]] != pairs[:, 1]]
        start, end, lost = place(dur, np.where(nested, inside, -1), after[:, 0], after[:, 1])
        if not lost:
            break
    builder.quality.add("dependency_cycles", lost)
    return start, end - start, placing


def _block(nodes: Nodes, builder: TableBuilder, start_ns: np.ndarray, dur_ns: np.ndarray) -> Block:
    def codes(words: list[str]) -> np.ndarray:
        return np.array([builder.places.code(word) for word in words], np.int32)

    phase = np.full(len(nodes), SLICE, np.int64)
    phase[nodes.damaged] = NOT_AN_OBJECT
    usable = np.zeros(len(nodes), np.uint8)
    return Block(
        phase=phase,
        start_ns=start_ns,
        start_flags=usable,
        dur_ns=dur_ns,
        dur_flags=usable,
        name=np.array([builder.names.code(word) for word in nodes.names], np.int32),
        category=np.array([builder.categories.code(word) for word in nodes.categories], np.int32),
        pid=codes([pid for pid, _ in nodes.places]),
        tid=codes([tid for _, tid in nodes.places]),
    )


def _dependencies(table: EventTable, ends: dict[Need, np.ndarray]) -> Dependencies:
    row_of = np.full(table.info.events, -1, np.int64)
    row_of[table.source_index] = np.arange(len(table))
    pairs = row_of[np.concatenate(list(ends.values()))]
    need = np.repeat(list(ends), [len(part) for part in ends.values()])
    placed = (pairs >= 0).all(axis=1)
    return Dependencies.of(len(table), pairs[placed, 0], pairs[placed, 1], need[placed])
