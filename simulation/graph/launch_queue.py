"""Launch queue: a launch returns no earlier than its stream's queue has room for it.

CUDA holds about 1,024 entries per stream; a call that finds the queue full waits until an entry leaves. The depth is
taken from what was seen, per stream: the most launches that were outstanding (enqueued, not ended) when a launch
returned. It counts as a limit only where several launches took far longer than their like near that depth. Then the
launch returns no earlier than the end of what was launched `depth` calls before, whether or not it had to wait in the
measurement. Records and waits take room too, so a call that was held up counts from nine tenths of the depth.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from simulation.graph.calls import usual_ns
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import Tasks

QUICK_SHARE = 0.1
"""Of the calls of a name, so many are taken not to have been held up; while a queue is full, most are."""

HELD_NS = 20_000
"""A launch that was held up took at least this much longer than those."""

RELEASE_NS = 30_000
"""It returned at most this long after what made room had ended."""

HELD_LEAST = 5
"""Fewer calls held up near the depth do not make it a limit."""

DEPTH_LEAST = 64
"""No device has shorter queues."""

NEARLY = 0.9
"""From this share of the depth on a call may have been held up by it."""


@dataclass(frozen=True)
class FullQueue:
    """Where launch queues were full, and which launches they limit."""

    calls: np.ndarray  # i64, rows of launches that were seen to wait
    events: np.ndarray  # i64, of each the device row that made room
    limited: np.ndarray  # i64, rows of the other launches on those streams
    frees: np.ndarray  # i64, of each the device row that has to end first


@dataclass(frozen=True)
class _Queues:
    """Launches by stream, in order; a call that launches on several streams is in each."""

    call: np.ndarray  # i64, row
    event: np.ndarray  # i64, row of the last of its events on the stream to end
    offsets: np.ndarray  # i64, streams + 1

    @classmethod
    def of(cls, tasks: Tasks) -> _Queues:
        rows = tasks.streams  # in the order of their stream, which is that of their launches
        rows = rows[tasks.is_linked(rows)]
        call, track = tasks.launch[rows], tasks.track[rows]
        last = np.append((call[1:] != call[:-1]) | (track[1:] != track[:-1]), np.ones(min(len(rows), 1), bool))
        track = track[last]
        offsets = np.append(np.flatnonzero(np.diff(track, prepend=-1)), len(track))
        return cls(call[last], rows[last], offsets)


def find(tasks: Tasks) -> FullQueue:
    """What full queues explain. Cost: O(launches log launches)."""
    queues = _Queues.of(tasks)
    returned_ns, end_ns = tasks.end_ns[queues.call], tasks.end_ns[queues.event]
    ended = _ended(queues.offsets, end_ns, returned_ns)
    place = np.arange(len(ended))
    outstanding = place - ended
    stream = np.repeat(np.arange(len(queues.offsets) - 1), np.diff(queues.offsets))
    depth = np.zeros(len(queues.offsets) - 1, np.int64)
    np.maximum.at(depth, stream, outstanding)
    near = (outstanding >= NEARLY * depth[stream]) & (depth[stream] >= DEPTH_LEAST)
    at = np.flatnonzero(near)
    calls = queues.call[at]
    quick_ns = usual_ns(tasks, queues.call, QUICK_SHARE)[at]
    slow = tasks.end_ns[calls] - tasks.start_ns[calls] >= quick_ns + HELD_NS
    slow &= (ended[at] >= queues.offsets[stream[at]]) & (returned_ns[at] - end_ns[ended[at]] <= RELEASE_NS)
    held = np.zeros(len(place), bool)
    held[at[slow]] = True
    is_limit = np.bincount(stream[held], minlength=len(depth)) >= HELD_LEAST
    held &= is_limit[stream]
    before = place - depth[stream]
    limited = is_limit[stream] & ~held & (before >= queues.offsets[stream])
    return FullQueue(
        queues.call[held], queues.event[ended[held]], queues.call[limited], queues.event[before[limited]]
    )  # fmt: skip


def edges(tasks: Tasks, full: FullQueue, overhead_ns: np.ndarray) -> Edges:
    """End of what has to leave the queue to the return of the launch; waits that were seen are `host_sync`'s to make.

    `overhead_ns` is per trace what a call does after it has waited, -1 unknown; at most its own duration.
    """
    call = full.limited
    duration = tasks.end_ns[call] - tasks.start_ns[call]
    weight = np.minimum(np.maximum(overhead_ns, 0)[tasks.trace[call]], duration)
    return Edges.of(
        Family.LAUNCH_QUEUE,
        tasks.end_node[full.frees],
        tasks.end_node[call],
        weight,
        Rule.QUEUE_LIMIT,
        Certainty.GUESSED,
    )


@njit(cache=True, nogil=True)
def _ended(offsets: np.ndarray, end_ns: np.ndarray, returned_ns: np.ndarray) -> np.ndarray:
    """Per launch, the last one of its stream that it and all before had ended when the launch returned, the place
    before the stream if none: i64."""
    ended = np.empty(len(end_ns), np.int64)
    for stream in range(len(offsets) - 1):
        begin, end = offsets[stream], offsets[stream + 1]
        free = begin  # all before it have ended by latest_ns
        for i in range(begin, end):
            while free < i and end_ns[free] <= returned_ns[i]:
                free += 1
            while free > begin and end_ns[free - 1] > returned_ns[i]:
                free -= 1
            ended[i] = free - 1
    return ended
