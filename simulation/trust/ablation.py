"""What each family of dependencies is worth: the replay without residuals, and without the edges of that family.

Thread order and device work stay: they are the measured time itself. A run whose figures stay the same whichever family
is left out, and which is exact without residuals too, says nothing about the model: it would be replayed as well
without it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.graph import Family, TaskGraph
from simulation.replay import replay
from simulation.trust.edited import only
from simulation.trust.errors import Yardstick

MEASURED = (Family.THREAD_ORDER, Family.DEVICE_WORK)

TELLING_PERCENT = 0.5
"""A run tests the model if a family that is left out moves an error by so many points, or if residuals do."""


def ablate(yardstick: Yardstick) -> list[dict[str, Any]]:
    """Errors with all families (`family` null), then with each that has edges left out. Cost: one replay each."""
    graph = yardstick.graph
    present = np.bincount(graph.family, minlength=max(Family) + 1)

    def line(name: str | None, edges: int, tried: TaskGraph) -> dict[str, Any]:
        return {"family": name, "edges": edges, **yardstick.errors(replay(tried, residuals=False).node_ns)}

    return [line(None, graph.edges, graph)] + [
        line(family.name.lower(), int(present[family]), taken_away(graph, family))
        for family in Family
        if present[family] and family not in MEASURED
    ]


def taken_away(graph: TaskGraph, family: Family) -> TaskGraph:
    """The graph less the edges of a family, after all were settled: weights and residuals stay those of the whole.

    What nothing else holds then happens at time 0. For a graph that never had them: `build_graph(run, never_found)`.
    """
    return only(graph, graph.family != family)


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
