"""From loose edges to a graph in topological order.

The nodes come in measured order, which is nearly topological: only where clocks disagree by a little does an edge
point back. Such nodes are put off until their causes have been placed, and follow them at once, so that what
happened together stays together in memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation import parallel
from simulation.csr import by_source, put_off
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty
from simulation.progress import Progress, silent

GATHERED = 1 << 20
"""Edges that a thread puts in order at a time."""

_STRUCTURAL = int(Certainty.STRUCTURAL)


def possible(edges: Edges, node_ns: np.ndarray) -> np.ndarray:
    """Edges that the measurement does not contradict: bool.

    An edge is contradicted if its target came before its source, or, where its weight says that the clocks differ,
    by more than they do.
    """
    found = np.empty(len(edges), bool)
    _possible(edges.source, edges.target, edges.weight_ns, edges.certainty, node_ns, found)
    return found


@njit(cache=True, nogil=True)
def _possible(
    source: np.ndarray,
    target: np.ndarray,
    weight_ns: np.ndarray,
    certainty: np.ndarray,
    node_ns: np.ndarray,
    found: np.ndarray,
) -> None:
    """Fill `found`."""
    for edge in range(len(source)):
        slack = node_ns[target[edge]] - node_ns[source[edge]] - min(weight_ns[edge], 0)
        found[edge] = slack >= 0 or certainty[edge] == _STRUCTURAL


def topological(edges: Edges, nodes: int) -> tuple[np.ndarray | None, Edges]:
    """(nodes in topological order, None if they are so already; the edges left). Cost: O(nodes + edges).

    The least certain edges that point back are dropped where they close a cycle.
    """
    if (edges.source < edges.target).all():
        return None, edges
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


def to_csr(edges: Edges, nodes: int) -> tuple[np.ndarray, Edges]:
    """(offsets, edges by target); stable within a target. Gathered on as many threads as there are processors."""
    offsets, which = by_source(edges.target, np.arange(len(edges), dtype=np.int32), nodes)
    found = Edges.empty(len(edges))

    def gather(first: int, progress: Progress) -> None:
        mine = slice(first, first + GATHERED)
        _gather(which[mine], *edges.columns, *(column[mine] for column in found.columns))

    turns = range(0, len(edges), GATHERED)
    parallel.each(gather, turns, [1] * len(turns), silent)
    return offsets, found


def places(order: np.ndarray) -> np.ndarray:
    """The place of each node in `order`: i32."""
    place = np.empty(len(order), np.int32)
    place[order] = np.arange(len(order), dtype=np.int32)
    return place


@njit(cache=True, nogil=True)
def _gather(
    which: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    weight_ns: np.ndarray,
    family: np.ndarray,
    rule: np.ndarray,
    certainty: np.ndarray,
    sources: np.ndarray,
    targets: np.ndarray,
    weights: np.ndarray,
    families: np.ndarray,
    rules: np.ndarray,
    certainties: np.ndarray,
) -> None:
    """Fill the last six with these edges of the first six.

    All columns at once, and read rather than written out of order: half the time of the other way round.
    """
    for at in range(len(which)):
        edge = which[at]
        sources[at], targets[at], weights[at] = source[edge], target[edge], weight_ns[edge]
        families[at], rules[at], certainties[at] = family[edge], rule[edge], certainty[edge]
