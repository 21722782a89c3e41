"""Slack: how much later something may happen, or longer last, before the run or a step ends later.

The backward pass: from what must not move, along every edge, to the latest time of every node. A node that comes no
later than that moves nothing, for the forward pass only ever takes the latest of what its edges allow.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.replay.engine import Times

UNBOUNDED = np.iinfo(np.int64).max
"""Nothing that must stay depends on it."""


def run_slack(times: Times, ends: np.ndarray) -> np.ndarray:
    """Slack of every node before the run ends later: i64 ns. `ends` (bool per node): those that may end the run."""
    limit = np.full(times.graph.nodes, UNBOUNDED)
    if ends.any():
        limit[ends] = times.node_ns[ends].max()
    return slack(times, limit)


def step_slack(times: Times, step_ends: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Slack of every node before any step, or the run, ends later: i64 ns. `step_ends` (i64): the steps' end nodes."""
    limit = np.full(times.graph.nodes, UNBOUNDED)
    if ends.any():
        limit[ends] = times.node_ns[ends].max()
    limit[step_ends] = times.node_ns[step_ends]
    return slack(times, limit)


def slack(times: Times, limit_ns: np.ndarray) -> np.ndarray:
    """Slack of every node (i64 ns) where none may come after its limit (i64, UNBOUNDED: any time). O(nodes + edges)."""
    graph = times.graph
    latest_ns = limit_ns.copy()
    _backward(graph.offsets, graph.source, times.weight_ns, times.residual_ns, latest_ns)
    return np.where(latest_ns == UNBOUNDED, UNBOUNDED, latest_ns - times.node_ns)


def row_slack(times: Times, node_slack: np.ndarray) -> np.ndarray:
    """How much longer each row may last: i64 ns per global row; UNBOUNDED, -1 where a row is not replayed itself."""
    end_node = times.graph.end_node
    return np.where(end_node >= 0, node_slack[end_node], -1)


@njit(cache=True, nogil=True)
def _backward(
    offsets: np.ndarray, source: np.ndarray, weight_ns: np.ndarray, residual_ns: np.ndarray, latest_ns: np.ndarray
) -> None:
    """Bring `latest_ns` forward to what the nodes that depend on each allow; in place."""
    for node in range(len(offsets) - 2, -1, -1):
        if latest_ns[node] == UNBOUNDED:
            continue
        for edge in range(offsets[node], offsets[node + 1]):
            takes = max(weight_ns[edge] + residual_ns[node], min(weight_ns[edge], 0))
            before = np.uint32(source[edge])
            latest_ns[before] = min(latest_ns[before], latest_ns[node] - takes)
