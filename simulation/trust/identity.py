"""Identity replay: the run with its own durations, with and without residuals, and what its path is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.analysis.steps import median_step_ns
from simulation.graph import Certainty, Family, TaskGraph
from simulation.replay import Times
from simulation.run import Run
from simulation.trust.errors import Yardstick, deciding_edges


def identity(run: Run, report: dict[str, Any]) -> dict[str, Any]:
    """The figures of the replay's report that say how exact it is; start errors as shares of a step too."""
    steps = report["steps"]
    unit_ns = median_step_ns(run) or report["measured_ns"]
    device = {kind: report[f"start_error_ns{kind}"]["device"] for kind in ("", "_without_residuals")}
    return {
        "measured_ns": report["measured_ns"],
        "error_percent": report["error_percent"],
        "error_percent_without_residuals": report["error_percent_without_residuals"],
        "worst_step_error_percent": _worst([step["error_percent"] for step in steps]),
        "worst_step_error_percent_without_residuals": _worst(
            [step["error_percent_without_residuals"] for step in steps]
        ),
        "per": "step" if steps else "run",
        "per_ns": unit_ns,
        "device_start_p95_ns": device[""]["p95"],
        "device_start_p95_percent": _share(device[""]["p95"], unit_ns),
        "device_start_p95_ns_without_residuals": device["_without_residuals"]["p95"],
        "device_start_p95_percent_without_residuals": _share(device["_without_residuals"]["p95"], unit_ns),
    }


def path_shares(yardstick: Yardstick, times: Times, report: dict[str, Any]) -> dict[str, Any]:
    """What the critical path of the replay is made of, in percent of it; `families` are amounts of all edges on it."""
    graph, last = times.graph, yardstick.last_node(times.node_ns)
    edge = deciding_edges(last, graph.source, times.binding)
    spent = np.bincount(graph.family[edge], weights=np.abs(times.weight_ns[edge]), minlength=max(Family) + 1)
    length_ns = int(times.node_ns[last])
    families = {family.name.lower(): _share(int(spent[family]), length_ns) for family in Family if spent[family]}
    return {
        "unexplained_percent": report["unexplained_percent"],
        "gap_percent": report["gap_percent"],
        "families": families,
    }


def edges(graph: TaskGraph) -> list[dict[str, Any]]:
    """How many edges of each family have which certainty."""
    kinds, counts = np.unique(np.stack([graph.family, graph.certainty]), axis=1, return_counts=True)
    return [
        {"family": Family(family).name.lower(), "certainty": Certainty(certainty).name.lower(), "edges": count}
        for (family, certainty), count in zip(kinds.T.tolist(), counts.tolist(), strict=True)
    ]


def _worst(errors: list[float]) -> float | None:
    """The one that is furthest from 0, with its sign; None of none."""
    return max(errors, key=abs, default=None)


def _share(part_ns: int, whole_ns: int) -> float:
    return round(100 * part_ns / whole_ns, 4) if whole_ns else 0.0
