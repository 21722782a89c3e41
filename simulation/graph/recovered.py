"""How well dependencies between streams are found: those that a graph infers against those that are known.

An edge counts as found if the graph orders its two events at all, through whatever other events, and as right if the
truth does. Events are named by their place in `Tasks.streams`, so that graphs of the same device events compare.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from simulation.graph.families import Rule
from simulation.graph.taskgraph import TaskGraph
from simulation.graph.tasks import Tasks

BEFORE_ALL = -1
WAITS = (Rule.EVENT_TOLD, Rule.EVENT_HELD, Rule.EVENT_ORDER, Rule.STREAM_HELD)


@dataclass(frozen=True)
class Recovered:
    """How many edges are known, how many of them were found; how many were inferred, how many of them are right."""

    known: int
    found: int
    inferred: int
    right: int

    def __add__(self, other: Recovered) -> Recovered:
        return Recovered(*(a + b for a, b in zip(self._all(), other._all(), strict=True)))

    @property
    def recall(self) -> float:
        return self.found / self.known if self.known else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.inferred if self.inferred else 1.0

    def _all(self) -> tuple[int, int, int, int]:
        return self.known, self.found, self.inferred, self.right


def recovered(tasks: Tasks, known: np.ndarray, inferred: np.ndarray) -> Recovered:
    """Compare two sets of edges (i64[n, 2]: awaited event, waiting event) over the device events of one run."""
    rows = tasks.streams
    stream = np.cumsum(np.diff(tasks.track[rows], prepend=-1) != 0) - 1
    order = np.lexsort((np.arange(len(rows)), tasks.start_ns[rows]))
    hits = []
    for edges, asked in ((inferred, known), (known, inferred)):
        seen = seen_of_streams(stream, order, *_by_target(edges, len(rows)))
        hits.append(int((seen[asked[:, 1], stream[asked[:, 0]]] >= asked[:, 0]).sum()))
    return Recovered(len(known), hits[0], len(inferred), hits[1])


def crossings(tasks: Tasks, graph: TaskGraph, rules: tuple[Rule, ...] = WAITS) -> np.ndarray:
    """The edges by these rules from one stream to another, each once: i64[n, 2] of places in `tasks.streams`."""
    rows = tasks.streams
    ends, starts = np.full(graph.nodes, -1), np.full(graph.nodes, -1)
    ends[graph.end_node[rows]] = starts[graph.start_node[rows]] = np.arange(len(rows))
    edge = np.flatnonzero(np.isin(graph.rule, rules))
    target = np.searchsorted(graph.offsets, edge, side="right") - 1
    pairs = np.stack([ends[graph.source[edge]], starts[target]], axis=1)
    pairs = pairs[(pairs >= 0).all(axis=1)]
    track = tasks.track[rows]
    return np.unique(pairs[track[pairs[:, 0]] != track[pairs[:, 1]]], axis=0)


def _by_target(edges: np.ndarray, events: int) -> tuple[np.ndarray, np.ndarray]:
    """(offsets per target, sources by target)."""
    order = np.argsort(edges[:, 1], kind="stable")
    offsets = np.searchsorted(edges[order, 1], np.arange(events + 1))
    return offsets, edges[order, 0]


@njit(cache=True, nogil=True)
def seen_of_streams(stream: np.ndarray, order: np.ndarray, offsets: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Per event and stream, the last event of the stream that has ended before it starts by these edges and the order
    of streams, BEFORE_ALL none: i64[events, streams].

    Events of a stream are numbered one after the other; `order` is all of them by start; `source` are the awaited
    ones of event i at offsets[i] .. offsets[i + 1].
    """
    streams = stream.max() + 1 if len(stream) else 0
    seen = np.full((len(stream), streams), BEFORE_ALL, np.int64)
    for event in order:
        if event > 0 and stream[event - 1] == stream[event]:
            seen[event] = seen[event - 1]
            seen[event, stream[event]] = event - 1
        for other in source[offsets[event] : offsets[event + 1]]:
            seen[event] = np.maximum(seen[event], seen[other])
            seen[event, stream[other]] = max(seen[event, stream[other]], other)
    return seen
