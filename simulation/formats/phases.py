"""What the letter in an event's `ph` makes of it: Chrome's trace event format, Kineto's included.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU (Trace Event Format).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum

import numpy as np


class Role(IntEnum):
    """Of one entry of the file's event list."""

    UNKNOWN = 0
    SLICE = 1
    INSTANT = 2
    COUNTER = 3
    BEGIN = 4
    END = 5
    ASYNC_BEGIN = 6
    ASYNC_INSTANT = 7
    ASYNC_END = 8
    FLOW = 9
    META = 10


LETTERS = {
    Role.SLICE: "X",
    Role.INSTANT: "iIRP",  # I is the old i; R are marks, P samples
    Role.COUNTER: "C",
    Role.BEGIN: "B",
    Role.END: "E",
    Role.ASYNC_BEGIN: "bS",  # S, T, p, F are the old spelling
    Role.ASYNC_INSTANT: "nTp",
    Role.ASYNC_END: "eF",
    Role.FLOW: "stf",
    Role.META: "M",
}

ASYNC = (Role.ASYNC_BEGIN, Role.ASYNC_INSTANT, Role.ASYNC_END)
BEGINS = (Role.BEGIN, Role.ASYNC_BEGIN)
ENDS = (Role.END, Role.ASYNC_END)
TIMED = (Role.SLICE, Role.INSTANT, Role.COUNTER, *BEGINS, *ENDS, Role.ASYNC_INSTANT)
"""Those that have a place on the timeline if their times are usable."""

FLOW_START, FLOW_STEP, FLOW_END = (ord(letter) for letter in LETTERS[Role.FLOW])
META = ord(LETTERS[Role.META])

_ROLES = np.zeros(256, np.uint8)
for _role, _letters in LETTERS.items():
    _ROLES[[ord(letter) for letter in _letters]] = _role


def roles(phase: np.ndarray) -> np.ndarray:
    """Role of each phase (integers, as in Block): u8."""
    return np.asarray(_ROLES[np.clip(phase, 0, 255)])


def among(role: np.ndarray, wanted: Sequence[Role]) -> np.ndarray:
    """Whether each role (u8) is one of those wanted: bool."""
    is_wanted = np.zeros(len(Role), np.bool_)
    is_wanted[list(wanted)] = True
    return np.asarray(is_wanted[role])
