"""Stream order: a stream works off its events one after the other, in the order in which they started.

From the end of the event before to the start of the next; the weight is what hand-overs like it cost at that time of
the run where the next event was already waiting, never the gap measured at that spot. Where two events of a stream
overlap in the measurement, start follows start, and the later one follows what ended in between: lanes and order stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numba import njit

from simulation.graph.calibration import mean_nearby
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.launched import Launched, launched_as
from simulation.graph.tasks import Tasks

LONGEST_NS = 50_000
"""A hand-over that took longer waited for something else."""

SEEN_LEAST = 8
"""A kind of hand-over seen less often is taken together with its like."""

KINDS = 3
"""Of Tasks.device_kind."""

COPY = 1
"""Of Tasks.device_kind."""

HANDOVER, OVERLAP, EARLIER = 0, 1, 2
"""How a pair relates: the later event starts next after the earlier ended; while it runs; after it and others ended."""


class Beside(IntEnum):
    """What else a device does as it goes from one event to the next: with the bus in use that takes longer."""

    NOTHING = 0
    WORK = 1
    COPY = 2


@dataclass(frozen=True)
class Pairs:
    """Dependencies within streams; columns of one length."""

    earlier: np.ndarray  # i64, row
    later: np.ndarray  # i64, row
    relation: np.ndarray  # i64

    @property
    def overlap(self) -> np.ndarray:
        """bool"""
        return np.asarray(self.relation == OVERLAP)


def edges(tasks: Tasks, pairs: Pairs, launch_ns: np.ndarray, held: np.ndarray) -> Edges:
    """Edges for the pairs of `find(tasks)`; `launch_ns` is the launch latency of each row, `held` (bool per row) what
    is known to have waited for another stream."""
    return Edges.of(
        Family.STREAM_ORDER,
        np.where(pairs.overlap, tasks.start_node[pairs.earlier], tasks.end_node[pairs.earlier]),
        tasks.start_node[pairs.later],
        np.where(pairs.overlap, 0, gaps(tasks, pairs, launch_ns, held)),
        np.where(pairs.overlap, Rule.OVERLAP, Rule.AFTER),
        Certainty.STRUCTURAL,
    )


def gaps(tasks: Tasks, pairs: Pairs, launch_ns: np.ndarray, held: np.ndarray) -> np.ndarray:
    """What the hand-over of each pair costs: the mean of those of its trace and kinds that were near in time and found
    the queue not empty, its own left out; i64.

    The mean, so that errors do not add up along a full queue. What has no launch in the trace was launched before it,
    and is taken to have waited.
    """
    earlier, later = pairs.earlier, pairs.later
    call = tasks.launch[later]
    waiting = (call >= 0) & (tasks.start_ns[call] + launch_ns[later] <= tasks.end_ns[earlier])
    gap = tasks.start_ns[later] - tasks.end_ns[earlier]
    handed = (pairs.relation == HANDOVER) & (gap <= LONGEST_NS) & ~held[later]
    unseen_too = handed & (waiting | (call < 0))
    beside, fine, coarse = _kinds(tasks, pairs)
    cost = np.full(len(gap), -1)
    for group, seen, least in (
        (beside, unseen_too, SEEN_LEAST),
        (fine, unseen_too, SEEN_LEAST),
        (coarse, handed & waiting, SEEN_LEAST),
        (tasks.trace[earlier], handed & waiting, 1),
    ):  # the first that was seen often enough
        usual = mean_nearby(gap, group, tasks.start_ns[later], seen, least)
        cost = np.where(cost >= 0, cost, usual)
    return np.asarray(np.maximum(cost, 0))


def _kinds(tasks: Tasks, pairs: Pairs) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What kind of hand-over each pair is, by number, from the narrowest to the widest sense: i64, i64, i64."""
    earlier, later = pairs.earlier, pairs.later
    kind, ways = tasks.device_kind, max(Launched) + 1
    coarse = (tasks.trace[earlier] * KINDS + kind[earlier]) * KINDS + kind[later]
    fine = (coarse * ways + launched_as(tasks, earlier)) * ways + launched_as(tasks, later)
    return fine * (max(Beside) + 1) + _beside(tasks, earlier), fine, coarse


def _beside(tasks: Tasks, rows: np.ndarray) -> np.ndarray:
    """What else the device did as each of these events ended: Beside, i64."""
    copies = _running(tasks, tasks.streams[tasks.device_kind[tasks.streams] == COPY], rows)
    return np.where(
        copies > 0, Beside.COPY, np.where(_running(tasks, tasks.streams, rows) > 0, Beside.WORK, Beside.NOTHING)
    )


def _running(tasks: Tasks, events: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """How many of these events of its trace ran as each of `rows` ended: i64."""
    trace = tasks.trace.astype(np.int64) * tasks.nodes
    started, ended = (np.sort(trace[events] + node[events]) for node in (tasks.start_node, tasks.end_node))
    moment = trace[rows] + tasks.end_node[rows]
    return np.asarray(np.searchsorted(started, moment) - np.searchsorted(ended, moment, side="right"))


def find(tasks: Tasks) -> Pairs:
    """All pairs of the run. Cost: O(device events x lanes of their stream)."""
    rows = tasks.streams
    found = _pairs(rows, tasks.track[rows], tasks.lane[rows], tasks.start_ns[rows], tasks.end_ns[rows])
    return Pairs(found[:, 0], found[:, 1], found[:, 2])


@njit(cache=True, nogil=True)
def _pairs(
    rows: np.ndarray, track: np.ndarray, lane: np.ndarray, start_ns: np.ndarray, end_ns: np.ndarray
) -> np.ndarray:
    """(earlier row, later row, relation) of each pair: i64[:, 3]; the columns are by stream and start.

    What had ended when the event before started is left out: that one follows it already.
    """
    found = np.empty((2 * len(rows) + 1, 3), np.int64)
    last = np.full(lane.max() + 1 if len(rows) else 0, -1, np.int64)  # of each lane, position in rows
    n, lanes = 0, 0
    for i in range(len(rows)):
        if i == 0 or track[i] != track[i - 1]:
            last[:lanes] = -1
            lanes = 0
        if n + lanes + 1 > len(found):
            found = np.concatenate((found, np.empty((len(found) + lanes, 3), np.int64)))
        begin, latest, latest_ns = n, n, start_ns[i]
        for j in last[:lanes]:
            if j >= 0 and end_ns[j] <= start_ns[i] and (j == i - 1 or end_ns[j] > start_ns[i - 1]):
                found[n, 0], found[n, 1], found[n, 2] = rows[j], rows[i], EARLIER
                if n == begin or end_ns[j] > latest_ns:
                    latest, latest_ns = n, end_ns[j]
                n += 1
        if i > 0 and track[i] == track[i - 1] and end_ns[i - 1] > start_ns[i]:
            found[n, 0], found[n, 1], found[n, 2] = rows[i - 1], rows[i], OVERLAP
            n += 1
        elif n > begin:
            found[latest, 2] = HANDOVER
        lanes = max(lanes, lane[i] + 1)
        last[lane[i]] = i
    return found[:n]
