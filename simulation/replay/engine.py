"""Replay: when everything happens, given the graph and how long things take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.csr import forward
from simulation.graph import TaskGraph


@dataclass(frozen=True)
class Times:
    """When each node of a graph happens in one replay."""

    graph: TaskGraph
    weight_ns: np.ndarray  # i64 per edge, as replayed
    residual_ns: np.ndarray  # i64 per node, as replayed
    node_ns: np.ndarray  # i64 per node
    binding: np.ndarray  # i32 per node: the edge that decided it, -1 of the root


def replay(
    graph: TaskGraph,
    durations_ns: np.ndarray | None = None,
    *,
    weight_ns: np.ndarray | None = None,
    residuals: bool = True,
) -> Times:
    """Earliest times of all nodes. Cost: O(nodes + edges), one pass.

    `durations_ns` (i64 per global row) replaces how long device events last; `weight_ns` (i64 per edge) replaces
    all weights, for changes to host work or to what dependencies cost. Default: as measured.
    """
    if weight_ns is None:
        weight_ns = graph.weight_ns if durations_ns is None else graph.weights(durations_ns)
    residual_ns = graph.residual_ns if residuals else np.zeros(graph.nodes, np.int64)
    node_ns, binding = forward(graph.offsets, graph.source, weight_ns, residual_ns)
    return Times(graph, weight_ns, residual_ns, node_ns, binding)
