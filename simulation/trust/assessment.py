"""All that is known about how far a run's replay can be trusted: `traceviewer validate --json`."""

from __future__ import annotations

from typing import Any

from simulation import ENGINE_VERSION
from simulation.graph import build_graph
from simulation.progress import Progress, silent
from simulation.replay import predict, replay
from simulation.run import Run
from simulation.trust.ablation import TELLING_PERCENT, ablate, left_percent, most_moved_percent
from simulation.trust.errors import Yardstick
from simulation.trust.identity import edges, identity, path_shares
from simulation.trust.steps_from_others import predict_steps
from simulation.trust.verdict import checks, verdict
from simulation.trust.worst import origins, worst_events

STAGES = 5


def assess(run: Run, progress: Progress = silent) -> dict[str, Any]:
    """The figures, as docs/accuracy.md explains them. Cost: the graph, and a replay per step and family of edges."""

    def at(stage: int) -> None:
        progress("validating", stage, STAGES)

    at(0)
    graph = build_graph(run)
    at(1)
    report = predict(run, graph).report
    at(2)
    yardstick = Yardstick.of(run, graph)
    ablation = ablate(yardstick)
    moved_percent = most_moved_percent(ablation)
    at(3)
    others = predict_steps(run, graph)
    at(4)
    bare = replay(graph, residuals=False)
    figures: dict[str, Any] = {
        "engine_version": ENGINE_VERSION,
        "placed": run.placed,
        "ranks": len(run.traces),
        "events": report["events"],
        "identity": identity(run, report),
        "path": path_shares(yardstick, replay(graph), report),
        "others": others,
        "edges": edges(graph),
        "ablation": ablation,
        "moved_percent": moved_percent,
        "telling": max(moved_percent, left_percent(ablation)) >= TELLING_PERCENT,
        "worst": worst_events(run, bare),
        "origins": origins(run, bare),
        "quality": report["quality"],
    }
    figures["checks"] = checks(figures)
    figures["verdict"] = verdict(figures)
    return figures
