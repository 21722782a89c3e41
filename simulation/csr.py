"""Directed graphs as arrays: edges by node in one run each (CSR), an order in which causes come first, and the pass.

Of a graph with n nodes, the edges of node v are offsets[v] .. offsets[v + 1] (i64, n + 1).

Large arrays are made outside the kernels that fill them: NumPy asks for large pages, without which half of the time
goes into faults.
"""

from __future__ import annotations

import numpy as np
from numba import njit

NO_EDGE = -1


def by_source(source: np.ndarray, target: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Counting sort: (offsets per source, targets by source, stable, of their own type)."""
    offsets, targets = np.zeros(nodes + 2, np.int64), np.empty(len(source), target.dtype)
    _by_source(source, target, offsets, targets)
    return offsets[:-1], targets


@njit(cache=True, nogil=True)
def _by_source(source: np.ndarray, target: np.ndarray, offsets: np.ndarray, targets: np.ndarray) -> None:
    """Fill `targets`, and `offsets`, zeros before, with one more behind.

    Until all are placed, the next free place of a source stands where its successor's offset is to be.
    """
    for node in source:
        offsets[node + 2] += 1
    for node in range(2, len(offsets)):
        offsets[node] += offsets[node - 1]
    for edge in range(len(source)):
        free = source[edge] + 1
        targets[offsets[free]] = target[edge]
        offsets[free] += 1


def put_off(offsets: np.ndarray, targets: np.ndarray, nodes: int) -> np.ndarray:
    """Nodes by number, each put off until its causes are placed; those of a cycle, and after it, are missing: i32."""
    order, missing = np.empty(nodes, np.int32), np.zeros(nodes, np.int32)
    return order[: _put_off(offsets, targets, order, missing, np.empty(nodes, np.int32))]


@njit(cache=True, nogil=True)
def _put_off(
    offsets: np.ndarray, targets: np.ndarray, order: np.ndarray, missing: np.ndarray, stack: np.ndarray
) -> int:
    """Fill `order` and tell how many nodes it has; `missing`, zeros before, and `stack` are room for each node."""
    for target in targets:
        missing[target] += 1
    n, depth = 0, 0
    for node in range(len(order)):
        if missing[node] > 0:
            continue
        stack[0], depth = node, 1
        while depth > 0:
            depth -= 1
            here = stack[depth]
            order[n] = here
            n += 1
            for target in targets[offsets[here] : offsets[here + 1]]:
                missing[target] -= 1
                if missing[target] == 0 and target <= node:
                    stack[depth] = target
                    depth += 1
    return n


def forward(
    offsets: np.ndarray, source: np.ndarray, weight_ns: np.ndarray, residual_ns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Earliest time of every node and the edge that decided it: (i64, i32; NO_EDGE of the root).

    A node comes when its last edge allows, moved by its residual, yet never before a node that it depends on (edges of
    negative weight, where clocks differ, allow that much). Of equally late edges the first decides. O(nodes + edges).
    """
    nodes = len(offsets) - 1
    time_ns, binding = np.empty(nodes, np.int64), np.empty(nodes, np.int32)
    _forward(offsets, source, weight_ns, residual_ns, time_ns, binding)
    return time_ns, binding


@njit(cache=True, nogil=True)
def _forward(
    offsets: np.ndarray,
    source: np.ndarray,
    weight_ns: np.ndarray,
    residual_ns: np.ndarray,
    time_ns: np.ndarray,
    binding: np.ndarray,
) -> None:
    """Fill `time_ns` and `binding`. Sources are cast to unsigned so that no index is looked at for its sign."""
    end = offsets[0]
    for node in range(len(offsets) - 1):
        first, end = end, offsets[node + 1]
        if first == end:
            time_ns[node], binding[node] = 0, NO_EDGE
            continue
        latest, decides = time_ns[np.uint32(source[first])] + weight_ns[first], first
        for edge in range(first + 1, end):
            allowed = time_ns[np.uint32(source[edge])] + weight_ns[edge]
            decides = edge if allowed > latest else decides  # no branch: which edge decides is hard to foretell
            latest = max(allowed, latest)
        latest += residual_ns[node]
        if residual_ns[node] < 0:  # only then can it come too early
            for edge in range(first, end):
                latest = max(latest, time_ns[np.uint32(source[edge])] + min(weight_ns[edge], 0))
        time_ns[node], binding[node] = latest, decides
