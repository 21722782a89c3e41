"""Launch: a device event starts no earlier than its call, plus what a launch takes in this trace.

The latency is calibrated per trace and kind (kernel, copy, fill; launched alone or as part of a graph) from events
that found their stream idle, and were not launched right behind a wait between streams: anywhere else what they wait
for would be taken for latency. It is no longer than that of all that found their stream idle, and where few are left no
longer than that of the fastest of them. What makes one call longer than another mostly comes before it hands over its
work (a stall, the first launch of a kernel): where that shows in the trace, the event starts as much later.
"""

from __future__ import annotations

import numpy as np

from simulation.graph.calibration import per_group
from simulation.graph.calls import calls_named, usual_ns
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.launched import Launched, launched_as
from simulation.graph.stream_order import Pairs
from simulation.graph.tasks import Tasks

KINDS = 6
"""Of what is calibrated together: kernels, copies and fills, alone or in a graph."""

LATENCY_PERCENT = 20
"""Waits that are not seen make it longer, so less than the median; where it is far less, what is above stays a
residual, even where a slower device would hide it."""

SEEN_LEAST = 8
"""Fewer launches that waited for nothing may be none: each may have waited for something that is not seen."""

NEAR = 2
"""Launches that wait for nothing differ by less than this factor."""

SKEWED_PERCENT = 0.1
"""Where device events start before their call the clocks differ; nearly all events must fit the offset."""


def edges(tasks: Tasks, latency_ns: np.ndarray) -> Edges:
    """Call start to device start, for each device event that has a call; `latency_ns` per row."""
    rows = tasks.linked
    rule = np.where(launched_as(tasks, rows) == Launched.GRAPH, Rule.GRAPH_LAUNCH, Rule.CORRELATION)
    call = tasks.launch[rows]
    return Edges.of(
        Family.LAUNCH, tasks.start_node[call], tasks.start_node[rows], latency_ns[rows], rule, Certainty.RECORDED
    )


def latencies(tasks: Tasks, pairs: Pairs, waited: np.ndarray) -> np.ndarray:
    """Launch latency of every device event, by its trace and kind, and by its call's length where that tells; i64 per
    row, 0 of others.

    The pairs are those of `stream_order.find`, `waited` the calls that were seen to wait for the device (i64).
    """
    rows = tasks.linked
    call = tasks.launch[rows]
    seen = tasks.start_ns[rows] - tasks.start_ns[call]
    alone = _idle_since(tasks, pairs)[rows] <= tasks.start_ns[call]
    free = alone & ~_behind_waits(tasks, call)
    group, groups = _groups(tasks, rows), KINDS * len(tasks.run.traces)
    longer = _longer(tasks, call, waited)
    tells = _spread((seen - longer)[free], group[free], groups) < _spread(seen[free], group[free], groups)
    longer = np.where(tells[group], longer, 0)
    usual, is_skewed = _usual(tasks, seen - longer, free, alone)
    found = np.zeros(len(tasks), np.int64)
    found[tasks.streams] = usual[_groups(tasks, tasks.streams)]
    least = np.where(is_skewed[group], np.iinfo(np.int64).min, 0)
    found[rows] = np.maximum(found[rows] + longer, least)
    return found


def _usual(tasks: Tasks, seen: np.ndarray, free: np.ndarray, alone: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each group the latency (i64), and whether its clocks differ (bool), by the delays `seen` of `tasks.linked`."""
    rows, traces = tasks.linked, len(tasks.run.traces)
    group, groups = _groups(tasks, rows), KINDS * traces
    latency = _without_waits(seen, free, alone, group, tasks.trace[rows], traces)
    is_skewed = per_group(seen, group, groups, LATENCY_PERCENT) < 0
    earliest = per_group(seen, group, groups, SKEWED_PERCENT)
    return np.where(is_skewed, earliest, np.maximum(latency, 0)), is_skewed


def _idle_since(tasks: Tasks, pairs: Pairs) -> np.ndarray:
    """When the stream of each device event had ended all before it: i64 per row."""
    since_ns = np.full(len(tasks), np.iinfo(np.int64).min)
    until_ns = np.where(pairs.overlap, np.iinfo(np.int64).max, tasks.end_ns[pairs.earlier])
    np.maximum.at(since_ns, pairs.later, until_ns)
    return since_ns


def _longer(tasks: Tasks, calls: np.ndarray, waited: np.ndarray) -> np.ndarray:
    """By how much each call took longer than half of its like, less than 0 where it was shorter; 0 where it waited for
    the device, which it may have done after it had handed over its work: i64."""
    longer = tasks.end_ns[calls] - tasks.start_ns[calls] - usual_ns(tasks, calls)
    return np.asarray(np.where(np.isin(calls, waited), 0, longer))


def _spread(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """How far apart most values of each group are: i64."""
    return np.asarray(per_group(values, group, groups, 80) - per_group(values, group, groups, 20))


def _without_waits(
    seen_ns: np.ndarray, free: np.ndarray, alone: np.ndarray, group: np.ndarray, trace: np.ndarray, traces: int
) -> np.ndarray:
    """What a launch takes that waits for nothing, by kind: i64, -1 where none is seen. What a kind does that was never
    free, the others of its trace say, then the fastest."""
    kinds = KINDS * traces
    latency = _not_waiting(seen_ns, free, alone, group, kinds)
    for others in (
        np.repeat(_not_waiting(seen_ns, free, alone, trace, traces), KINDS),
        _fastest(seen_ns[alone], group[alone], kinds),
        np.repeat(_fastest(seen_ns[alone], trace[alone], traces), KINDS),
    ):
        latency = np.where(latency >= 0, latency, others)
    return np.asarray(latency)


def _not_waiting(
    seen_ns: np.ndarray, free: np.ndarray, alone: np.ndarray, group: np.ndarray, groups: int
) -> np.ndarray:
    """What the `free` launches of each group take: i64, -1 none. Waiting takes longer, never shorter, so no longer
    than those that found their stream idle; where few were free, than the fastest of these."""
    often = np.bincount(group[free], minlength=groups) >= SEEN_LEAST
    usual, most = (per_group(seen_ns[chosen], group[chosen], groups, LATENCY_PERCENT) for chosen in (free, alone))
    return np.asarray(np.minimum(usual, np.where(often, most, _fastest(seen_ns[alone], group[alone], groups))))


def _fastest(seen_ns: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """What the fastest launches of each group take, without those that took longer by a factor: i64, -1 none."""
    near = seen_ns <= NEAR * per_group(seen_ns, group, groups, 0)[group]
    return per_group(seen_ns[near], group[near], groups, LATENCY_PERCENT)


def _groups(tasks: Tasks, rows: np.ndarray) -> np.ndarray:
    """What is calibrated together, by number: i64."""
    is_graph = launched_as(tasks, rows) == Launched.GRAPH
    return np.asarray(2 * (3 * tasks.trace[rows] + tasks.device_kind[rows]) + is_graph)


def _behind_waits(tasks: Tasks, calls: np.ndarray) -> np.ndarray:
    """Which launches follow a wait between streams, no other launch of their thread in between: bool."""
    waits = np.sort(_moments(tasks, calls_named(tasks, "StreamWaitEvent")))
    when, number = np.unique(_moments(tasks, calls), return_inverse=True)
    before = np.searchsorted(waits, when)
    follows = np.diff(before, prepend=0) > 0
    same_thread = waits[before[follows] - 1] // tasks.nodes == when[follows] // tasks.nodes
    follows[follows] = same_thread
    return np.asarray(follows[number])


def _moments(tasks: Tasks, calls: np.ndarray) -> np.ndarray:
    """Starts of calls as numbers in the order of thread and time: i64."""
    return np.asarray(tasks.track[calls] * tasks.nodes + tasks.start_node[calls])
