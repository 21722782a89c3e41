"""Replay: when everything happens, given the graph and how long things take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulation.csr import forward
from simulation.graph import TaskGraph
from simulation.replay.event_driven import executed
from simulation.replay.schedule import Schedule
from simulation.replay.sharing import Sharing

Mode = Literal["auto", "events"]


@dataclass(frozen=True)
class Times:
    """When each node of a graph happens in one replay."""

    graph: TaskGraph
    weight_ns: np.ndarray  # i64 per edge, as replayed
    residual_ns: np.ndarray  # i64 per node, as replayed
    node_ns: np.ndarray  # i64 per node
    binding: np.ndarray  # i32 per node: the edge that decided it, -1 of the root


def replay(
    graph: TaskGraph,
    durations_ns: np.ndarray | None = None,
    *,
    weight_ns: np.ndarray | None = None,
    residuals: bool = True,
    schedule: Schedule | None = None,
    mode: Mode = "auto",
    queue_limit: int = 0,
    sharing: Sharing | None = None,
) -> Times:
    """Earliest times of all nodes. Cost: O(nodes + edges), one pass; event by event O((nodes + edges) log nodes).

    `durations_ns` (i64 per global row, see TaskGraph.durations_ns) replaces how long events last; `weight_ns` (i64 per
    edge) replaces all weights, for changes to host work or to what dependencies cost. Default: as measured.

    The order of enqueueing stays as measured, unless a `schedule` is given: then, where the pass finds that it does not
    stay ("auto"), or always ("events"), the run is executed event by event, and the times are of the graph of that
    execution, with node numbers of its own. `queue_limit` > 0, with a `schedule`: so many events fit into a stream's
    queue, and "auto" executes where the pass finds that more would be in it.

    With `sharing`, device events slow each other down as its rates say, where the pass finds that any meet; the
    order stays unless there is a `schedule`.
    """
    if queue_limit and schedule is None:
        raise ValueError("a queue_limit needs a schedule, which says what is in the queue")
    if weight_ns is None:
        weight_ns = graph.weight_ns if durations_ns is None else graph.weights(durations_ns)
    residual_ns = graph.residual_ns if residuals else np.zeros(graph.nodes, np.int64)
    times = _pass(graph, weight_ns, residual_ns)
    if mode == "auto" and _is_exact(times, schedule, queue_limit, sharing):
        return times
    if schedule is None and sharing is None:
        return times
    looked_up = Schedule.kept() if schedule is None else schedule
    changed = executed(graph, looked_up, weight_ns, residual_ns, queue_limit, sharing)
    return _pass(changed, changed.weight_ns, changed.residual_ns)


def _is_exact(times: Times, schedule: Schedule | None, queue_limit: int, sharing: Sharing | None) -> bool:
    """Whether what the forward pass takes for granted holds at the times that it gave."""
    order_stays = schedule is None or schedule.holds(times.graph, times.node_ns)
    if schedule is not None and queue_limit and order_stays:
        order_stays = schedule.has_room(times.node_ns, queue_limit)
    return order_stays and (sharing is None or sharing.slows_nothing(times.graph, times.weight_ns, times.node_ns))


def _pass(graph: TaskGraph, weight_ns: np.ndarray, residual_ns: np.ndarray) -> Times:
    node_ns, binding = forward(graph.offsets, graph.source, weight_ns, residual_ns)
    return Times(graph, weight_ns, residual_ns, node_ns, binding)
