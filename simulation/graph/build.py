"""From a run to its task graph: every family's edges, then one order, then the residuals."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numba import njit

from simulation import parallel, rendezvous
from simulation.graph import (
    collectives,
    device_room,
    device_work,
    event_wait,
    host_sync,
    launch,
    launch_queue,
    order,
    send_recv,
    stream_order,
    thread_handover,
    thread_order,
    virtual_start,
)
from simulation.graph.awaited import DeviceQueues
from simulation.graph.derived import anchors
from simulation.graph.edges import Edges
from simulation.graph.families import Family
from simulation.graph.members import Gathering, Members, Met, note
from simulation.graph.numbering import Tie, numbered
from simulation.graph.parts import Part, Rows, edges_of
from simulation.graph.taskgraph import TaskGraph
from simulation.graph.tasks import ROOT, Tasks, first_slice_ns
from simulation.progress import Progress, silent
from simulation.quality import QualityReport
from simulation.run import Run

THREAD_ORDER = int(Family.THREAD_ORDER)

SETTLED = 1 << 19
"""Nodes that a thread settles at a time."""


def build_graph(run: Run, never_found: Collection[Family] = ()) -> TaskGraph:
    """The task graph of all traces of a run, on aligned clocks. Cost: O(rows log rows).

    As if the rules of the families `never_found` had found nothing: their edges go before the others are settled, so
    that what they would explain goes back into the thread's chain, or is a residual, and the measured times come out
    all the same. To take a family from a finished graph: `simulation.trust.ablation.taken_away`.
    """
    run = run.aligned()
    met, zero_ns = rendezvous.find(run), first_slice_ns(run)
    gathering = Gathering.of(run, met, zero_ns)
    quality = QualityReport()
    note(met, quality)

    def part(trace: int, progress: Progress) -> Part:
        return part_of(Tasks.of(run.only(trace), zero_ns), gathering, trace, int(run.row_base[trace]), never_found)

    parts = parallel.each(part, range(len(run.traces)), np.diff(run.row_base).tolist(), silent)
    numbers, meeting_node, node_ns = _numbered(parts, gathering.last_ns)
    rows = Rows.of(parts, numbers, run.row_base)
    across, impossible = _across(
        Met.of([part.members for part in parts], gathering.waits, numbers, meeting_node),
        gathering,
        rows,
        node_ns,
        never_found,
    )
    quality.add("impossible_edges", impossible + sum(part.impossible for part in parts))
    edges = edges_of(parts, numbers, across)
    del parts, numbers, across  # room for the edges in order
    return _laid_out(edges, rows, node_ns, zero_ns, quality)


def part_of(tasks: Tasks, gathering: Gathering, trace: int, first_row: int, never_found: Collection[Family]) -> Part:
    """What one trace gives; `tasks` are its own."""
    members = Members.of(tasks, gathering, trace, first_row)
    edges, impossible = _possible(all_edges(tasks, members), tasks.node_ns, never_found)
    return Part(
        node_ns=tasks.node_ns,
        tie=tasks.tie,
        start_node=tasks.start_node,
        end_node=tasks.end_node,
        device=np.flatnonzero(tasks.is_device),
        is_slice=tasks.is_slice,
        polls=tasks.polls[tasks.track],
        edges=edges,
        impossible=impossible,
        members=members,
        anchors=anchors(tasks),
    )


def _possible(edges: Edges, node_ns: np.ndarray, never_found: Collection[Family]) -> tuple[Edges, int]:
    """The edges that are wanted and that the measurement does not contradict; how many it does."""
    if never_found:
        edges = edges[~np.isin(edges.family, list(never_found))]
    possible = order.possible(edges, node_ns)
    return edges if possible.all() else edges[possible], len(edges) - int(possible.sum())


def _numbered(parts: Sequence[Part], last_ns: np.ndarray) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """(the number of each part's nodes, and -1 behind the last: i32 each; that of each meeting's node: i32; time of
    each number: i64)."""
    by_time = np.argsort(last_ns, kind="stable")
    ties = [np.full(len(last_ns), Tie.MEETING, np.uint8), *(part.tie for part in parts)]
    (of_meetings, *of_parts), node_ns = numbered([last_ns[by_time], *(part.node_ns[1:] for part in parts)], ties)
    meeting_node = np.empty_like(of_meetings)
    meeting_node[by_time] = of_meetings
    root, none = np.full(1, ROOT, np.int32), np.full(1, -1, np.int32)
    return [np.concatenate([root, number, none]) for number in of_parts], meeting_node, node_ns


def _across(
    met: Met, gathering: Gathering, rows: Rows, node_ns: np.ndarray, never_found: Collection[Family]
) -> tuple[Edges, int]:
    """As `_possible`, of what leads from one trace to another."""
    sent = send_recv.edges(met, gathering, rows.start_node, rows.end_node)
    return _possible(Edges.joined([collectives.edges(met), sent]), node_ns, never_found)


def _laid_out(edges: Edges, rows: Rows, node_ns: np.ndarray, zero_ns: int, quality: QualityReport) -> TaskGraph:
    """The graph of these edges in topological order; weights and residuals make up the measured times."""
    sequence, edges = order.topological(edges, len(node_ns))
    pinned = virtual_start.edges(rows.device_start, node_ns, edges)
    edges = Edges.joined([edges, pinned]) if len(pinned) else edges
    if sequence is not None:
        place = order.places(sequence)
        edges, rows, node_ns = (
            edges.renumbered(place),
            rows.renumbered(np.append(place, np.int32(-1))),
            node_ns[sequence],
        )
    offsets, edges = order.to_csr(edges, len(node_ns))
    residual = settled(offsets, edges, node_ns)
    return TaskGraph(
        zero_ns=zero_ns,
        offsets=offsets,
        source=edges.source,
        weight_ns=edges.weight_ns,
        family=edges.family,
        rule=edges.rule,
        certainty=edges.certainty,
        measured_ns=node_ns,
        residual_ns=residual,
        start_node=rows.start_node,
        end_node=rows.end_node,
        deciding=rows.deciding,
        derived=rows.anchors,
        quality=quality,
    )


def all_edges(tasks: Tasks, members: Members) -> Edges:
    """The edges of every family between the nodes of `tasks`; `members` meet others."""
    pairs = stream_order.find(tasks)
    queues = DeviceQueues.of(tasks)
    full = launch_queue.find(tasks)
    syncs = host_sync.find(tasks, queues, full)
    latency_ns = launch.latencies(tasks, pairs, syncs.calls)
    handed = thread_handover.edges(tasks)
    across, held = _between_streams(tasks, queues, latency_ns, thread_handover.flows(tasks, handed))
    waited_node = np.concatenate([syncs.waited_node, handed.target, members.waited_node])
    kept_ns = np.concatenate([syncs.kept_ns, np.zeros(len(handed), np.int64), members.kept_ns])
    return Edges.joined(
        [
            thread_order.edges(tasks, waited_node, kept_ns),
            handed,
            device_work.edges(tasks, members.lasting_ns(tasks)),
            launch.edges(tasks, latency_ns),
            stream_order.edges(tasks, pairs, latency_ns, held),
            syncs.edges,
            launch_queue.edges(tasks, full, syncs.overhead_ns),
            across,
        ]
    )


def _between_streams(
    tasks: Tasks, queues: DeviceQueues, latency_ns: np.ndarray, flow: np.ndarray
) -> tuple[Edges, np.ndarray]:
    """Edges from one stream to another, and the rows that were seen to be held up by them: bool. `flow` is the flow of
    control of each track."""
    ready_ns = queues.ready_ns(tasks, latency_ns)
    waits = event_wait.find(tasks, queues, ready_ns, flow)
    explained_ns = event_wait.explained(tasks, queues, waits, ready_ns)
    room = device_room.edges(tasks, queues, explained_ns)
    unseen = event_wait.unseen(tasks, queues, explained_ns)
    held = np.zeros(len(tasks), bool)
    held[queues.rows[explained_ns > ready_ns]] = held[queues.rows[unseen.target]] = True
    held[tasks.node_row[room.target]] = True
    return Edges.joined([*(event_wait.edges(tasks, queues, found) for found in (waits, unseen)), room]), held


def settled(offsets: np.ndarray, edges: Edges, measured_ns: np.ndarray) -> np.ndarray:
    """Make the edges give the measured time of every node: weights in place; residuals of nodes, i64.

    What the edges into a host node do not explain, because a wait was found impossible after it had left the
    thread's chain, goes back into the chain. Anything else is a residual.
    """
    residual_ns = np.zeros(len(measured_ns), np.int64)

    def settle(first: int, progress: Progress) -> None:
        end = min(first + SETTLED, len(measured_ns))
        _settle(first, end, offsets, edges.source, edges.weight_ns, edges.family, measured_ns, residual_ns)

    turns = range(0, len(measured_ns), SETTLED)
    parallel.each(settle, turns, [1] * len(turns), silent)
    return residual_ns


@njit(cache=True, nogil=True)
def _settle(
    begin: int,
    after: int,
    offsets: np.ndarray,
    source: np.ndarray,
    weight_ns: np.ndarray,
    family: np.ndarray,
    measured_ns: np.ndarray,
    residual_ns: np.ndarray,
) -> None:
    """Weights and residuals of the nodes begin .. after, residuals in place of zeros."""
    for node in range(begin, after):
        first, end = offsets[node], offsets[node + 1]
        if first == end:
            continue
        best, chain = measured_ns[source[first]] + weight_ns[first], -1
        for edge in range(first, end):
            best = max(best, measured_ns[source[edge]] + weight_ns[edge])
            if family[edge] == THREAD_ORDER:
                chain = edge
        if best < measured_ns[node] and chain >= 0:
            weight_ns[chain] = measured_ns[node] - measured_ns[source[chain]]
        else:
            residual_ns[node] = measured_ns[node] - best
