"""What of a graph depends on the schedule: the order of enqueueing, and what a call finds in the queue when it waits.

The graph has both as they were measured. They stay as long as the calls come in the same order: then the forward pass
is exact. `holds` says whether they do, of times that the forward pass gave: what it assumed is then what came out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from simulation.graph import Family, Rule, TaskGraph
from simulation.run import Run

NONE = -1
LOOKED_UP = (Rule.SYNC_NAMED, Rule.SYNC_TOLD, Rule.SYNC_PASSED)
"""Calls that wait for a stream, whatever is in its queue; others wait for one event."""


@dataclass(frozen=True)
class Schedule:
    """Device events stream by stream, in measured order, by their start nodes; columns of one length but the last two.

    An event follows the one before it if nobody in the trace launches it, or if it started out of the order of the
    launches: it is taken to be enqueued right after that one, whatever changes.
    """

    start: np.ndarray  # i64, start node
    end: np.ndarray  # i64, end node
    stream: np.ndarray  # i64, from 0 on
    call: np.ndarray  # i64, start node of the call, NONE
    back: np.ndarray  # i64, end node of the call, NONE
    follows: np.ndarray  # bool
    wait_edge: np.ndarray  # i64: edges of calls that wait for the last of a stream
    wait_begin: np.ndarray  # i64: start node of each of these calls

    @classmethod
    def kept(cls) -> Schedule:
        """Nothing is looked up: the order, and what waits find, stay as measured."""
        none = np.zeros(0, np.int64)
        return cls(none, none, none, none, none, np.zeros(0, bool), none, none)

    @classmethod
    def of(cls, graph: TaskGraph, stream: np.ndarray) -> Schedule:
        """`stream`: i64 per global row, NONE of what is no device event. Cost: O(nodes log nodes)."""
        rows = np.flatnonzero((stream >= 0) & (graph.start_node >= 0))
        start = graph.start_node[rows].astype(np.int64)
        order = np.lexsort((start, graph.measured_ns[start], stream[rows]))
        rows, start = rows[order], start[order]
        end = graph.end_node[rows].astype(np.int64)
        _, number = np.unique(stream[rows], return_inverse=True)
        call = _calls(graph)[start]
        end_of, begin_of = _other_nodes(graph)
        back = np.where(call >= 0, end_of[call], NONE)
        none = np.zeros(0, np.int64)
        rank = ranks(graph.measured_ns)
        loose = cls(start, end, number, call, back, np.zeros(len(rows), bool), none, none)
        keys = loose.keys(rank)
        firm = replace(loose, follows=(call < 0) | (keys != np.maximum.accumulate(keys)))
        waits = _waits(graph, end)
        begin = begin_of[waits.target]
        found = replace(firm, wait_edge=waits.edge, wait_begin=begin).last_enqueued(rank, graph.source)
        seen = (begin >= 0) & (found == graph.source[waits.edge])
        return replace(firm, wait_edge=waits.edge[seen], wait_begin=begin[seen])

    def __len__(self) -> int:
        return len(self.start)

    def keys(self, rank: np.ndarray) -> np.ndarray:
        """When each event is enqueued, as a number that grows from stream to stream too: i64; the least if unknown."""
        known = np.where((self.call >= 0) & ~self.follows, rank[self.call], NONE)
        return np.asarray(self.stream * (len(rank) + 2) + known + 1)

    def last_enqueued(self, rank: np.ndarray, source: np.ndarray) -> np.ndarray:
        """End node of the last event in the awaited stream's queue when each wait begins, NONE: i64."""
        nodes = len(rank)
        place = np.full(nodes, NONE)
        place[self.end] = np.arange(len(self))
        stream = self.stream[place[source[self.wait_edge]]]
        queue = np.maximum.accumulate(self.keys(rank))
        at = np.searchsorted(queue, stream * (nodes + 2) + rank[self.wait_begin] + 1, side="left") - 1
        return np.where((at >= 0) & (self.stream[at] == stream), self.end[at], NONE)

    def holds(self, graph: TaskGraph, node_ns: np.ndarray) -> bool:
        """Whether, at these times of the nodes, calls come in the measured order and waits find what they found."""
        rank = ranks(node_ns)
        keys = self.keys(rank)
        in_order = (keys == np.maximum.accumulate(keys)) | self.follows
        found = self.last_enqueued(rank, graph.source) == graph.source[self.wait_edge]
        return bool(in_order.all() and found.all())

    def has_room(self, node_ns: np.ndarray, queue_limit: int) -> bool:
        """Whether no call comes back, at these times, before the event `queue_limit` places ahead of its own has
        started: then none has to wait for room. Only where the schedule `holds` at these times."""
        ahead = self.start[: max(len(self) - queue_limit, 0)]
        behind = slice(queue_limit, None)
        waits = (self.stream[behind] == self.stream[: len(ahead)]) & (self.back[behind] != NONE) & ~self.follows[behind]
        return bool((node_ns[self.back[behind]] >= node_ns[ahead])[waits].all())


def streams_of(run: Run) -> np.ndarray:
    """The stream of each device event, as Schedule wants it: i64 per global row, NONE of all else."""
    base, parts = 0, [np.zeros(0, np.int64)]
    for table in run.traces:
        parts.append(np.where(table.is_device, table.track.astype(np.int64) + base, NONE))
        base += len(table.tracks)
    return np.concatenate(parts)


def ranks(node_ns: np.ndarray) -> np.ndarray:
    """Place of each node by (time, number): i64."""
    rank = np.empty(len(node_ns), np.int64)
    rank[np.argsort(node_ns, kind="stable")] = np.arange(len(node_ns))
    return rank


def _calls(graph: TaskGraph) -> np.ndarray:
    """The node that launches each node: i64, NONE."""
    target = np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))
    edges = np.flatnonzero(graph.family == Family.LAUNCH)
    call = np.full(graph.nodes, NONE)
    call[target[edges]] = graph.source[edges]
    return call


def _other_nodes(graph: TaskGraph) -> tuple[np.ndarray, np.ndarray]:
    """(the end of what starts at each node, the start of what ends there): i64, i64, NONE."""
    rows = np.flatnonzero(graph.start_node >= 0)
    end, begin = np.full(graph.nodes, NONE), np.full(graph.nodes, NONE)
    end[graph.start_node[rows]] = graph.end_node[rows]
    begin[graph.end_node[rows]] = graph.start_node[rows]
    return end, begin


class _Waits(NamedTuple):
    edge: np.ndarray  # i64
    target: np.ndarray  # i64, the call's end node


def _waits(graph: TaskGraph, ends: np.ndarray) -> _Waits:
    """The edges, from one of the nodes `ends`, of calls that wait for a stream."""
    target = np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))
    is_end = np.zeros(graph.nodes, bool)
    is_end[ends] = True
    looked_up = (graph.family == Family.HOST_SYNC) & np.isin(graph.rule, LOOKED_UP) & is_end[graph.source]
    edge = np.flatnonzero(looked_up)
    return _Waits(edge, target[edge])
