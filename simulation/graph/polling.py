"""What names of runtime calls say of waiting, and which threads only poll."""

from __future__ import annotations

import re
from enum import IntEnum

import numpy as np

from simulation.events import CALL_CATEGORIES, Kind
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
    if "Query" not in name and "Synchronize" not in name and "Free" not in name:  # most names; far cheaper to look for
        return Wait.PERHAPS
    return next((wait for wait, pattern in _NAMES if pattern.search(name)), Wait.PERHAPS)


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
