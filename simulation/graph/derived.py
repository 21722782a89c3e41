"""Events of the device's tracks that are no work of their own: annotations, sync marks, instants.

They are not nodes. Each hangs on two nodes, one for its start and one for its end, with the measured offset:
an annotation on the first and last device event that it encloses, a mark on the call with its correlation id, anything
else on the device event before it, or on the run's root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.graph.tasks import ROOT, Tasks

TOLERANCE_NS = 1_000
"""An annotation begins or ends up to this much inside its events; old traces have whole microseconds."""


@dataclass(frozen=True)
class Anchors:
    """Where each derived row hangs."""

    row: np.ndarray  # i64, ascending
    start_node: np.ndarray  # i64
    start_offset_ns: np.ndarray  # i64: measured start of the row minus the time of start_node
    end_node: np.ndarray  # i64
    end_offset_ns: np.ndarray  # i64

    @classmethod
    def joined(cls, parts: Sequence[Anchors]) -> Anchors:
        none = np.zeros(0, np.int64)
        return cls(*(np.concatenate([none, *(getattr(each, n) for each in parts)]) for n in cls.__dataclass_fields__))

    def renumbered(self, first_row: int, place: np.ndarray) -> Anchors:
        """The same of rows from `first_row` on, and of nodes by their `place`."""
        return Anchors(
            self.row + first_row,
            place[self.start_node].astype(np.int64),
            self.start_offset_ns,
            place[self.end_node].astype(np.int64),
            self.end_offset_ns,
        )


def anchors(tasks: Tasks) -> Anchors:
    """Anchors of all derived rows. Cost: O(rows log device events)."""
    rows = np.flatnonzero(tasks.is_derived)
    first, last = _enclosed(tasks, rows)
    call = tasks.launch[rows]
    call = np.where((call >= 0) & tasks.is_host[call], call, -1)
    before = _event_before(tasks, rows)
    fallback = np.where(before >= 0, tasks.end_node[before], ROOT)
    cases = [first >= 0, call >= 0]
    start_node = np.select(cases, [tasks.start_node[first], tasks.start_node[call]], fallback)
    end_node = np.select(cases, [tasks.end_node[last], tasks.end_node[call]], fallback)
    start_offset = tasks.start_ns[rows] - tasks.node_ns[start_node]
    return Anchors(rows, start_node, start_offset, end_node, tasks.end_ns[rows] - tasks.node_ns[end_node])


def _enclosed(tasks: Tasks, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """First and last device event of its track that each row spans, -1 none: i64, i64.

    The event that is running when the row starts, or ends, counts if the row cuts off less than the tolerance.
    """
    device = np.append(tasks.streams, -1)
    start, end = tasks.start_ns[device], tasks.end_ns[device]
    first = _place(tasks, rows, tasks.start_ns[rows], side="left")
    last = _place(tasks, rows, tasks.end_ns[rows], side="left") - 1
    running = (first > 0) & (tasks.track[device[first - 1]] == tasks.track[rows])
    running &= (end[first - 1] > tasks.start_ns[rows]) & (start[first - 1] >= tasks.start_ns[rows] - TOLERANCE_NS)
    first = np.where(running, first - 1, first)
    last = np.where((end[last] > tasks.end_ns[rows] + TOLERANCE_NS) & (last > first), last - 1, last)
    spans = tasks.is_slice[rows] & (first <= last)
    return np.where(spans, device[first], -1), np.where(spans, device[last], -1)


def _event_before(tasks: Tasks, rows: np.ndarray) -> np.ndarray:
    """The device event of its track that started last before each row, -1 none: i64."""
    device = np.append(tasks.streams, -1)
    event = device[_place(tasks, rows, tasks.start_ns[rows], side="right") - 1]
    return np.where((event >= 0) & (tasks.track[event] == tasks.track[rows]), event, -1)


def _place(tasks: Tasks, rows: np.ndarray, when_ns: np.ndarray, side: str) -> np.ndarray:
    """Position in tasks.streams of each row's track at `when_ns`: i64."""
    device = tasks.streams
    begin = np.searchsorted(tasks.track[device], tasks.track[rows], side="left")
    end = np.searchsorted(tasks.track[device], tasks.track[rows], side="right")
    starts = tasks.start_ns[device]
    right = side == "right"
    while (open_ := begin < end).any():  # one binary search for all rows
        middle = (begin + end) // 2
        value = starts[np.minimum(middle, len(starts) - 1)]
        below = (value <= when_ns) if right else (value < when_ns)
        begin = np.where(open_ & below, middle + 1, begin)
        end = np.where(open_ & ~below, middle, end)
    return np.asarray(begin)
