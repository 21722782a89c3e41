"""From loose edges to a graph in topological order.

The nodes come in measured order, which is nearly topological: only where clocks disagree by a little does an edge
point back. Such nodes are put off until their causes have been placed, and follow them at once, so that what
happened together stays together in memory.
"""

from __future__ import annotations

import numpy as np

from simulation.csr import by_source, put_off
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty


def possible(edges: Edges, node_ns: np.ndarray) -> np.ndarray:
    """Edges that the measurement does not contradict: bool.

    An edge is contradicted if its target came before its source, or, where its weight says that the clocks differ,
    by more than they do.
    """
    slack = node_ns[edges.target] - node_ns[edges.source] - np.minimum(edges.weight_ns, 0)
    return np.asarray((slack >= 0) | (edges.certainty == Certainty.STRUCTURAL))


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
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    begin, at = by_source(place[edges.target], np.arange(len(edges)), len(order))
    edges = edges[at]
    renumbered = Edges(
        place[edges.source], place[edges.target], edges.weight_ns, edges.family, edges.rule, edges.certainty
    )
    return begin, renumbered
