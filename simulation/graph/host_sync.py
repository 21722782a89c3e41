"""Host sync: a blocking call returns no earlier than the device work it waits for.

Found by what the trace says (`syncs`), by its own copy (a copy call that returned after its copy had ended), by name
(`*Synchronize`, frees), and by behaviour: a call much longer than its like that returned within 30 us after the
end of a device event enqueued before it. Polling calls never wait. What was awaited is the latest-ending device
event that ended while the call ran; the wait itself leaves the thread's chain, the call's own overhead stays.

A call that waits by its name but had nothing to wait for gets its edges too, so that it waits when the device
becomes slower: a device sync for the last event of every stream, a stream sync for the last event of its stream,
or, if the trace does not say which that is, for the last one that its thread enqueued.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.graph.awaited import DeviceQueues, ended_within, last_by_thread, last_of_streams, release
from simulation.graph.calibration import per_group
from simulation.graph.calls import usual_ns, waits
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.launch_queue import FullQueue
from simulation.graph.polling import Wait
from simulation.graph.tasks import Tasks, gathered
from simulation.graph.told import ALL_STREAMS, UNKNOWN, told

TOLERANCE_NS = 1_000
"""Host and device stamps of one moment differ by up to this much."""

RELEASE_NS = 30_000
"""A call that waited returned at most this long after, where its name does not say what for."""

HELD_NS = 20_000
"""A call found by behaviour took at least this much longer than half of the calls of its name."""

KERNEL, COPY = 0, 1
"""Tasks.device_kind."""


@dataclass(frozen=True)
class Syncs:
    """The waits of a run, and where they were felt."""

    edges: Edges
    calls: np.ndarray  # i64, rows of calls that were seen to wait
    waited_node: np.ndarray  # i64, host nodes at the end of a wait that is seen in the measurement
    kept_ns: np.ndarray  # i64, what stays of the chain edge into each
    overhead_ns: np.ndarray  # i64 per trace: what a call usually does after a wait, -1 where none is seen


def find(tasks: Tasks, queues: DeviceQueues, full: FullQueue) -> Syncs:
    """All waits of the run. Cost: O(calls x streams x log events + device events)."""
    calls, events, rules = _innermost(tasks, *_awaited(tasks, queues, full))
    begin = np.flatnonzero(np.diff(calls, prepend=-1))  # of the awaited events of one call
    count = np.diff(begin, append=len(calls))
    call = calls[begin]
    latest_ns = np.maximum.reduceat(tasks.end_ns[events], begin) if len(begin) else np.zeros(0, np.int64)
    waited = latest_ns > tasks.start_ns[call]
    node = np.where(waited, release(tasks, call, latest_ns), tasks.end_node[call])
    overhead = tasks.node_ns[node] - latest_ns
    usual = per_group(overhead[waited], tasks.trace[call[waited]], len(tasks.run.traces), 50)
    overhead = np.where(waited, overhead, _overhead_of_passing(tasks, call, usual))
    seen = np.repeat(waited, count)
    rule = np.where(seen, rules, Rule.SYNC_PASSED)
    recorded = np.isin(rules, (Rule.SYNC_TOLD, Rule.SYNC_COPY))
    named = np.where(seen & np.isin(rules, (Rule.SYNC_NAMED, Rule.QUEUE_HELD)), Certainty.INFERRED, Certainty.GUESSED)
    edges = Edges.of(
        np.where(rule == Rule.QUEUE_HELD, Family.LAUNCH_QUEUE, Family.HOST_SYNC),
        tasks.end_node[events],
        np.repeat(node, count),
        np.repeat(overhead, count),
        rule,
        np.where(recorded, Certainty.RECORDED, named),
    )
    return Syncs(edges, call[waited], node[waited], np.maximum(overhead[waited], 0), usual)


def _awaited(tasks: Tasks, queues: DeviceQueues, full: FullQueue) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(call row, awaited device row, rule) of each wait, by call: i64, i64, i64."""
    wait = waits(tasks)
    wait[full.calls] = Wait.NEVER  # for anything but room in its queue
    rows = np.flatnonzero(wait)
    stream, before_ns = told(tasks, rows)
    slow, is_told = _slow(tasks, rows), stream != UNKNOWN
    perhaps = is_told | slow | (wait[rows] > Wait.PERHAPS) | (_own_copy(tasks, rows) >= 0)
    rows, stream, before_ns, slow, is_told = (
        column[perhaps] for column in (rows, stream, before_ns, slow, is_told)
    )  # fmt: skip
    many = is_told | (wait[rows] == Wait.DEVICE)
    scope = np.maximum(stream[many], ALL_STREAMS)
    call, event = last_of_streams(tasks, queues, rows[many], scope, before_ns[many], TOLERANCE_NS)
    rule = np.where(is_told[many], Rule.SYNC_TOLD, Rule.SYNC_NAMED)[call]
    one_row, one_event, one_rule = _awaited_one(tasks, queues, rows[~many], wait[rows[~many]], slow[~many])
    calls = np.concatenate([rows[many][call], one_row, full.calls])
    order = np.argsort(calls, kind="stable")
    events = np.concatenate([event, one_event, full.events])
    rules = np.concatenate([rule, one_rule, np.full(len(full.calls), int(Rule.QUEUE_HELD))])
    return calls[order], events[order], rules[order]


def _awaited_one(
    tasks: Tasks, queues: DeviceQueues, rows: np.ndarray, wait: np.ndarray, slow: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The calls among `rows` that wait for one event: (call row, event row, rule); `slow` ones took
    longer than their like."""
    until_ns = tasks.end_ns[rows] + TOLERANCE_NS
    latest = ended_within(tasks, queues, rows, TOLERANCE_NS)
    copy = _own_copy(tasks, rows)
    enqueued = last_by_thread(tasks, tasks.linked, rows)
    enqueued = np.where((wait == Wait.STREAM) & (tasks.end_ns[enqueued] <= until_ns), enqueued, -1)
    ends_within = tasks.end_ns[enqueued] > tasks.start_ns[rows]
    cases = [  # (event, holds, rule): the first that holds
        (copy, (copy >= 0) & (tasks.end_ns[copy] <= until_ns), Rule.SYNC_COPY),
        (enqueued, (enqueued >= 0) & ends_within & (until_ns - tasks.end_ns[enqueued] <= RELEASE_NS), Rule.SYNC_NAMED),
        (latest, (latest >= 0) & (wait >= Wait.SOMETHING), Rule.SYNC_NAMED),
        (enqueued, enqueued >= 0, Rule.SYNC_NAMED),
        (latest, (latest >= 0) & slow & ~_runs(tasks, rows) & _let_go(tasks, rows, latest), Rule.SYNC_BEHAVIOUR),
    ]
    holds = [case[1] for case in cases]
    event = np.select(holds, [case[0] for case in cases], -1)
    rule = np.select(holds, [np.full(len(rows), case[2]) for case in cases], 0)
    found = event >= 0
    return rows[found], event[found], rule[found]


def _own_copy(tasks: Tasks, rows: np.ndarray) -> np.ndarray:
    """The device copy that each call made itself, -1 none: i64."""
    copies = tasks.linked
    copies = copies[tasks.device_kind[copies] == COPY]
    made = np.full(len(tasks), -1)
    made[tasks.launch[copies]] = copies
    return np.asarray(made[rows])


def _runs(tasks: Tasks, rows: np.ndarray) -> np.ndarray:
    """Calls that launched a kernel, which wait for nothing but room in their queue (`launch_queue`): bool."""
    kernels = tasks.linked
    kernels = kernels[tasks.device_kind[kernels] == KERNEL]
    return np.asarray(np.isin(rows, tasks.launch[kernels]))


def _slow(tasks: Tasks, rows: np.ndarray) -> np.ndarray:
    """Which calls took much longer than half of the listed ones of their trace and name: bool."""
    return np.asarray(tasks.end_ns[rows] - tasks.start_ns[rows] >= usual_ns(tasks, rows) + HELD_NS)


def _let_go(tasks: Tasks, rows: np.ndarray, event: np.ndarray) -> np.ndarray:
    """Whether most of each call passed before the event ended, and it returned soon after: bool."""
    before_ns, after_ns = tasks.end_ns[event] - tasks.start_ns[rows], tasks.end_ns[rows] - tasks.end_ns[event]
    return np.asarray((after_ns <= RELEASE_NS) & (before_ns > after_ns))


def _innermost(
    tasks: Tasks, calls: np.ndarray, events: np.ndarray, rules: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Leave out calls that hold another waiting call, however deep: the inner one explains the wait of both."""
    parent = gathered(tasks.run, "parent").astype(np.int64)
    parent = np.where(parent >= 0, parent + tasks.run.row_base[tasks.trace], -1)
    holds = np.zeros(len(tasks), bool)
    around = parent[calls]
    while len(around := np.unique(around[around >= 0])):  # as often as slices are nested
        around = around[~holds[around]]
        holds[around] = True
        around = parent[around]
    keep = ~holds[calls]
    return calls[keep], events[keep], rules[keep]


def _overhead_of_passing(tasks: Tasks, call: np.ndarray, usual_ns: np.ndarray) -> np.ndarray:
    """What a call that had nothing to wait for would do after a wait: what is usual, at most its own duration: i64."""
    duration = tasks.end_ns[call] - tasks.start_ns[call]
    usual = np.where(usual_ns >= 0, usual_ns, np.iinfo(np.int64).max)
    return np.asarray(np.minimum(duration, usual[tasks.trace[call]]))
