"""From loose edges to a graph in topological order.

The nodes come in measured order, which is nearly topological: only where clocks disagree by a little does an edge
point back. Such nodes are put off until their causes have been placed, and follow them at once, so that what
happened together stays together in memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.csr import by_source, put_off
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty

_STRUCTURAL = int(Certainty.STRUCTURAL)


def possible(edges: Edges, node_ns: np.ndarray) -> np.ndarray:
    """Edges that the measurement does not contradict: bool.

    An edge is contradicted if its target came before its source, or, where its weight says that the clocks differ,
    by more than they do.
    """
    return _possible(edges.source, edges.target, edges.weight_ns, edges.certainty, node_ns)


@njit(cache=True, nogil=True)
def _possible(
    source: np.ndarray, target: np.ndarray, weight_ns: np.ndarray, certainty: np.ndarray, node_ns: np.ndarray
) -> np.ndarray:
    found = np.empty(len(source), np.bool_)
    for edge in range(len(source)):
        slack = node_ns[target[edge]] - node_ns[source[edge]] - min(weight_ns[edge], 0)
        found[edge] = slack >= 0 or certainty[edge] == _STRUCTURAL
    return found


def topological(edges: Edges, nodes: int) -> tuple[np.ndarray, Edges]:
    """(nodes in topological order, the edges left). Cost: O(nodes + edges).

    The least certain edges that point back are dropped where they close a cycle.
    """
    if (edges.source < edges.target).all():
        return np.arange(nodes), edges
    for certainty in sorted(Certainty):
        begin, targets = by_source(edges.source, edges.target, nodes)
        order = put_off(begin, targets, nodes)
        if len(order) == nodes:
            return order, edges
        stuck = np.ones(nodes, bool)
        stuck[order] = False
        closing = stuck[edges.source] & stuck[edges.target] & (edges.source >= edges.target)
        edges = edges[~(closing & (edges.certainty <= certainty))]
    raise AssertionError("an order of all nodes contradicts itself")  # without edges that point back, none can


def to_csr(edges: Edges, order: np.ndarray) -> tuple[np.ndarray, Edges]:
    """(offsets, edges by target) with nodes renumbered to their place in `order`; stable within a target."""
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    offsets, columns = _by_target(
        place, edges.source, edges.target, edges.weight_ns, edges.family, edges.rule, edges.certainty
    )
    return offsets, Edges(*columns)


@njit(cache=True, nogil=True)
def _by_target(
    place: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    weight_ns: np.ndarray,
    family: np.ndarray,
    rule: np.ndarray,
    certainty: np.ndarray,
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Counting sort of all columns at once, nodes renumbered by `place`."""
    offsets = np.zeros(len(place) + 1, np.int64)
    for node in target:
        offsets[place[node] + 1] += 1
    for node in range(len(place)):
        offsets[node + 1] += offsets[node]
    free = offsets[:-1].copy()
    sources, targets = np.empty(len(source), np.int32), np.empty(len(source), np.int32)
    weights, families = np.empty(len(source), np.int64), np.empty(len(source), np.uint8)
    rules, certainties = np.empty(len(source), np.uint8), np.empty(len(source), np.uint8)
    for edge in range(len(source)):
        node = place[target[edge]]
        at = free[node]
        free[node] += 1
        sources[at], targets[at], weights[at] = place[source[edge]], node, weight_ns[edge]
        families[at], rules[at], certainties[at] = family[edge], rule[edge], certainty[edge]
    return offsets, (sources, targets, weights, families, rules, certainties)
