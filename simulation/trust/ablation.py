"""What each family of dependencies is worth: the replay without residuals, and without the edges of that family.

Thread order and device work stay: they are the measured time itself. A run whose figures stay the same whichever family
is left out, and which is exact without residuals too, says nothing about the model: it would be replayed as well
without it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from simulation.graph import Family, TaskGraph
from simulation.replay import replay
from simulation.replay.prediction import measured_times, row_times, slices
from simulation.replay.report import error_percent, span_ns, start_errors, steps
from simulation.run import Run

MEASURED = (Family.THREAD_ORDER, Family.DEVICE_WORK)

TELLING_PERCENT = 0.5
"""A run tests the model if a family that is left out moves an error by so many points, or if residuals do."""


def ablate(run: Run, graph: TaskGraph) -> list[dict[str, Any]]:
    """Errors with all families (`family` null), then with each that has edges left out. Cost: one replay each."""
    present = np.bincount(graph.family, minlength=len(Family))
    tried = [family for family in Family if present[family] and family not in MEASURED]
    whole = [{"family": None, "edges": graph.edges, **_errors(run, graph)}]
    return whole + [
        {"family": family.name.lower(), "edges": int(present[family]), **_errors(run, without(graph, family))}
        for family in tried
    ]


def without(graph: TaskGraph, family: Family) -> TaskGraph:
    """The graph less the edges of a family; what nothing else holds then happens at time 0."""
    kept = graph.family != family
    offsets = np.concatenate([[0], np.cumsum(kept)])[graph.offsets]
    columns = ("source", "weight_ns", "family", "rule", "certainty")
    return replace(graph, offsets=offsets, **{name: getattr(graph, name)[kept] for name in columns})


def most_moved_percent(ablation: list[dict[str, Any]]) -> float:
    """By how many points leaving out a family moves the error of the run or the mean error of its steps, at most."""
    keys = ("error_percent", "steps_mean_error_percent")
    whole, *others = ablation
    moved = [abs(line[key] - whole[key]) for line in others for key in keys if whole[key] is not None]
    return float(round(max(moved, default=0.0), 4))


def left_percent(ablation: list[dict[str, Any]]) -> float:
    """The error of the run, or the mean error of its steps, that all families leave without residuals."""
    whole = ablation[0]
    return float(max(abs(whole["error_percent"]), whole["steps_mean_error_percent"] or 0.0))


def _errors(run: Run, graph: TaskGraph) -> dict[str, Any]:
    measured, counted = measured_times(run), slices(run)
    bare = row_times(run, replay(graph, residuals=False))
    of_steps = [abs(step["error_percent"]) for step in steps(run, measured, bare, bare)]
    return {
        "error_percent": error_percent(span_ns(measured, counted), span_ns(bare, counted)),
        "steps_mean_error_percent": round(float(np.mean(of_steps)), 4) if of_steps else None,
        "device_start_error_ns": start_errors(run, graph, measured, bare)["device"],
    }
