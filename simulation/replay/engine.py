"""Replay: when everything happens, given the graph and how long things take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.csr import forward
from simulation.graph import Rule, TaskGraph
from simulation.replay.kernels import walk_back

GAPS = [Rule.THREAD_GAP, Rule.THREAD_BEGIN, Rule.HANDOVER_TOLD, Rule.HANDOVER_GAP]
"""Time in which a thread rests, kept as measured."""


@dataclass(frozen=True)
class Times:
    """When each node of a graph happens in one replay."""

    graph: TaskGraph
    weight_ns: np.ndarray  # i64 per edge, as replayed
    node_ns: np.ndarray  # i64 per node
    binding: np.ndarray  # i64 per node: the edge that decided it, -1 of the root


@dataclass(frozen=True)
class CriticalPath:
    """The chain of edges that decides when the run ends."""

    nodes: np.ndarray  # i64, from the root to the last end
    rule_ns: np.ndarray  # i64 per Rule: time that edges of the rule take on the path
    residual_ns: int  # moved by residuals on the path, either way
    length_ns: int

    def percent(self, ns: int) -> float:
        """A part of the path as a share of it."""
        return 100 * ns / self.length_ns if self.length_ns else 0.0

    @property
    def unexplained_percent(self) -> float:
        """Residuals, and device events held at their measured start because nothing explains it."""
        return self.percent(self.residual_ns + int(self.rule_ns[Rule.PINNED]))

    @property
    def gap_percent(self) -> float:
        """Kept host gaps: no slice of the thread is open, the time before its first one, and between one
        thread's work and another's, included."""
        return self.percent(int(self.rule_ns[GAPS].sum()))


def replay(
    graph: TaskGraph,
    durations_ns: np.ndarray | None = None,
    *,
    weight_ns: np.ndarray | None = None,
    residuals: bool = True,
) -> Times:
    """Earliest times of all nodes. Cost: O(nodes + edges), one pass.

    `durations_ns` (i64 per global row, see TaskGraph.durations_ns) replaces how long events last; `weight_ns` (i64 per
    edge) replaces all weights, for changes to host work or to what dependencies cost. Default: as measured.
    """
    if weight_ns is None:
        weight_ns = graph.weight_ns if durations_ns is None else graph.weights(durations_ns)
    residual_ns = graph.residual_ns if residuals else np.zeros(graph.nodes, np.int64)
    node_ns, binding = forward(graph.offsets, graph.source, weight_ns, residual_ns)
    return Times(graph, weight_ns, node_ns, binding)


def critical_path(times: Times, last: int) -> CriticalPath:
    """The path back from node `last` along the edges that decided."""
    graph = times.graph
    nodes, rule_ns, residual_ns = walk_back(
        last, graph.source, times.weight_ns, graph.rule, max(Rule) + 1, times.node_ns, times.binding
    )
    return CriticalPath(nodes[::-1], rule_ns, int(residual_ns), int(times.node_ns[last]))
