"""When nodes of a graph happen, where no one wrote it down: as early as their dependencies allow.

A node begins when all that it depends on has ended, and when the node it nests in has begun; it ends when its
own duration is over and all that nests in it has ended. The clock starts at 0.
"""

from __future__ import annotations

import numpy as np

from simulation.csr import by_source, forward, put_off


def place(
    dur_ns: np.ndarray, inside: np.ndarray, row: np.ndarray, on: np.ndarray
) -> tuple[np.ndarray, np.ndarray, int]:
    """(start i64, end i64, dependencies left out because they close a cycle). Cost: O(nodes + dependencies).

    `dur_ns` and `inside` (the node that each nests in, -1 none) are per node; node row[i] depends on node on[i].
    Of a cycle, dependencies on later nodes are left out first, then all in it, nesting last.
    """
    nodes = np.arange(len(dur_ns))
    nested = np.flatnonzero((inside >= 0) & (inside != nodes))
    holder = inside[nested]
    begin, close = 2 * nodes, 2 * nodes + 1
    source = np.concatenate([begin, close[on], begin[holder], close[nested]])
    target = np.concatenate([close, begin[row], begin[nested], close[holder]])
    weight = np.concatenate([dur_ns, np.zeros(len(on) + 2 * len(nested), np.int64)])
    later = np.zeros(len(source), np.int64)  # how soon an edge is given up: 0 never
    later[len(nodes) :] = 1
    later[len(nodes) : len(nodes) + len(on)] = np.where(on >= row, 3, 2)
    order, kept = _order(source, target, later, 2 * len(nodes))
    time = _earliest(source[kept], target[kept], weight[kept], order)
    lost = np.count_nonzero(~kept[: len(nodes) + len(on) + len(nested)])
    return time[begin], time[close], int(lost)


def _order(source: np.ndarray, target: np.ndarray, later: np.ndarray, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """(topological order of the nodes, edges kept: bool); edges in cycles go by `later`, highest first."""
    kept = np.ones(len(source), bool)
    for level in (3, 2, 1, 0):
        order: np.ndarray = put_off(*by_source(source[kept], target[kept], nodes), nodes)
        if len(order) == nodes:
            break
        stuck = np.ones(nodes, bool)
        stuck[order] = False
        kept &= ~((later >= max(level, 1)) & stuck[source] & stuck[target])
    return order, kept


def _earliest(source: np.ndarray, target: np.ndarray, weight: np.ndarray, order: np.ndarray) -> np.ndarray:
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    by_target = np.argsort(rank[target], kind="stable")
    offsets = np.searchsorted(rank[target][by_target], np.arange(len(order) + 1))
    time, _ = forward(offsets, rank[source][by_target], weight[by_target], np.zeros(len(order), np.int64))
    return np.asarray(time[rank])
