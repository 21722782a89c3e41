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


def linked(tasks: Tasks) -> np.ndarray:
    """Rows of device events whose call is in the trace and on a thread: i64."""
    rows = np.flatnonzero(tasks.is_device)
    return np.asarray(rows[is_linked(tasks, rows)])


def is_linked(tasks: Tasks, rows: np.ndarray) -> np.ndarray:
    """Which of these device events have a call in the trace and on a thread: bool."""
    call = tasks.launch[rows]
    return np.asarray((call >= 0) & tasks.is_host[call])


def launched_as(tasks: Tasks) -> np.ndarray:
    """Launched of every row, UNSEEN of rows that are no device events: i64."""
    rows = linked(tasks)
    launched = np.bincount(tasks.launch[rows], minlength=len(tasks))
    found = np.full(len(tasks), int(Launched.UNSEEN))
    found[rows] = np.where(launched[tasks.launch[rows]] > 1, Launched.GRAPH, Launched.ALONE)
    return found
