"""Launch: a device event starts no earlier than its call, plus what a launch takes in this trace.

The latency is calibrated per trace and kind (kernel, copy, fill; launched alone or as part of a graph) from events
that found their stream idle: anywhere else the wait in the queue would be taken for latency.
"""

from __future__ import annotations

import numpy as np

from simulation.graph.calibration import per_group
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.launched import Launched, launched_as
from simulation.graph.stream_order import Pairs
from simulation.graph.tasks import Tasks

LATENCY_PERCENT = 5
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


def latencies(tasks: Tasks, pairs: Pairs) -> np.ndarray:
    """Launch latency of every device event, by its trace and kind; i64 per row, 0 of others.

    The pairs are those of `stream_order.find`.
    """
    idle_since = np.full(len(tasks), np.iinfo(np.int64).min)
    busy_until = np.where(pairs.overlap, np.iinfo(np.int64).max, tasks.end_ns[pairs.earlier])
    np.maximum.at(idle_since, pairs.later, busy_until)
    rows = tasks.linked
    call_ns = tasks.start_ns[tasks.launch[rows]]
    seen = tasks.start_ns[rows] - call_ns
    group, groups = _groups(tasks, rows), 6 * len(tasks.run.traces)
    alone = idle_since[rows] <= call_ns
    figures = [
        per_group(seen[alone], group[alone], groups, LATENCY_PERCENT),
        np.repeat(per_group(seen[alone], tasks.trace[rows][alone], len(tasks.run.traces), LATENCY_PERCENT), 6),
    ]
    latency = np.where(figures[0] >= 0, figures[0], np.maximum(figures[1], 0))
    earliest = per_group(seen, group, groups, SKEWED_PERCENT)
    usual = per_group(seen, group, groups, LATENCY_PERCENT)
    found = np.zeros(len(tasks), np.int64)
    found[tasks.streams] = np.where(usual < 0, earliest, latency)[_groups(tasks, tasks.streams)]
    return found


def _groups(tasks: Tasks, rows: np.ndarray) -> np.ndarray:
    """What is calibrated together, by number: i64."""
    is_graph = launched_as(tasks, rows) == Launched.GRAPH
    return np.asarray(2 * (3 * tasks.trace[rows] + tasks.device_kind[rows]) + is_graph)
