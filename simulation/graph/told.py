"""What the trace itself says of a blocking call (`cuda_sync` events, in the `syncs` side table)."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.graph.awaited import DeviceQueues
from simulation.graph.tasks import Tasks

UNKNOWN = -2
ALL_STREAMS = -1


def told(tasks: Tasks, calls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(stream id, ALL_STREAMS or UNKNOWN; the moment before which work counts) of each call: i64, i64.

    `calls` ascend. A sync mark belongs to the call with its correlation id. An event sync waits for what was enqueued
    before its event was recorded, any other for what was enqueued before it began.
    """
    stream, before_ns = np.full(len(calls), UNKNOWN), tasks.start_ns[calls].copy()
    of_trace = np.searchsorted(calls, tasks.run.row_base).tolist()
    for trace, table in enumerate(tasks.run.traces):
        syncs: dict[str, Any] = {**table.sides["syncs"]}
        if not len(syncs["row"]):
            continue
        kind = np.array([*syncs["sync"].words, ""])[syncs["sync"].codes]
        mine = np.arange(of_trace[trace], of_trace[trace + 1])
        correlation = table.correlation[calls[mine] - tasks.run.row_base[trace]]
        mine, correlation = mine[correlation != 0], correlation[correlation != 0]
        for name in ("Stream Sync", "Context Sync", "Event Sync"):
            marks = np.flatnonzero(kind == name)
            call, mark = _joined(correlation, table.correlation[syncs["row"][marks]])
            call, mark = mine[call], marks[mark]
            if name == "Context Sync":
                stream[call] = ALL_STREAMS
            elif name == "Stream Sync":
                stream[call] = syncs["stream"][mark]
            else:
                record_ns = _recorded_ns(tasks, trace, syncs["wait_record_correlation"][mark])
                known = (record_ns >= 0) & (syncs["wait_stream"][mark] >= 0)
                stream[call[known]] = syncs["wait_stream"][mark][known]
                before_ns[call[known]] = record_ns[known]
    return stream, before_ns


def _joined(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(position in left, position in right) of the keys that both hold; the last of equal right keys."""
    if not len(right):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    order = np.argsort(right, kind="stable")
    at = np.searchsorted(right[order], left, side="right") - 1
    found = (at >= 0) & (right[order][at] == left)
    return np.flatnonzero(found), order[at[found]]


def _recorded_ns(tasks: Tasks, trace: int, recorded: np.ndarray) -> np.ndarray:
    """When the calls with these correlation ids began; -1 where the trace has none: i64."""
    call = _calls_of(tasks, trace, recorded)
    return np.where(call >= 0, tasks.start_ns[call], -1)


def _calls_of(tasks: Tasks, trace: int, wanted: np.ndarray) -> np.ndarray:
    """Rows of the calls with these correlation ids; -1 where the trace has none: i64."""
    begin, end = tasks.run.row_base[trace], tasks.run.row_base[trace + 1]
    calls = np.flatnonzero(tasks.is_call[begin:end])
    at, call = _joined(wanted, tasks.run.traces[trace].correlation[calls])
    found = np.full(len(wanted), -1)
    found[at] = begin + calls[call]
    return found


def told_waits(tasks: Tasks, queues: DeviceQueues) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(wait call; entry of `queues` whose end it awaits; entry that waits, -1 where there is none): i64 each.

    A mark `Stream Wait Event` names the waiting stream, the awaited one, and the call that recorded the
    event; where the trace does not have that call, the event is taken to be recorded just before the wait.
    """
    found = [np.zeros((3, 0), np.int64)]
    for trace, table in enumerate(tasks.run.traces):
        syncs: dict[str, Any] = {**table.sides["syncs"]}
        if not len(syncs["row"]) or not len(queues.rows):
            continue
        kind = np.array([*syncs["sync"].words, ""])[syncs["sync"].codes]
        marks = np.flatnonzero(kind == "Stream Wait Event")
        wait = _calls_of(tasks, trace, table.correlation[syncs["row"][marks]].astype(np.int64))
        record = _calls_of(tasks, trace, syncs["wait_record_correlation"][marks])
        marks, record, wait = marks[wait >= 0], record[wait >= 0], wait[wait >= 0]
        recorded_ns = tasks.start_ns[np.where(record >= 0, record, wait)]  # at the latest
        _, source = queues.enqueued_around(trace, syncs["wait_stream"][marks], recorded_ns)
        target, _ = queues.enqueued_around(trace, syncs["stream"][marks], tasks.start_ns[wait])
        late = tasks.end_ns[queues.rows[source]] > tasks.start_ns[queues.rows[target]]
        source = np.where((record < 0) & late, -1, source)
        found.append(np.stack([wait, source, target]))
    wait, source, target = np.concatenate(found, axis=1)
    return wait, source, target
