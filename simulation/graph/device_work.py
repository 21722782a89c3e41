"""Device work: a device event lasts as long as it was measured to, or as a scenario says."""

from __future__ import annotations

import numpy as np

from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import Tasks


def edges(tasks: Tasks) -> Edges:
    """Start to end of each device event."""
    rows = np.flatnonzero(tasks.is_device)
    return Edges.of(
        Family.DEVICE_WORK,
        tasks.start_node[rows],
        tasks.end_node[rows],
        tasks.end_ns[rows] - tasks.start_ns[rows],
        Rule.DURATION,
        Certainty.STRUCTURAL,
    )
