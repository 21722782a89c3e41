"""Many scenarios in one pass: the same graph, its weights scaled class by class, several scenarios side by side.

A scenario is a factor per class of edges. The pass goes over the graph once for LANES scenarios, which the processor's
vector registers hold side by side; a node's times are kept only until the last edge out of it has been followed, so
that they stay in the cache whatever the size of the run. Equal to single passes, to the nanosecond.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numba import njit

from simulation.graph import TaskGraph
from simulation.progress import Progress, silent

LANES = 32
"""Scenarios per pass: enough that following an edge costs less than the arithmetic of its lanes."""

LOWEST = np.iinfo(np.int64).min

UNSCALED = -1
"""Class of the edges that no scenario changes."""


@dataclass(frozen=True)
class Outcomes:
    """What came of each scenario."""

    end_ns: np.ndarray  # i64[scenarios]: the latest of the nodes that may end the run
    node_ns: np.ndarray  # i64[scenarios, kept nodes]


@dataclass(frozen=True)
class Places:
    """Where a pass keeps the times of each node: a few rows that are used again and again."""

    of_node: np.ndarray  # i32 per node
    count: int


def replay_many(
    graph: TaskGraph,
    factors: np.ndarray,
    class_of_edge: np.ndarray,
    kept: np.ndarray,
    ends: np.ndarray | None = None,
    *,
    residuals: bool = True,
    progress: Progress = silent,
) -> Outcomes:
    """Replay `graph` once per row of `factors`. Cost: O((nodes + edges) * scenarios / LANES), on all processors.

    factors f64[scenarios, classes], not negative; class_of_edge i32 per edge, UNSCALED for edges that stay; kept i64:
    the nodes to tell the times of; ends bool per node: those that may end the run, default the ends of slices.
    An edge lasts `scaled(weight, factor)`.
    """
    if (factors < 0).any() or not np.isfinite(factors).all():
        raise ValueError("a factor must be a number of at least 0")
    ends = may_end(graph) if ends is None else ends
    column = np.full(graph.nodes, -1, np.int64)
    asked, back = np.unique(kept, return_inverse=True)
    column[asked] = np.arange(len(asked))
    residual_ns = graph.residual_ns if residuals else np.zeros(graph.nodes, np.int64)
    places = places_of(graph.offsets, graph.source)
    work = partial(
        _pass, graph.offsets, places.of_node[graph.source], graph.weight_ns, class_of_edge.astype(np.int32),
        residual_ns, places.of_node, places.count, ends, column, len(asked),
    )  # fmt: skip
    end_ns, node_ns = _in_lanes(work, factors, progress)
    return Outcomes(end_ns, node_ns[:, back])


def scaled(weight_ns: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Weights (i64) times their factors (f64), to the nearest ns, half to even; exact below 2**53 ns (104 days)."""
    return np.asarray(np.rint(weight_ns * factor), np.int64)


def scenario_weights(graph: TaskGraph, factors: np.ndarray, class_of_edge: np.ndarray) -> np.ndarray:
    """The weights (i64 per edge) of one scenario, f64[classes]: what a single `replay` takes for the same answer."""
    changes = class_of_edge != UNSCALED
    weight_ns = graph.weight_ns.copy()
    weight_ns[changes] = scaled(weight_ns[changes], factors[class_of_edge[changes]])
    return weight_ns


def may_end(graph: TaskGraph) -> np.ndarray:
    """The ends of slices, the latest of which ends the run: bool per node."""
    ends = np.zeros(graph.nodes, bool)
    ends[graph.end_node[(graph.end_node != graph.start_node) & (graph.deciding == 1)]] = True
    return ends


def places_of(offsets: np.ndarray, source: np.ndarray) -> Places:
    """A place for the times of each node, which no other node has until the last edge from it. O(nodes + edges)."""
    of_node, count = _place(offsets, np.asarray(source))
    return Places(of_node, int(count))


def processors() -> int:
    return len(os.sched_getaffinity(0))


def _in_lanes(
    work: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]], factors: np.ndarray, progress: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Run `work` on LANES scenarios at a time, [classes, LANES]; a lane too many repeats the last scenario."""
    scenarios = len(factors)
    if not scenarios:
        ends, nodes = work(np.ones((factors.shape[1], LANES)))
        return ends[:0], nodes[:0]
    lanes = np.minimum(np.arange(-(-scenarios // LANES) * LANES), scenarios - 1).reshape(-1, LANES)
    batches = [np.ascontiguousarray(factors[batch].T, np.float64) for batch in lanes]
    found = []
    with ThreadPoolExecutor(processors()) as pool:
        try:
            for done, answer in enumerate(pool.map(work, batches)):
                progress("replaying", done * LANES, scenarios)
                found.append(answer)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    ends, nodes = (np.concatenate(parts)[:scenarios] for parts in zip(*found, strict=True))
    return ends, nodes


@njit(cache=True, nogil=True)
def _place(offsets: np.ndarray, source: np.ndarray) -> tuple[np.ndarray, int]:
    """(place of each node, number of places): taken when a node comes, free after the last node that follows it."""
    nodes = len(offsets) - 1
    last = np.arange(nodes)
    for node in range(nodes):
        for edge in range(offsets[node], offsets[node + 1]):
            last[source[edge]] = node
    place, free = np.empty(nodes, np.int32), np.empty(nodes, np.int32)
    n, unused = 0, 0
    for node in range(nodes):
        if unused > 0:
            unused -= 1
            place[node] = free[unused]
        else:
            place[node] = n
            n += 1
        for edge in range(offsets[node], offsets[node + 1]):
            before = source[edge]
            if last[before] == node:
                free[unused] = place[before]
                unused += 1
                last[before] = -1  # once, though several edges may lead from it
        if last[node] == node:
            free[unused] = place[node]
            unused += 1
    return place, n


@njit(cache=True, nogil=True)
def _pass(
    offsets: np.ndarray,
    source_place: np.ndarray,
    weight_ns: np.ndarray,
    class_of_edge: np.ndarray,
    residual_ns: np.ndarray,
    place: np.ndarray,
    places: int,
    ends: np.ndarray,
    column: np.ndarray,
    columns: int,
    factor: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(latest end i64[LANES], kept times i64[LANES, columns]); `factor` is f64[classes, LANES]."""
    times = np.zeros((places, LANES), np.int64)
    kept = np.zeros((columns, LANES), np.int64)
    end_ns = np.zeros(LANES, np.int64)
    latest = np.empty(LANES, np.int64)
    for node in range(len(offsets) - 1):
        first, end, residual, here = offsets[node], offsets[node + 1], residual_ns[node], np.uint32(place[node])
        for lane in range(LANES):
            latest[lane] = LOWEST if first < end else 0
        for edge in range(first, end):
            before, weight, kind = np.uint32(source_place[edge]), weight_ns[edge], class_of_edge[edge]
            if kind < 0:
                for lane in range(LANES):
                    latest[lane] = max(latest[lane], times[before, lane] + weight)
            else:
                for lane in range(LANES):
                    lasts = np.int64(np.rint(weight * factor[np.uint32(kind), lane]))
                    latest[lane] = max(latest[lane], times[before, lane] + lasts)
        if first < end:
            for lane in range(LANES):
                latest[lane] += residual
        if first < end and residual < 0:  # only then can it come too early
            for edge in range(first, end):
                before, weight, kind = np.uint32(source_place[edge]), min(weight_ns[edge], 0), class_of_edge[edge]
                if kind < 0 or weight == 0:
                    for lane in range(LANES):
                        latest[lane] = max(latest[lane], times[before, lane] + weight)
                else:
                    for lane in range(LANES):
                        lasts = np.int64(np.rint(weight * factor[np.uint32(kind), lane]))
                        latest[lane] = max(latest[lane], times[before, lane] + lasts)
        for lane in range(LANES):
            times[here, lane] = latest[lane]
        if ends[node]:
            for lane in range(LANES):
                end_ns[lane] = max(end_ns[lane], latest[lane])
        if column[node] >= 0:
            for lane in range(LANES):
                kept[column[node], lane] = latest[lane]
    return end_ns, kept.T
