"""Sensitivity: how much sooner a step, or the run, would end if one thing were faster.

For each group of edges two replays of the whole graph: with one percent less of the group's time, and with none of it.
The first tells what a saved percent is worth now, the second what the most is that can be gained; between the two,
something else becomes critical. Measured by replay, not by shares of a path.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.graph import Family, TaskGraph
from simulation.progress import Progress, silent
from simulation.replay.causes import Causes, Rows, all_causes
from simulation.replay.groups import DEVICE_WORK, Grouping, groupings
from simulation.replay.report import replayed_steps, step_nodes
from simulation.replay.scenarios import UNSCALED, Outcomes, replay_many
from simulation.run import Run

MOST_GROUPS = 100
"""Of each kind, those with the most time, are replayed; the others are counted."""

ONE_PERCENT_LESS, NOTHING = 0.99, 0.0


def sensitivity(run: Run, graph: TaskGraph, most: int = MOST_GROUPS, progress: Progress = silent) -> dict[str, Any]:
    """Figures of every group, ranked by what a saved percent gains; docs/replay.md, "Sensitivity".

    Steps count by their median, over all ranks; without steps the run's end ranks. Cost: two scenarios per group.
    """
    rows = Rows(run, graph)
    causes = all_causes(rows)
    steps = np.array([step_nodes(rows, trace, row) for trace, row in replayed_steps(rows)], np.int64).reshape(-1, 2)
    kinds: list[dict[str, Any]] = []
    entries: list[dict[str, Any]] = []
    step_ns, run_ns = _as_it_is(graph, steps)
    again = np.isin(causes.cause, DEVICE_WORK) & (graph.family != Family.DEVICE_WORK)  # a member's transfer, twice
    spent_ns = np.where(again, 0, graph.weight_ns)
    for grouping in groupings(rows, causes):
        times_ns = _totals(grouping, spent_ns)
        order = np.argsort(-times_ns, kind="stable")
        told = order[:most]
        entries += _entries(rows, grouping, causes, times_ns, told, steps, progress)
        left = times_ns[order[most:]]
        kinds.append(
            {
                "kind": grouping.kind,
                "groups": len(order),
                "left_out": len(left),
                "left_out_most_ns": int(left.max(initial=0)),  # none of them can gain more in the run
            }
        )
    main = "step" if len(steps) else "run"
    entries.sort(key=lambda entry: (-entry[main]["gain_ns_per_percent"], -entry[main]["bound_ns"], -entry["total_ns"]))
    return {"steps": len(steps), "step_ns": step_ns, "run_ns": run_ns, "kinds": kinds, "entries": entries}


def _as_it_is(graph: TaskGraph, steps: np.ndarray) -> tuple[int | None, int]:
    """(median step or None, run) when nothing changes."""
    same = replay_many(graph, np.ones((1, 1)), np.full(graph.edges, UNSCALED), steps.ravel())
    durations = _durations(same)[0]
    return (int(_median(durations)) if len(steps) else None), int(same.end_ns[0])


def _entries(
    rows: Rows,
    grouping: Grouping,
    causes: Causes,
    times_ns: np.ndarray,
    told: np.ndarray,
    steps: np.ndarray,
    progress: Progress,
) -> list[dict[str, Any]]:
    """The groups `told` of one grouping, replayed."""
    graph = rows.graph
    column = np.full(len(times_ns) + 1, UNSCALED)  # the last one stands for edges of no group
    column[told] = np.arange(len(told))
    factors = np.ones((2 * len(told) + 1, len(told)))
    for number in range(len(told)):
        factors[2 * number + 1, number] = ONE_PERCENT_LESS
        factors[2 * number + 2, number] = NOTHING
    found = replay_many(graph, factors, column[grouping.of_edge], steps.ravel(), progress=progress)
    durations = _durations(found)
    run_gains = found.end_ns[0] - found.end_ns[1:]
    step_gains = _median(durations[0] - durations[1:]) if len(steps) else run_gains
    step_ns, run_ns = int(_median(durations[0])) if len(steps) else 0, int(found.end_ns[0])
    events, longest, whole_ns = _events(grouping, causes), _longest(grouping, causes, graph), int(times_ns.sum())
    return [
        {
            "kind": grouping.kind,
            "name": grouping.names[group],
            "events": int(events[group]),
            "longest": _place(rows, int(longest[group])),
            "total_ns": int(times_ns[group]),
            "share_percent": _percent(int(times_ns[group]), whole_ns),
            "step": _gain(step_gains[2 * number], step_gains[2 * number + 1], step_ns) if len(steps) else None,
            "run": _gain(run_gains[2 * number], run_gains[2 * number + 1], run_ns),
        }
        for number, group in enumerate(told.tolist())
    ]


def _gain(per_percent_ns: int, bound_ns: int, whole_ns: int) -> dict[str, Any]:
    return {
        "gain_ns_per_percent": int(per_percent_ns),
        "gain_percent_per_percent": _percent(int(per_percent_ns), whole_ns),
        "bound_ns": int(bound_ns),
        "bound_percent": _percent(int(bound_ns), whole_ns),
    }


def _durations(found: Outcomes) -> np.ndarray:
    """i64[scenarios, steps]"""
    return np.asarray(found.node_ns[:, 1::2] - found.node_ns[:, 0::2])


def _median(values: np.ndarray) -> np.ndarray:
    """Over the last axis, the lower one of an even number."""
    return np.asarray(np.sort(values, axis=-1)[..., (values.shape[-1] - 1) // 2])


def _totals(grouping: Grouping, weight_ns: np.ndarray) -> np.ndarray:
    """Time of each group's edges: i64."""
    chosen = grouping.of_edge >= 0
    total = np.zeros(len(grouping.names), np.int64)
    np.add.at(total, grouping.of_edge[chosen], weight_ns[chosen])
    return total


def _events(grouping: Grouping, causes: Causes) -> np.ndarray:
    """How many events each group has; of gaps, how many gaps: i64."""
    chosen = np.flatnonzero(grouping.of_edge >= 0)
    if grouping.kind != "gap":
        _, first = np.unique(causes.row[chosen], return_index=True)
        chosen = chosen[first]
    return np.bincount(grouping.of_edge[chosen], minlength=len(grouping.names))


def _longest(grouping: Grouping, causes: Causes, graph: TaskGraph) -> np.ndarray:
    """The row of the edge that takes most of each group, where that has one, else -1: i64."""
    chosen = np.flatnonzero((grouping.of_edge >= 0) & (causes.row >= 0))
    chosen = chosen[np.argsort(graph.weight_ns[chosen], kind="stable")]
    found = np.full(len(grouping.names), -1)
    found[grouping.of_edge[chosen]] = causes.row[chosen]  # the last one stays
    return found


def _place(rows: Rows, row: int) -> dict[str, int] | None:
    """A global row as its trace and row there."""
    if row < 0:
        return None
    trace = int(rows.trace[row])
    return {"trace": trace, "row": row - int(rows.run.row_base[trace])}


def _percent(ns: int, whole_ns: int) -> float:
    return round(100 * ns / whole_ns, 4) if whole_ns else 0.0
