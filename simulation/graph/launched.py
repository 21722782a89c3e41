"""What launched the device events of a run, and how."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from simulation.graph.tasks import Tasks


class Launched(IntEnum):
    """How a device event came into its queue."""

    ALONE = 0
    GRAPH = 1  # together with others, by one call
    UNSEEN = 2  # by no call of the trace


def launched_as(tasks: Tasks, rows: np.ndarray) -> np.ndarray:
    """Launched of each of these device events: i64."""
    launched = np.where(tasks.launches[tasks.launch[rows]] > 1, Launched.GRAPH, Launched.ALONE)
    return np.where(tasks.is_linked(rows), launched, Launched.UNSEEN)
