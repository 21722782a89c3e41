"""What a runtime call waits for, as far as its name says."""

from __future__ import annotations

import re
from enum import IntEnum

import numpy as np
from numba import njit

from simulation.csr import by_source
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


_WORDS = ("Query", "Synchronize", "Free")
"""A name without one of these matches none of the patterns: most names, and looking for words is far cheaper."""


def wait_of(name: str) -> Wait:
    """How a call of this name waits."""
    if not any(word in name for word in _WORDS):
        return Wait.PERHAPS
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
    duration = tasks.end_ns[rows] - tasks.start_ns[rows]
    first = np.cumsum([0, *(len(table.names) for table in tasks.run.traces)])
    group = first[tasks.trace[rows]] + gathered(tasks.run, "name")[rows]
    return np.asarray(_medians(*by_source(group, duration, int(first[-1])))[group])


@njit(cache=True, nogil=True)
def _medians(begin: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Per group, whose values lie together, the value that half of them do not exceed; 0 of an empty one: i64."""
    found = np.zeros(len(begin) - 1, np.int64)
    for group in range(len(found)):
        count = begin[group + 1] - begin[group]
        if count > 0:
            at = (count - 1) // 2
            found[group] = np.partition(values[begin[group] : begin[group + 1]], at)[at]
    return found
