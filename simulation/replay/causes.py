"""What the time of each edge is spent on: its cause, and the row that it belongs to.

What leads to the end of a device event is that event's work, whichever family says so; the rest follows from family
and rule. A family that has no cause of its own here is its own cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulation.communication import kernels_that_communicate
from simulation.events import CALL_CATEGORIES
from simulation.graph import Family, Rule, TaskGraph
from simulation.run import Run

OWN_CAUSES = (
    "compute",  # kernels
    "communication",  # kernels of communication libraries
    "copy",  # copies and fills
    "host_op",  # self time of slices of threads
    "runtime_call",  # of those, calls into the device's runtime, what a call does after a wait included
    "host_gap",  # no slice of the thread is open
    "launch",  # from a call to what it launched
    "stream_gap",  # from one event of a stream to the next
    "sync",  # from the end of what was awaited to the return of the call
    "pinned",  # held at its measured start, because nothing explains it
)
COMPUTE, COMMUNICATION, COPY, HOST_OP, RUNTIME_CALL, HOST_GAP, LAUNCH, STREAM_GAP, SYNC, PINNED = range(len(OWN_CAUSES))

CAUSES = (*OWN_CAUSES, *(family.name.lower() for family in Family))
"""By code; a family's own cause comes after the others, at len(OWN_CAUSES) + family."""

COPIES = frozenset({"gpu_memcpy", "gpu_memset"})
BY_FAMILY = {
    Family.LAUNCH: LAUNCH,
    Family.STREAM_ORDER: STREAM_GAP,
    Family.HOST_SYNC: SYNC,
    Family.VIRTUAL_START: PINNED,
}


@dataclass(frozen=True)
class Rows:
    """What is asked about the rows of a run, by their global number, and about the nodes that they have in its graph.

    Each column is gathered when first needed.
    """

    run: Run
    graph: TaskGraph

    def on(self, graph: TaskGraph) -> Rows:
        """The same rows in another graph of the run."""
        return self if graph is self.graph else Rows(self.run, graph)

    @cached_property
    def trace(self) -> np.ndarray:
        """i64 per row"""
        return np.repeat(np.arange(len(self.run.traces)), np.diff(self.run.row_base))

    @cached_property
    def name(self) -> np.ndarray:
        """Code into the run's string table: i64 per row"""
        parts = [codes[table.name] for table, codes in zip(self.run.traces, self.run.name_codes, strict=True)]
        return np.concatenate([np.zeros(0, np.int64), *parts])

    @cached_property
    def parent(self) -> np.ndarray:
        """Global row of the enclosing slice: i64 per row, -1 none"""
        return self._linked("parent")

    @cached_property
    def launch(self) -> np.ndarray:
        """Global row of the call that launched a device event: i64 per row, -1 none"""
        return self._linked("launch")

    @cached_property
    def is_device(self) -> np.ndarray:
        return self._mask([table.is_device for table in self.run.traces])

    @cached_property
    def is_call(self) -> np.ndarray:
        """Calls into a device's runtime: bool per row"""
        return self.of_category(CALL_CATEGORIES)

    @cached_property
    def is_copy(self) -> np.ndarray:
        """Copies and fills: bool per row"""
        return self.of_category(COPIES)

    @cached_property
    def _speaks(self) -> np.ndarray:
        return self._mask([kernels_that_communicate(table) for table in self.run.traces])

    def work(self, row: np.ndarray) -> np.ndarray:
        """COMPUTE, COMMUNICATION or COPY of device events: i64."""
        return np.where(self.is_copy[row], COPY, np.where(self._speaks[row], COMMUNICATION, COMPUTE))

    @cached_property
    def lasts(self) -> np.ndarray:
        """Rows with a start and an end; an instant has one node: bool per row"""
        return np.asarray(self.graph.end_node != self.graph.start_node)

    @cached_property
    def starts(self) -> np.ndarray:
        """Row that starts, or happens, at each node: i64 per node, -1 none"""
        return self._at(self.graph.start_node, np.flatnonzero(self.graph.start_node >= 0))

    @cached_property
    def ends(self) -> np.ndarray:
        """Row that ends at each node: i64 per node, -1 none"""
        return self._at(self.graph.end_node, np.flatnonzero(self.lasts))

    def open_after(self, node: np.ndarray) -> np.ndarray:
        """The innermost slice that is open on its thread after each node: i64, -1 none."""
        started, ended = self.starts[node], self.ends[node]
        before = np.maximum(started, ended)
        opens = (started >= 0) & self.lasts[started]
        return np.where(opens, started, np.where(before >= 0, self.parent[before], -1))

    def of_category(self, categories: frozenset[str]) -> np.ndarray:
        return self._mask([table.category_mask(categories) for table in self.run.traces])

    def _linked(self, column: str) -> np.ndarray:
        local = np.concatenate([np.zeros(0, np.int64), *(table.columns[column] for table in self.run.traces)])
        return np.where(local >= 0, local + self.run.row_base[self.trace], -1)

    def _at(self, node_of: np.ndarray, rows: np.ndarray) -> np.ndarray:
        row_of = np.full(self.graph.nodes, -1)
        row_of[node_of[rows]] = rows
        return row_of

    def _mask(self, parts: list[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.zeros(0, bool), *parts])


@dataclass(frozen=True)
class Causes:
    """Of edges; columns of one length."""

    cause: np.ndarray  # i64, code into CAUSES
    row: np.ndarray  # i64, global row whose time it is, -1 none (gaps)
    trace: np.ndarray  # i64, -1 where the edge leads to a node of no row


def all_causes(rows: Rows) -> Causes:
    """Of every edge of the graph. Cost: O(nodes + edges + rows)."""
    graph = rows.graph
    return causes_of(rows, np.arange(graph.edges), np.repeat(np.arange(graph.nodes), np.diff(graph.offsets)))


def causes_of(rows: Rows, edges: np.ndarray, target: np.ndarray) -> Causes:
    """Of some edges (i64), each of which leads to the node `target` (i64)."""
    family, rule = rows.graph.family[edges], rows.graph.rule[edges]
    ended = rows.ends[target]
    work = np.where((ended >= 0) & rows.is_device[ended], ended, -1)
    on_thread = family == Family.THREAD_ORDER
    gap = on_thread & ((rule == Rule.THREAD_GAP) | (rule == Rule.THREAD_BEGIN))
    inner = rows.open_after(rows.graph.source[edges])
    cause = _by_family()[family]
    cause = np.where(on_thread, np.where((inner >= 0) & rows.is_call[inner], RUNTIME_CALL, HOST_OP), cause)
    cause = np.where(gap, HOST_GAP, cause)
    works = np.flatnonzero(work >= 0)
    cause[works] = rows.work(work[works])
    at = np.maximum(rows.starts[target], ended)
    row = np.where(gap, -1, np.where(on_thread, inner, np.where(work >= 0, work, at)))
    return Causes(cause.astype(np.int64), row, np.where(at >= 0, rows.trace[at], -1))


def _by_family() -> np.ndarray:
    """Cause of each family, where neither its target nor its thread tells more: i64 per Family."""
    table = len(OWN_CAUSES) + np.arange(max(Family) + 1)
    for family, cause in BY_FAMILY.items():
        table[family] = cause
    return table
