"""Device work: a device event lasts as long as it was measured to, or as a scenario says."""

from __future__ import annotations

import numpy as np

from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import Tasks


def edges(tasks: Tasks, lasting_ns: np.ndarray) -> Edges:
    """Start to end of each device event; `lasting_ns` (i64 per row) is its duration, less what it waited for others."""
    rows = np.flatnonzero(tasks.is_device)
    return Edges.of(
        Family.DEVICE_WORK,
        tasks.start_node[rows],
        tasks.end_node[rows],
        lasting_ns[rows],
        Rule.DURATION,
        Certainty.STRUCTURAL,
    )
