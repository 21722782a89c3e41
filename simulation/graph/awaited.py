"""Which device events a call can have waited for: those enqueued before it that ended by the time it returned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from simulation.graph.tasks import Tasks

NEVER_NS = np.iinfo(np.int64).min


@dataclass(frozen=True)
class DeviceQueues:
    """The device events of a run, stream by stream in their order, and when each was enqueued."""

    rows: np.ndarray  # i64, as tasks.streams
    offsets: np.ndarray  # i64, streams + 1
    trace: np.ndarray  # i64 per stream
    stream: np.ndarray  # i64 per stream, its id in the trace
    enqueued_ns: np.ndarray  # i64 per row of the run: start of the launch call
    from_here_ns: np.ndarray  # i64 per entry of rows: the earliest enqueued_ns from there to the stream's end
    ended_ns: np.ndarray  # i64 per entry: when it and all before it in its stream have ended

    @classmethod
    def of(cls, tasks: Tasks) -> DeviceQueues:
        rows = tasks.streams
        begins = np.flatnonzero(np.diff(tasks.track[rows], prepend=-1))
        tracks = [track for table in tasks.run.traces for track in table.tracks]
        call = tasks.launch[rows]
        launched_ns = np.where(call >= 0, tasks.start_ns[call], NEVER_NS)
        offsets = np.append(begins, len(rows))
        enqueued, from_here = _enqueued(launched_ns, offsets)
        by_row = np.full(len(tasks), NEVER_NS)
        by_row[rows] = enqueued
        ids = np.array([tracks[track].stream for track in tasks.track[rows[begins]]], np.int64)
        ended = _latest(tasks.end_ns[rows], offsets)
        return cls(rows, offsets, tasks.trace[rows[begins]].astype(np.int64), ids, by_row, from_here, ended)

    def of_trace(self, trace: np.ndarray, traces: int) -> tuple[np.ndarray, np.ndarray]:
        """(first stream, the one after the last) of each trace listed: i64, i64."""
        first = np.searchsorted(self.trace, np.arange(traces + 1))
        return first[trace], first[trace + 1]

    def enqueued_around(self, trace: int, stream: np.ndarray, when_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(first entry of the trace's stream enqueued at that time or later, last one before; -1 none): i64, i64."""
        following, before = np.full(len(stream), -1), np.full(len(stream), -1)
        for number in np.flatnonzero(self.trace == trace).tolist():
            begin, end = self.offsets[number : number + 2].tolist()
            mine = np.flatnonzero(stream == self.stream[number])
            at = begin + np.searchsorted(self.from_here_ns[begin:end], when_ns[mine])
            following[mine] = np.where(at < end, at, -1)
            before[mine] = np.where(at > begin, at - 1, -1)
        return following, before

    def ready_ns(self, tasks: Tasks, latency_ns: np.ndarray) -> np.ndarray:
        """When each entry could have started: launched, and all before it in its stream ended; i64.

        `latency_ns` is the launch latency of each row.
        """
        call = tasks.launch[self.rows]
        launched = np.where(call >= 0, tasks.start_ns[call] + latency_ns[self.rows], NEVER_NS)
        return _ready(launched, self.ended_ns, self.offsets)


@njit(cache=True, nogil=True)
def _enqueued(launched_ns: np.ndarray, offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An event without a launch was enqueued no earlier than those before it; then minima from the back."""
    enqueued, from_here = launched_ns.copy(), launched_ns.copy()
    for stream in range(len(offsets) - 1):
        begin, end = offsets[stream], offsets[stream + 1]
        for i in range(begin + 1, end):
            if launched_ns[i] == NEVER_NS:
                enqueued[i] = enqueued[i - 1]
        for i in range(end - 1, begin - 1, -1):
            from_here[i] = enqueued[i] if i == end - 1 else min(enqueued[i], from_here[i + 1])
    return enqueued, from_here


@njit(cache=True, nogil=True)
def _latest(end_ns: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Running maximum within each stream: i64."""
    latest = end_ns.copy()
    for stream in range(len(offsets) - 1):
        for i in range(offsets[stream] + 1, offsets[stream + 1]):
            latest[i] = max(latest[i], latest[i - 1])
    return latest


@njit(cache=True, nogil=True)
def _ready(launched_ns: np.ndarray, ended_ns: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The later of its launch and the end of all before it in its stream: i64 per entry."""
    ready = launched_ns.copy()
    for stream in range(len(offsets) - 1):
        for i in range(offsets[stream] + 1, offsets[stream + 1]):
            ready[i] = max(ready[i], ended_ns[i - 1])
    return ready


def last_of_streams(
    tasks: Tasks, queues: DeviceQueues, calls: np.ndarray, stream: np.ndarray, before_ns: np.ndarray, tolerance_ns: int
) -> tuple[np.ndarray, np.ndarray]:
    """(position in `calls`, event row): per call and stream of its trace, the last event enqueued before `before_ns`.

    `stream` limits a call to the streams with that id, -1 = all. An event that ended after the call is passed over
    for the one before it: it cannot have been awaited.
    """
    q, trace = queues, tasks.trace[calls]
    first = np.searchsorted(q.trace, np.arange(len(tasks.run.traces) + 1))  # stream of each trace
    return _last_of_streams(
        first[trace], first[trace + 1], tasks.end_ns[calls] + tolerance_ns, stream, before_ns,
        q.rows, q.offsets, q.stream, q.from_here_ns, tasks.end_ns,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _last_of_streams(
    first: np.ndarray,
    after: np.ndarray,
    until_ns: np.ndarray,
    stream: np.ndarray,
    before_ns: np.ndarray,
    rows: np.ndarray,
    offsets: np.ndarray,
    stream_id: np.ndarray,
    from_here_ns: np.ndarray,
    end_ns: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Streams first .. after are those of the call's trace. Costs O(calls x streams x log events), and a step back
    per event that outlasted a call."""
    room = (after - first).sum()
    calls, events = np.empty(room, np.int64), np.empty(room, np.int64)
    n = 0
    for call in range(len(first)):
        for s in range(first[call], after[call]):
            if stream[call] >= 0 and stream_id[s] != stream[call]:
                continue
            begin, end = offsets[s], offsets[s + 1]
            i = begin + np.searchsorted(from_here_ns[begin:end], before_ns[call]) - 1
            while i >= begin and end_ns[rows[i]] > until_ns[call]:
                i -= 1
            if i >= begin:
                calls[n], events[n] = call, rows[i]
                n += 1
    return calls[:n], events[:n]


def ended_within(tasks: Tasks, queues: DeviceQueues, calls: np.ndarray, tolerance_ns: int) -> np.ndarray:
    """Per call, the latest-ending event of its trace enqueued before it that ended while it ran; -1 none: i64."""
    by_end = queues.rows[np.lexsort((tasks.end_ns[queues.rows], tasks.trace[queues.rows]))]
    first = np.searchsorted(tasks.trace[by_end], np.arange(len(tasks.run.traces) + 1))
    trace = tasks.trace[calls]
    return _ended_within(
        tasks.start_ns[calls], tasks.end_ns[calls] + tolerance_ns, first[trace], first[trace + 1],
        by_end, tasks.end_ns[by_end], queues.enqueued_ns[by_end],
    )  # fmt: skip


@njit(cache=True, nogil=True)
def _ended_within(
    after_ns: np.ndarray,
    until_ns: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    rows: np.ndarray,
    end_ns: np.ndarray,
    enqueued_ns: np.ndarray,
) -> np.ndarray:
    """Calls of a thread do not overlap, so the steps back are at most threads x events in all."""
    found = np.full(len(after_ns), -1, np.int64)
    for call in range(len(after_ns)):
        i = begin[call] + np.searchsorted(end_ns[begin[call] : end[call]], until_ns[call], side="right") - 1
        while i >= begin[call] and end_ns[i] > after_ns[call]:
            if enqueued_ns[i] < after_ns[call]:
                found[call] = rows[i]
                break
            i -= 1
    return found


def last_by_thread(tasks: Tasks, events: np.ndarray, calls: np.ndarray) -> np.ndarray:
    """Per call, the latest of the launched `events` that its thread enqueued before it; -1 none: i64."""
    if not len(events):
        return np.full(len(calls), -1)
    launches = tasks.launch[events]
    when = tasks.track[launches] * tasks.nodes + tasks.start_node[launches]
    order = np.lexsort((tasks.end_ns[events], when))
    at = np.searchsorted(when[order], tasks.track[calls] * tasks.nodes + tasks.start_node[calls]) - 1
    event = events[order][np.maximum(at, 0)]
    same_thread = (at >= 0) & (tasks.track[tasks.launch[event]] == tasks.track[calls])
    return np.where(same_thread, event, -1)


def release(tasks: Tasks, calls: np.ndarray, awaited_ns: np.ndarray) -> np.ndarray:
    """The first node of the call's thread, within the call, that is no earlier than the end of the wait: i64."""
    from_node = np.searchsorted(tasks.node_ns, np.maximum(awaited_ns, tasks.start_ns[calls]))
    from_node = np.maximum(from_node, tasks.start_node[calls] + 1)
    return _first_of_thread(tasks.node_row, tasks.track, from_node, tasks.end_node[calls])


@njit(cache=True, nogil=True)
def _first_of_thread(node_row: np.ndarray, track: np.ndarray, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Per entry, the first node from `begin` on that is on the track of node `end`, at most `end`: i64."""
    found = np.empty(len(begin), np.int64)
    for i in range(len(begin)):
        node, thread = begin[i], track[node_row[end[i]]]
        while node < end[i] and (node_row[node] < 0 or track[node_row[node]] != thread):
            node += 1
        found[i] = min(node, end[i])
    return found
