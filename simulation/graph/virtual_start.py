"""Virtual start: a device event that nothing explains is held at its measured start."""

from __future__ import annotations

import numpy as np

from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule

ROOT = 0


def edges(starts: np.ndarray, node_ns: np.ndarray, explained: Edges) -> Edges:
    """Root to each of the nodes `starts`, of device events, that no edge of `explained` leads to."""
    has_cause = np.zeros(len(node_ns), bool)
    has_cause[explained.target] = True
    starts = starts[~has_cause[starts]]
    root = np.full(len(starts), ROOT)
    return Edges.of(Family.VIRTUAL_START, root, starts, node_ns[starts], Rule.PINNED, Certainty.STRUCTURAL)
