"""Event wait: what is enqueued behind a wait starts no earlier than what the awaited event was recorded after.

No trace names the streams of a plain record or wait. In this order:

1. `cuda_sync` events say both streams and the record.
2. What was seen: the first event enqueued on some stream after the wait was ready, yet started just when an event of
   another stream had ended that was enqueued before the record; without records, before the wait.
3. The order of launches of the waiting flow of control: the stream of its next launch waits for the stream of its last
   launch on another one; a collective's for that of the last launch that is none. This is how c10d hangs a collective
   on the compute stream, and the compute stream on the collective. Where the wait stands between two launches on one
   stream, and the flow changes to another stream sooner after it than it came from one before, that stream waits for
   this one.

Threads known to work for one another are one flow: the optimizer waits for what autograd's thread has launched.

The weight is what such a wait costs in this trace, where it was seen to hold an event up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit

from simulation.communication import which_communicate
from simulation.graph.awaited import NEVER_NS, DeviceQueues
from simulation.graph.calibration import per_group
from simulation.graph.calls import calls_named
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import Tasks, gathered
from simulation.graph.told import told_waits

NEAR_NS = 10_000
"""An event that was held up starts at most this long after what it waited for has ended."""

HELD_NS = 5_000
"""It could have started at least this much earlier, else nothing is seen."""

LONGEST_NS = 50_000
"""A delay beyond this has other reasons, and says nothing of what a wait costs."""

SEEN_LEAST = 3
"""Names whose waits were felt less often are taken together."""

CHANCE = 0.1
"""How likely an end on the other stream may fall just before the start by chance, where no wait is seen."""

RECORDS_BACK = 16
"""How many records back a wait is looked for: works that are awaited one by one, long after their records."""

NONE = -1


@dataclass(frozen=True)
class Pairs:
    """What waits for what; columns of one length."""

    source: np.ndarray  # i64, entry of queues.rows
    target: np.ndarray  # i64, entry
    rule: np.ndarray  # i64
    cost_ns: np.ndarray  # i64


def edges(tasks: Tasks, queues: DeviceQueues, pairs: Pairs) -> Edges:
    """End of what is awaited to the start of what waits."""
    source, target = queues.rows[pairs.source], queues.rows[pairs.target]
    guessed = np.isin(pairs.rule, (Rule.EVENT_ORDER, Rule.STREAM_HELD))
    certainty = np.where(pairs.rule == Rule.EVENT_TOLD, Certainty.RECORDED, Certainty.INFERRED)
    return Edges.of(
        Family.EVENT_WAIT,
        tasks.end_node[source],
        tasks.start_node[target],
        pairs.cost_ns,
        pairs.rule,
        np.where(guessed, Certainty.GUESSED, certainty),
    )


def explained(tasks: Tasks, queues: DeviceQueues, pairs: Pairs, ready_ns: np.ndarray) -> np.ndarray:
    """When each entry could have started, its waits included: i64."""
    explained_ns = ready_ns.copy()
    np.maximum.at(explained_ns, pairs.target, tasks.end_ns[queues.rows[pairs.source]] + pairs.cost_ns)
    return explained_ns


def find(tasks: Tasks, queues: DeviceQueues, ready_ns: np.ndarray, flow: np.ndarray) -> Pairs:
    """Each pair once, by target. Cost: O(waits x streams^2 x log events).

    `ready_ns` is when each entry of the queues could have started but for events, `flow` the flow of control of each
    track.
    """
    calls, source, target = told_waits(tasks, queues)
    rest = np.setdiff1d(calls_named(tasks, "StreamWaitEvent"), calls)
    orders = (source >= 0) & (target >= 0)
    source, target = source[orders], target[orders]
    rule = np.full(len(source), int(Rule.EVENT_TOLD))
    seen_source, seen_target, seen_rule = _resolve(
        *_waits(tasks, queues, rest, flow),
        *_launches(tasks, queues, rest, flow),
        *_queue_times(tasks, queues, ready_ns),
    )
    source, target = np.concatenate([source, seen_source]), np.concatenate([target, seen_target])
    rule = np.concatenate([rule, seen_rule])
    order = np.lexsort((rule, source, target))
    source, target, rule = source[order], target[order], rule[order]
    once = (np.diff(source, prepend=NONE) != 0) | (np.diff(target, prepend=NONE) != 0)
    source, target, rule = source[once], target[once], rule[once]
    return Pairs(source, target, rule, _costs(tasks, queues.rows[source], queues.rows[target], ready_ns[target]))


def unseen(tasks: Tasks, queues: DeviceQueues, explained_ns: np.ndarray) -> Pairs:
    """Waits without a call in the trace: what was held up, by nothing known, until just when an event of another
    stream ended that was enqueued before it. Cost: O(events held up x streams x log events).

    Not where that may be chance: other ends on that stream would have fitted as well.
    """
    rows = queues.rows
    source, target = _unseen(
        queues.offsets, *queues.of_trace(queues.trace, len(tasks.run.traces)), queues.from_here_ns, queues.ended_ns,
        tasks.start_ns[rows], tasks.end_ns[rows], queues.enqueued_ns[rows], explained_ns,
    )  # fmt: skip
    rule = np.full(len(source), int(Rule.STREAM_HELD))
    return Pairs(source, target, rule, _costs(tasks, rows[source], rows[target], explained_ns[target]))


def _costs(tasks: Tasks, source: np.ndarray, target: np.ndarray, ready_ns: np.ndarray) -> np.ndarray:
    """Median delay of the waits that were felt, by trace and name of what waits, else by trace; i64.

    Collectives take longer to begin than other kernels.
    """
    delay = tasks.start_ns[target] - tasks.end_ns[source]
    felt = (delay >= 0) & (delay <= LONGEST_NS) & (tasks.end_ns[source] >= ready_ns)
    trace = tasks.trace[target].astype(np.int64)
    name = gathered(tasks.run, "name")[target].astype(np.int64)
    cost = np.full(len(target), -1)
    for group, least in ((trace * (name.max(initial=0) + 1) + name, SEEN_LEAST), (trace, 1)):
        _, group = np.unique(group, return_inverse=True)
        often = np.bincount(group[felt], minlength=len(target)) >= least
        usual = np.where(often, per_group(delay[felt], group[felt], len(target), 50), -1)
        cost = np.where(cost >= 0, cost, usual[group])
    return np.asarray(np.maximum(cost, 0))


def _waits(tasks: Tasks, queues: DeviceQueues, calls: np.ndarray, flow: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of each wait: when, first stream of its trace and the one after the last, its flow's records before it.

    The records are a range of the last result, their times by flow.
    """
    records = calls_named(tasks, "EventRecord")
    when = _moments(tasks, records, flow)
    order = np.argsort(when, kind="stable")
    records, when, of_wait = records[order], when[order], flow[tasks.track[calls]]
    first = np.searchsorted(when, of_wait * tasks.nodes)
    end = np.searchsorted(when, _moments(tasks, calls, flow))
    begin, after = queues.of_trace(tasks.trace[calls], len(tasks.run.traces))
    return tasks.start_ns[calls], begin, after, first, end, tasks.start_ns[records]


def _moments(tasks: Tasks, calls: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """A number per call that grows along its flow, flow by flow: i64."""
    return np.asarray(flow[tasks.track[calls]] * tasks.nodes + tasks.start_node[calls])


def _launches(tasks: Tasks, queues: DeviceQueues, calls: np.ndarray, flow: np.ndarray) -> tuple[np.ndarray, ...]:
    """Of each wait the stream of its flow's next launch, NONE none, and the launch before it; then, of all launches
    by flow: stream, the launch before it on another stream and the one after it, NONE none.
    """
    rows = tasks.linked
    when = _moments(tasks, tasks.launch[rows], flow)
    order = np.argsort(when, kind="stable")
    rows, when, of_wait = rows[order], when[order], flow[tasks.track[calls]]
    stream = np.searchsorted(tasks.track[queues.rows[queues.offsets[:-1]]], tasks.track[rows])
    at = np.searchsorted(when, _moments(tasks, calls, flow))
    of_launch = np.append(flow[tasks.track[tasks.launch[rows]]], NONE)
    following = np.where(of_launch[at] == of_wait, np.append(stream, NONE)[at], NONE)
    # A collective waits for what is computed, not for the collective that was launched before it.
    moves = _communicates(tasks)[rows]
    work = np.append(np.maximum.accumulate(np.where(moves, NONE, np.arange(len(rows)))), NONE)
    before = np.where(np.append(moves, False)[at], work[at - 1], at - 1)
    before = np.where(of_launch[before] == of_wait, before, NONE)
    behind = _on_another(of_launch[:-1], stream)
    ahead = len(stream) - 1 - _on_another(of_launch[-2::-1], stream[::-1])[::-1]
    return following, before, stream, behind, np.where(ahead < len(stream), ahead, NONE)


def _communicates(tasks: Tasks) -> np.ndarray:
    """Rows with the name of what moves data between ranks: bool."""
    masks = [which_communicate(table.names)[table.columns["name"]] for table in tasks.run.traces]
    return np.concatenate([np.zeros(0, bool), *masks])


@njit(cache=True, nogil=True)
def _on_another(flow: np.ndarray, stream: np.ndarray) -> np.ndarray:
    """Of each launch, the last one before it of its flow on another stream; NONE none: i64."""
    found = np.full(len(stream), NONE, np.int64)
    for i in range(1, len(stream)):
        if flow[i] == flow[i - 1]:
            found[i] = found[i - 1] if stream[i] == stream[i - 1] else i - 1
    return found


def _queue_times(tasks: Tasks, queues: DeviceQueues, ready_ns: np.ndarray) -> tuple[np.ndarray, ...]:
    rows = queues.rows
    return queues.offsets, queues.from_here_ns, queues.ended_ns, tasks.start_ns[rows], tasks.end_ns[rows], ready_ns


@njit(cache=True, nogil=True)
def _resolve(
    wait_ns: np.ndarray,
    first_stream: np.ndarray,
    after_stream: np.ndarray,
    first_record: np.ndarray,
    end_record: np.ndarray,
    record_ns: np.ndarray,
    following: np.ndarray,
    before: np.ndarray,
    launch_stream: np.ndarray,
    on_another: np.ndarray,
    to_another: np.ndarray,
    offsets: np.ndarray,
    from_here_ns: np.ndarray,
    ended_ns: np.ndarray,
    start_ns: np.ndarray,
    end_ns: np.ndarray,
    ready_ns: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(source entry, target entry, rule) of the waits that can be told."""
    room = (after_stream - first_stream + 1).sum()
    found, n = np.empty((3, room), np.int64), 0
    held_by, latest_ns = np.full(room, NONE, np.int64), np.full(len(start_ns), np.iinfo(np.int64).min)
    at = 0
    for w in range(len(wait_ns)):
        records_ns = record_ns[first_record[w] : end_record[w]]
        for then in range(first_stream[w], after_stream[w]):
            target = _enqueued(from_here_ns, offsets, then, wait_ns[w])
            if target < offsets[then + 1] and start_ns[target] - ready_ns[target] >= HELD_NS:
                held_by[at] = _held_by(
                    target, then, first_stream[w], after_stream[w], wait_ns[w], records_ns,
                    offsets, from_here_ns, ended_ns, start_ns, end_ns, ready_ns,
                )  # fmt: skip
                if held_by[at] != NONE:
                    latest_ns[target] = max(latest_ns[target], end_ns[held_by[at]])
            at += 1
    at = 0
    for w in range(len(wait_ns)):
        records_ns, own = record_ns[first_record[w] : end_record[w]], False
        for then in range(first_stream[w], after_stream[w]):
            source, at = held_by[at], at + 1
            if source == NONE:
                continue
            target = _enqueued(from_here_ns, offsets, then, wait_ns[w])
            if end_ns[source] == latest_ns[target]:  # what ended before that has held nothing up
                found[0, n], found[1, n], found[2, n] = source, target, _HELD
                n += 1
                own |= then == following[w]
        then, launch = following[w], before[w]
        if own or then == NONE or launch == NONE:
            continue
        if launch_stream[launch] == then:  # the wait stands between two launches on one stream
            ahead, behind = to_another[launch + 1], on_another[launch]
            if ahead != NONE and (behind == NONE or ahead - launch - 1 < launch - behind):
                then = launch_stream[ahead]
            else:
                launch = behind
        target = _enqueued(from_here_ns, offsets, then, wait_ns[w])
        if launch == NONE or target == offsets[then + 1]:
            continue
        stream = launch_stream[launch]
        source = _awaited(stream, start_ns[target], wait_ns[w], records_ns, offsets, from_here_ns, ended_ns, end_ns)
        if source != NONE:
            found[0, n], found[1, n], found[2, n] = source, target, _ORDER
            n += 1
    return found[0, :n], found[1, :n], found[2, :n]


@njit(cache=True, nogil=True)
def _held_by(
    target: int,
    then: int,
    first_stream: int,
    after_stream: int,
    wait_ns: int,
    records_ns: np.ndarray,
    offsets: np.ndarray,
    from_here_ns: np.ndarray,
    ended_ns: np.ndarray,
    start_ns: np.ndarray,
    end_ns: np.ndarray,
    ready_ns: np.ndarray,
) -> int:
    """The entry of another stream at whose end the target of a wait was seen to start, NONE none."""
    nearest, best = NEAR_NS + 1, NONE
    for stream in range(first_stream, after_stream):
        source = NONE
        if stream != then:
            source = _awaited(stream, start_ns[target], wait_ns, records_ns, offsets, from_here_ns, ended_ns, end_ns)
        if source == NONE or end_ns[source] < ready_ns[target] + HELD_NS:
            continue
        if start_ns[target] - end_ns[source] < nearest:
            nearest, best = start_ns[target] - end_ns[source], source
    return best


_HELD, _ORDER = int(Rule.EVENT_HELD), int(Rule.EVENT_ORDER)


@njit(cache=True, nogil=True)
def _enqueued(from_here_ns: np.ndarray, offsets: np.ndarray, stream: int, when_ns: int) -> int:
    """The first entry of the stream that was enqueued at that time or later; its end if there is none."""
    begin, end = offsets[stream], offsets[stream + 1]
    return int(begin + np.searchsorted(from_here_ns[begin:end], when_ns))


@njit(cache=True, nogil=True)
def _awaited(
    stream: int,
    until_ns: int,
    wait_ns: int,
    records_ns: np.ndarray,
    offsets: np.ndarray,
    from_here_ns: np.ndarray,
    ended_ns: np.ndarray,
    end_ns: np.ndarray,
) -> int:
    """The entry of the stream that the awaited event was recorded after, NONE none: it had ended by `until_ns`.

    Without records it is taken to be the last that was enqueued before the wait. Where that one had not ended it is one
    before it, or an earlier record: works are launched ahead, and awaited one by one.
    """
    begin = offsets[stream]
    if len(records_ns) == 0:
        last = _enqueued(from_here_ns, offsets, stream, wait_ns) - 1
        ended = begin + np.searchsorted(ended_ns[begin : offsets[stream + 1]], until_ns, side="right") - 1
        last = min(last, ended)
        return last if last >= begin and end_ns[last] <= until_ns else NONE
    for i in range(min(len(records_ns), RECORDS_BACK)):
        last = _enqueued(from_here_ns, offsets, stream, records_ns[len(records_ns) - 1 - i]) - 1
        if last < begin:
            return NONE
        if end_ns[last] <= until_ns:
            return last
    return NONE


@njit(cache=True, nogil=True)
def _unseen(
    offsets: np.ndarray,
    first_stream: np.ndarray,
    after_stream: np.ndarray,
    from_here_ns: np.ndarray,
    ended_ns: np.ndarray,
    start_ns: np.ndarray,
    end_ns: np.ndarray,
    enqueued_ns: np.ndarray,
    explained_ns: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(source entry, target entry) of each event that was held up: i64, i64."""
    sources, targets, n = np.empty(len(start_ns), np.int64), np.empty(len(start_ns), np.int64), 0
    for then in range(len(offsets) - 1):
        for target in range(offsets[then], offsets[then + 1]):
            begins, held_ns = start_ns[target], start_ns[target] - explained_ns[target]
            if first_stream[then] + 1 == after_stream[then] or explained_ns[target] < 0 or held_ns < HELD_NS:
                continue
            best, nearest = NONE, NEAR_NS + 1
            for stream in range(first_stream[then], after_stream[then]):
                if stream == then:
                    continue
                begin, end = offsets[stream], offsets[stream + 1]
                last = begin + np.searchsorted(ended_ns[begin:end], begins, side="right") - 1
                first = begin + np.searchsorted(ended_ns[begin:end], explained_ns[target])
                launched = (
                    enqueued_ns[target] != NEVER_NS
                )  # else before the recording, like others: by none of their calls
                enqueued = _enqueued(from_here_ns, offsets, stream, enqueued_ns[target] + (not launched)) - 1
                if last < first or last > enqueued or end_ns[last] < explained_ns[target] + HELD_NS:
                    continue
                chance = (last - first + 1) * NEAR_NS / held_ns
                if ((launched and last == enqueued) or chance <= CHANCE) and begins - end_ns[last] < nearest:
                    nearest, best = begins - end_ns[last], last
            if best != NONE:
                sources[n], targets[n] = best, target
                n += 1
    return sources[:n], targets[:n]
