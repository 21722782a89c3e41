"""The events whose start the model gets wrong the most, and what holds them there."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.graph import Family, Rule, TaskGraph
from simulation.graph.tasks import gathered
from simulation.replay import Times
from simulation.run import Run

MOST = 20


def worst_events(run: Run, times: Times) -> list[dict[str, Any]]:
    """Of each trace and name the event with the largest start error, the worst MOST of them; `times` without residuals.

    An error is handed on to all that depends on the event: `own_ns` is the part that arose at the event itself.
    """
    graph = times.graph
    rows = np.flatnonzero(graph.start_node >= 0)
    node = graph.start_node[rows]
    error = times.node_ns[node] - graph.measured_ns[node]
    order = np.argsort(-np.abs(error), kind="stable")
    trace = np.searchsorted(run.row_base, rows, side="right") - 1
    names = np.stack([trace, gathered(run, "name")[rows]])[:, order]
    firsts = order[np.sort(np.unique(names, axis=1, return_index=True)[1])][:MOST]
    return [_line(run, times, int(rows[at]), int(error[at])) for at in firsts.tolist() if error[at]]


def _line(run: Run, times: Times, row: int, error_ns: int) -> dict[str, Any]:
    graph: TaskGraph = times.graph
    node = int(graph.start_node[row])
    edge = int(times.binding[node])
    bound: dict[str, Any] = {"family": None, "rule": None, "by": None}
    if edge >= 0:
        cause = _row_of(graph, int(graph.source[edge]))
        bound = {
            "family": Family(graph.family[edge]).name.lower(),
            "rule": Rule(graph.rule[edge]).name.lower(),
            "by": None if cause < 0 else _place(run, cause)["name"],
        }
    return {
        **_place(run, row),
        "start_error_ns": error_ns,
        "own_ns": -int(graph.residual_ns[node]),
        "bound": bound,
    }


def _place(run: Run, row: int) -> dict[str, Any]:
    trace = int(np.searchsorted(run.row_base, row, side="right")) - 1
    table, local = run.traces[trace], row - int(run.row_base[trace])
    return {
        "trace": trace,
        "rank": run.ranks[trace],
        "row": local,
        "name": table.name_of(local),
        "track": table.tracks[int(table.track[local])].name,
        "start_ns": int(table.start_ns[local]) + run.shift_ns[trace],
    }


def _row_of(graph: TaskGraph, node: int) -> int:
    """The row whose start or end a node is, -1 none. Cost: O(rows), for the few that are listed."""
    for nodes in (graph.start_node, graph.end_node):
        found = np.flatnonzero(nodes == node)
        if len(found):
            return int(found[0])
    return -1
