"""What a runtime call waits for, as far as its name says."""

from __future__ import annotations

import re
from enum import IntEnum

import numpy as np

from simulation.events import CALL_CATEGORIES, Kind
from simulation.graph.tasks import Tasks, gathered
from simulation.run import Run


POLLING_SHARE = 0.5
"""Of the slices of a thread that polls, at least so many are polls."""


class Wait(IntEnum):
    """Who a call waits for by its name."""

    NEVER = 0  # polling: asks and returns
    PERHAPS = 1  # not by its name, but it may be held up
    SOMETHING = 2  # an event, or what a free has to wait for
    STREAM = 3
    DEVICE = 4


_NAMES = (
    (Wait.NEVER, re.compile(r"(Event|Stream)Query")),
    (Wait.DEVICE, re.compile(r"(Device|Ctx|Context|Thread)Synchronize")),
    (Wait.STREAM, re.compile(r"StreamSynchronize")),
    (Wait.SOMETHING, re.compile(r"Synchronize|^(cu|cuda|hip)(Mem|Host)?Free(?!.*Async)")),
)


def wait_of(name: str) -> Wait:
    """How a call of this name waits."""
    return next((wait for wait, pattern in _NAMES if pattern.search(name)), Wait.PERHAPS)


def waits(tasks: Tasks) -> np.ndarray:
    """Wait of every row; NEVER where it is no call: u8."""
    parts = [
        np.array([wait_of(name) for name in table.names] or [Wait.NEVER], np.uint8)[table.columns["name"]]
        for table in tasks.run.traces
    ]
    return np.where(tasks.is_call, np.concatenate([np.zeros(0, np.uint8), *parts]), Wait.NEVER).astype(np.uint8)


def polling_tracks(run: Run) -> np.ndarray:
    """Threads whose calls only poll, and which do little else: bool per track of the run.

    A watchdog that asks for the state of collectives is one: nothing waits for it.
    """
    found = []
    for table in run.traces:
        polls = np.array([wait_of(name) == Wait.NEVER for name in table.names] or [False])[table.columns["name"]]
        polls &= table.category_mask(CALL_CATEGORIES)
        slices = (table.columns["kind"] == Kind.SLICE) & ~table.is_window
        track, tracks = table.columns["track"], len(table.tracks)
        asked = np.bincount(track[polls & slices], minlength=tracks)
        found.append((asked > 0) & (asked >= POLLING_SHARE * np.bincount(track[slices], minlength=tracks)))
    return np.concatenate([np.zeros(0, bool), *found])


def calls_named(tasks: Tasks, part: str) -> np.ndarray:
    """Rows of the calls with this in their name: i64."""
    masks = [
        np.array([part in name for name in table.names] or [False])[table.columns["name"]] for table in tasks.run.traces
    ]
    return np.flatnonzero(np.concatenate([np.zeros(0, bool), *masks]) & tasks.is_call)


def usual_ns(tasks: Tasks, rows: np.ndarray) -> np.ndarray:
    """For each of `rows`, how long half of the listed calls of its trace and name take at most: i64."""
    name = gathered(tasks.run, "name")[rows]
    duration = tasks.end_ns[rows] - tasks.start_ns[rows]
    _, group = np.unique(np.stack([tasks.trace[rows], name]), axis=1, return_inverse=True)
    order = np.lexsort((duration, group))
    count = np.bincount(group)
    begin = np.cumsum(count) - count
    return np.asarray(duration[order][begin + (count - 1) // 2][group])
