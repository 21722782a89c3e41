"""Replay where the schedule changes: the same graph, executed event by event, and made a graph again.

What comes out is the graph of that execution: its nodes in the order in which they happened, its edges those that
held. The forward pass over it gives the same times, so that paths, slack and figures work on it as on any other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from simulation.csr import by_source
from simulation.errors import TraceError
from simulation.graph import Certainty, Family, Rule, TaskGraph
from simulation.graph.edges import Edges
from simulation.graph.order import places, to_csr
from simulation.replay import event_loop
from simulation.replay.flow import ALONE, Flow
from simulation.replay.schedule import NONE, Schedule
from simulation.replay.sharing import NOTHING, Sharing, scaled


def executed(
    graph: TaskGraph,
    schedule: Schedule,
    weight_ns: np.ndarray,
    residual_ns: np.ndarray,
    queue_limit: int = 0,
    sharing: Sharing | None = None,
) -> TaskGraph:
    """The graph as it executes with these weights (i64 per edge) and residuals (i64 per node), nodes renumbered.

    `queue_limit`: events that wait in a stream before a launching call has to, 0 for any number. With `sharing` events
    weigh what they lasted beside others. Raises TraceError where what is looked up contradicts the rest.
    Cost: O((nodes + edges) log nodes), and each start and end of a device event O(events that run there).
    """
    if sharing is None:
        order, found = _happen(graph, schedule, weight_ns, residual_ns, queue_limit, NOTHING)
    else:
        flow, weight_ns = _works(graph, schedule, weight_ns, sharing)
        order, found = _happen(graph, schedule, weight_ns, residual_ns, queue_limit, flow)
        weight_ns[flow.edge] = flow.end_ns - flow.begin_ns
    held = replace(graph, weight_ns=weight_ns, residual_ns=residual_ns)
    return _as_graph(held, order, _edges(held, found, _Looked.up(graph, schedule)))


def _works(graph: TaskGraph, schedule: Schedule, weight_ns: np.ndarray, sharing: Sharing) -> tuple[Flow, np.ndarray]:
    """The works of a scenario, each with what it made in the measurement to make again; weights to go with them."""
    edge, row, weight = sharing.works(graph, weight_ns)
    before_ns = np.maximum(graph.weight_ns[edge], 0)
    progress = before_ns * ALONE
    if not sharing.measured.are_full:
        seen, seen_row, plain = sharing.works(graph, graph.weight_ns)
        measured = sharing.as_measured(seen, seen_row, plain)
        _happen(graph, schedule, plain, graph.residual_ns, 0, measured)
        made = np.zeros(graph.edges, np.int64)
        made[seen] = -measured.left
        progress = made[edge]
    return sharing.as_asked(edge, row, scaled(progress, before_ns, weight[edge])), weight


class _Looked(NamedTuple):
    """Which edges are looked up, and which stand."""

    target: np.ndarray  # i64 per edge
    is_start: np.ndarray  # bool per node: of a device event
    in_order: np.ndarray  # bool per edge: within a stream
    later: np.ndarray  # bool per edge
    still: np.ndarray  # i64, the others

    @classmethod
    def up(cls, graph: TaskGraph, schedule: Schedule) -> _Looked:
        target = np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))
        is_start = np.zeros(graph.nodes, bool)
        is_start[schedule.start] = True
        in_order = (graph.family == Family.STREAM_ORDER) & is_start[target]
        later = in_order.copy()
        later[schedule.wait_edge] = True
        return cls(target, is_start, in_order, later, np.flatnonzero(~later))


def _happen(
    graph: TaskGraph, schedule: Schedule, weight_ns: np.ndarray, residual_ns: np.ndarray, queue_limit: int, flow: Flow
) -> tuple[np.ndarray, np.ndarray]:
    """(nodes in the order in which they happen, the edges found), as event_loop.run has it; `flow` is then through."""
    looked = _Looked.up(graph, schedule)
    still, target = looked.still, looked.target
    out, at = by_source(graph.source[still].astype(np.int64), still, graph.nodes)
    launches, launched = by_source(schedule.call[schedule.call >= 0], schedule.start[schedule.call >= 0], graph.nodes)
    waits, wait_edge = by_source(schedule.wait_begin, schedule.wait_edge, graph.nodes)
    columns = _columns(graph, schedule, target, weight_ns)
    work_of = np.full(graph.edges, NONE)
    work_of[flow.edge] = np.arange(len(flow.edge))
    order, _, found = event_loop.run(
        graph.offsets, graph.source.astype(np.int64), weight_ns, residual_ns, looked.later, out, at, target,
        looked.in_order, launches, launched, waits, wait_edge, columns["wait_stream"][wait_edge], columns["stream"],
        int(schedule.stream.max(initial=0)) + 1, columns["before"], columns["follows"], columns["follower"],
        columns["end"], columns["gap_ns"], columns["back"], queue_limit, work_of, flow,
    )  # fmt: skip
    if len(order) < graph.nodes:
        raise TraceError(
            f"{graph.nodes - len(order):,} starts and ends wait for each other in the changed order",
            hint="Something was seen to wait for what now comes after it. Change less, or leave the order of launches.",
        )
    return order, found


def _columns(graph: TaskGraph, schedule: Schedule, target: np.ndarray, weight_ns: np.ndarray) -> dict[str, np.ndarray]:
    """The schedule by node, as event_loop.run describes it; wait_stream by edge."""
    start = schedule.start
    before = np.where(np.diff(schedule.stream, prepend=NONE) == 0, np.roll(start, 1), NONE)
    found = {name: np.full(graph.nodes, NONE) for name in ("stream", "before", "follower", "end", "back", "gap_ns")}
    found["stream"][start], found["before"][start] = schedule.stream, before
    found["end"][start], found["back"][start] = schedule.end, schedule.back
    found["follows"] = np.zeros(graph.nodes, bool)
    found["follows"][start] = schedule.follows
    leads = schedule.follows & (before >= 0)
    found["follower"][before[leads]] = start[leads]
    after = np.flatnonzero((graph.family == Family.STREAM_ORDER) & (graph.rule == Rule.AFTER))
    np.maximum.at(found["gap_ns"], target[after], weight_ns[after])
    usual = int(np.median(weight_ns[after])) if len(after) else 0
    found["gap_ns"] = np.where(found["gap_ns"] == NONE, usual, found["gap_ns"])
    stream_of_end = np.full(graph.nodes, NONE)
    stream_of_end[schedule.end] = schedule.stream
    found["wait_stream"] = stream_of_end[graph.source]
    return found


def _edges(graph: TaskGraph, found: np.ndarray, looked: _Looked) -> Edges:
    """The edges that were never in question, and those that were found."""
    every = Edges(
        graph.source.astype(np.int64), looked.target, graph.weight_ns, graph.family, graph.rule, graph.certainty
    )  # fmt: skip
    is_new = found[:, 3] == NONE
    new = found[is_new]
    in_stream = looked.is_start[new[:, 1]]
    added = Edges(
        new[:, 0], new[:, 1], new[:, 2],
        np.where(in_stream, Family.STREAM_ORDER, Family.HOST_SYNC).astype(np.uint8),
        np.where(in_stream, Rule.AFTER, Rule.SYNC_NAMED).astype(np.uint8),
        np.full(len(new), Certainty.INFERRED, np.uint8),
    )  # fmt: skip
    return Edges.joined([every[looked.still], every[found[~is_new, 3]], added])


def _as_graph(graph: TaskGraph, order: np.ndarray, edges: Edges) -> TaskGraph:
    """The graph of these edges, its nodes numbered by `order`."""
    place = np.append(places(order), np.int32(NONE))
    offsets, edges = to_csr(edges.renumbered(place), graph.nodes)
    return replace(
        graph,
        offsets=offsets,
        source=edges.source,
        weight_ns=edges.weight_ns,
        family=edges.family,
        rule=edges.rule,
        certainty=edges.certainty,
        measured_ns=graph.measured_ns[order],
        residual_ns=graph.residual_ns[order],
        start_node=place[graph.start_node],
        end_node=place[graph.end_node],
        derived=graph.derived.renumbered(0, place),
    )
