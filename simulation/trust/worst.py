"""Where the model is wrong: the events whose start it misses the most, and those at which its errors arise."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.graph import Family, Rule, TaskGraph
from simulation.graph.tasks import gathered
from simulation.replay import Times
from simulation.run import Run

MOST = 12


def worst_events(run: Run, times: Times) -> list[dict[str, Any]]:
    """Of each trace and name the event with the largest start error, the worst MOST; `times` without residuals.

    An error is handed on to all that depends on the event; `own_ns` is the part that arose at the event itself.
    """
    rows = np.flatnonzero(times.graph.start_node >= 0)
    node = times.graph.start_node[rows]
    error = times.node_ns[node] - times.graph.measured_ns[node]
    order = np.argsort(-np.abs(error), kind="stable")[: int(np.count_nonzero(error))]
    _, first = np.unique(_names(run, rows[order]), return_index=True)
    return [_line(run, times, int(rows[at])) for at in order[np.sort(first)][:MOST].tolist()]


def origins(run: Run, times: Times) -> list[dict[str, Any]]:
    """Names, trace by trace, by the sum of the residuals of their events, either way; the MOST largest.

    `worst` is the event with the largest residual.
    """
    graph = times.graph
    rows = np.flatnonzero(graph.start_node >= 0)
    own = np.abs(graph.residual_ns[graph.start_node[rows]])
    rows, own = rows[own > 0], own[own > 0]
    names, name = np.unique(_names(run, rows), return_inverse=True)
    total = np.bincount(name, weights=own, minlength=len(names))
    count = np.bincount(name, minlength=len(names))
    found = []
    for at in np.argsort(-total, kind="stable")[:MOST].tolist():
        mine = np.flatnonzero(name == at)
        worst = _line(run, times, int(rows[mine[np.argmax(own[mine])]]))
        found.append({"name": worst["name"], "events": int(count[at]), "residual_ns": int(total[at]), "worst": worst})
    return found


def _names(run: Run, rows: np.ndarray) -> np.ndarray:
    """A number per row for its trace and name: i64."""
    trace = np.searchsorted(run.row_base, rows, side="right") - 1
    width = max((len(table.names) for table in run.traces), default=0) + 1
    return np.asarray(trace * width + gathered(run, "name")[rows])


def _line(run: Run, times: Times, row: int) -> dict[str, Any]:
    graph = times.graph
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
        "start_error_ns": int(times.node_ns[node] - graph.measured_ns[node]),
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
