"""Virtual start: a device event that nothing explains is held at its measured start."""

from __future__ import annotations

import numpy as np

from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import ROOT, Tasks


def edges(tasks: Tasks, explained: Edges) -> Edges:
    """Root to the start of each device event that no edge of `explained` leads to."""
    has_cause = np.zeros(tasks.nodes, bool)
    has_cause[explained.target] = True
    starts = tasks.start_node[tasks.is_device]
    starts = starts[~has_cause[starts]]
    root = np.full(len(starts), ROOT)
    return Edges.of(Family.VIRTUAL_START, root, starts, tasks.node_ns[starts], Rule.PINNED, Certainty.STRUCTURAL)
