"""From a run to its task graph: every family's edges, then one order, then the residuals."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from numba import njit

from simulation import rendezvous
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
from simulation.graph.calls import deciding
from simulation.graph.derived import Anchors, anchors
from simulation.graph.edges import Edges
from simulation.graph.families import Family
from simulation.graph.members import Members, note
from simulation.graph.taskgraph import TaskGraph
from simulation.graph.tasks import Tasks
from simulation.quality import QualityReport
from simulation.run import Run

THREAD_ORDER = int(Family.THREAD_ORDER)


def build_graph(run: Run, never_found: Collection[Family] = ()) -> TaskGraph:
    """The task graph of all traces of a run, on aligned clocks. Cost: O(rows log rows).

    As if the rules of the families `never_found` had found nothing: their edges go before the others are settled, so
    that what they would explain goes back into the thread's chain, or is a residual, and the measured times come out
    all the same. To take a family from a finished graph: `simulation.trust.ablation.taken_away`.
    """
    met = rendezvous.find(run)
    tasks, members = Members.of(Tasks.of(run.aligned()), met)
    found = all_edges(tasks, members)
    if never_found:
        found = found[~np.isin(found.family, list(never_found))]
    possible = order.possible(found, tasks.node_ns)
    edges = found if possible.all() else found[possible]
    sequence, edges = order.topological(edges, tasks.nodes)
    quality = QualityReport({"impossible_edges": len(found) - len(edges)})
    note(met, quality)
    pinned = virtual_start.edges(tasks, edges)
    edges = Edges.joined([edges, pinned]) if len(pinned) else edges
    offsets, edges = order.to_csr(edges, sequence)
    measured = tasks.node_ns[sequence]
    place = np.append(order.places(sequence), np.int32(-1))
    source, family = edges.source, edges.family
    residual = np.zeros(tasks.nodes, np.int64)
    settle(offsets, source, edges.weight_ns, family, measured, residual)
    return TaskGraph(
        zero_ns=tasks.zero_ns,
        offsets=offsets,
        source=source,
        weight_ns=edges.weight_ns,
        family=family,
        rule=edges.rule,
        certainty=edges.certainty,
        measured_ns=measured,
        residual_ns=residual,
        start_node=place[tasks.start_node],
        end_node=place[tasks.end_node],
        deciding=deciding(run).astype(np.uint8),
        derived=_renumbered(anchors(tasks), place),
        quality=quality,
    )


def all_edges(tasks: Tasks, members: Members) -> Edges:
    """The edges of every family, over the nodes of `tasks`; `members` meet others."""
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
            collectives.edges(tasks, members),
            send_recv.edges(tasks, members),
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


@njit(cache=True, nogil=True)
def settle(
    offsets: np.ndarray,
    source: np.ndarray,
    weight_ns: np.ndarray,
    family: np.ndarray,
    measured_ns: np.ndarray,
    residual_ns: np.ndarray,
) -> None:
    """Make the edges give the measured time of every node: weights in place, residuals of nodes in place of zeros.

    What the edges into a host node do not explain, because a wait was found impossible after it had left the
    thread's chain, goes back into the chain. Anything else is a residual.
    """
    for node in range(len(measured_ns)):
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


def _renumbered(found: Anchors, place: np.ndarray) -> Anchors:
    return Anchors(
        found.row,
        place[found.start_node].astype(np.int64),
        found.start_offset_ns,
        place[found.end_node].astype(np.int64),
        found.end_offset_ns,
    )
