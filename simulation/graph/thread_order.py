"""Thread order: what a thread did, in the order in which it did it.

Per host thread one chain over all starts, ends and instants; the weight is the measured time between them: self
time inside slices, kept host gap outside. Nesting and lanes therefore survive any change. Where a call waited for
the device, only what it did after the wait stays in the chain (`host_sync`).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import ROOT, Tasks


def edges(tasks: Tasks, waited_node: np.ndarray, kept_ns: np.ndarray) -> Edges:
    """One edge per host node, by node; the one into `waited_node[i]` keeps at most `kept_ns[i]` of its time."""
    kept = np.full(tasks.nodes, np.iinfo(np.int64).max)
    np.minimum.at(kept, waited_node, kept_ns)
    columns = [np.empty(tasks.nodes, kind) for kind in (np.int32, np.int32, np.int64, np.uint8)]
    count = _chained(
        tasks.node_row, tasks.node_ns, tasks.start_node, tasks.track, tasks.is_host, tasks.is_slice, kept, *columns
    )
    source, target, weight, rule = (column[:count] for column in columns)
    return Edges.of(Family.THREAD_ORDER, source, target, weight, rule, Certainty.STRUCTURAL)


@njit(cache=True, nogil=True)
def _chained(
    node_row: np.ndarray,
    node_ns: np.ndarray,
    start_node: np.ndarray,
    track: np.ndarray,
    is_host: np.ndarray,
    is_slice: np.ndarray,
    kept_ns: np.ndarray,
    source: np.ndarray,
    target: np.ndarray,
    weight_ns: np.ndarray,
    rule: np.ndarray,
) -> int:
    """Fill the columns of the edges and tell how many there are; one pass over the nodes in measured order."""
    tracks = track.max() + 1 if len(track) else 0
    last, slices = np.full(tracks, ROOT, np.int32), np.zeros(tracks, np.int64)
    n = 0
    for node in range(ROOT + 1, len(node_row)):
        row = node_row[node]
        if row < 0 or not is_host[row]:
            continue
        thread = track[row]
        before = last[thread]
        source[n], target[n] = before, node
        weight_ns[n] = min(node_ns[node] - node_ns[before], kept_ns[node])
        if before == ROOT:
            rule[n] = _BEGIN
        else:
            rule[n] = _GAP if slices[thread] == 0 else _WORK
        if is_slice[row]:
            slices[thread] += 1 if start_node[row] == node else -1
        last[thread] = node
        n += 1
    return n


_BEGIN, _GAP, _WORK = int(Rule.THREAD_BEGIN), int(Rule.THREAD_GAP), int(Rule.THREAD_WORK)
