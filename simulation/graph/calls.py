"""Runtime calls: what they wait for, as far as their names say, and how long they usually take."""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.csr import by_source
from simulation.graph.polling import Wait, wait_of
from simulation.graph.tasks import Tasks, gathered


def waits(tasks: Tasks) -> np.ndarray:
    """Wait of every row; NEVER where it is no call: u8."""
    parts = [
        np.array([wait_of(name) for name in table.names] or [Wait.NEVER], np.uint8)[table.columns["name"]]
        for table in tasks.run.traces
    ]
    return np.where(tasks.is_call, np.concatenate([np.zeros(0, np.uint8), *parts]), Wait.NEVER).astype(np.uint8)


def calls_named(tasks: Tasks, part: str) -> np.ndarray:
    """Rows of the calls with this in their name: i64."""
    masks = [
        np.array([part in name for name in table.names] or [False])[table.columns["name"]] for table in tasks.run.traces
    ]
    return np.flatnonzero(np.concatenate([np.zeros(0, bool), *masks]) & tasks.is_call)


def usual_ns(tasks: Tasks, rows: np.ndarray, share: float = 0.5) -> np.ndarray:
    """For each of `rows`, how long that share of the listed calls of its trace and name take at most: i64."""
    duration = tasks.end_ns[rows] - tasks.start_ns[rows]
    first = np.cumsum([0, *(len(table.names) for table in tasks.run.traces)])
    group = first[tasks.trace[rows]] + gathered(tasks.run, "name")[rows]
    return np.asarray(_not_exceeded(*by_source(group, duration, int(first[-1])), share)[group])


@njit(cache=True, nogil=True)
def _not_exceeded(begin: np.ndarray, values: np.ndarray, share: float) -> np.ndarray:
    """Per group, whose values lie together, the value that the share of them do not exceed; 0 of an empty one: i64."""
    found = np.zeros(len(begin) - 1, np.int64)
    for group in range(len(found)):
        count = begin[group + 1] - begin[group]
        if count > 0:
            at = int((count - 1) * share)
            found[group] = np.partition(values[begin[group] : begin[group + 1]], at)[at]
    return found
