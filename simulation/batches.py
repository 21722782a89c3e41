"""Sends and receives that PyTorch enqueues as one kernel (`batch_isend_irecv`).

The kernel tells nothing of them. Each call of the batch is told by a `record_param_comms` on the launching thread
before the launch: the calls between two launches of communication belong to the second.
"""

from __future__ import annotations

import re

import numpy as np

from simulation.events import EventTable
from simulation.store import Strings

PAIRED = ("send", "recv")
"""What one rank sends and another receives; every sender counts for itself, so that a group's numbers do not match."""

_BATCH = re.compile(r"sendrecv|generic", re.IGNORECASE)
"""Names of kernels that may do a batch of sends and receives."""


def described(table: EventTable, rows: np.ndarray) -> np.ndarray:
    """The line of the `collectives` side table of each row, -1 none: i64."""
    side = np.asarray(table.sides["collectives"]["row"])
    line = np.searchsorted(side, rows)
    return np.where(np.append(side, -1)[line] == rows, line, -1)


def batched(table: EventTable, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(kernel, line of the `collectives` side table) for each send and receive of a batch: i64, i64.

    `rows` are the kernels of communication. Cost: O(lines log kernels).
    """
    side = table.sides["collectives"]
    words = side["collective"]
    assert isinstance(words, Strings)
    is_paired = np.array([word in PAIRED for word in (*words.words, "")])[words.codes]
    called = np.asarray(side["row"])
    lines = np.flatnonzero(is_paired & ~table.is_device[called])
    launched = rows[table.is_device[rows] & (table.launch[rows] >= 0)]
    kernel = _next_launch(table, called[lines], launched)
    chosen = kernel >= 0
    names, name = np.unique(table.name[kernel[chosen]], return_inverse=True)
    may = np.array([_BATCH.search(table.names[code]) is not None for code in names.tolist()], bool)
    chosen[chosen] = may[name] & (described(table, kernel[chosen]) < 0)
    return kernel[chosen], lines[chosen]


def _next_launch(table: EventTable, calls: np.ndarray, kernels: np.ndarray) -> np.ndarray:
    """The kernel among `kernels` that the thread of each call launches next, -1 none: i64."""
    launch = table.launch[kernels]
    order = np.lexsort((table.start_ns[launch], table.track[launch]))
    launch, kernels = launch[order], np.append(kernels[order], -1)
    found = np.full(len(calls), -1)
    for track in np.unique(table.track[calls]):
        mine = np.flatnonzero(table.track[calls] == track)
        first, end = np.searchsorted(table.track[launch], [track, track + 1])
        at = first + np.searchsorted(table.start_ns[launch[first:end]], table.start_ns[calls[mine]])
        found[mine] = np.where(at < end, kernels[at], -1)
    return found
