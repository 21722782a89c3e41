"""The figures of a replay: `traceviewer replay --json`. Definitions: docs/replay.md."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.analysis import waiting
from simulation.graph import TaskGraph
from simulation.rendezvous import Rendezvous
from simulation.replay.engine import CriticalPath
from simulation.replay.prediction import measured_times, per_trace, slices
from simulation.run import Run

Spans = tuple[np.ndarray, np.ndarray]
"""(start, end) of every row of a run."""


def report(
    run: Run, graph: TaskGraph, met: dict[str, Any], predicted: Spans, bare: Spans, path: CriticalPath
) -> dict[str, Any]:
    """All figures; `predicted` with residuals, `bare` without, `path` through the former, `met` of `collectives`."""
    measured, counted = measured_times(run), slices(run)
    measured_ns, predicted_ns = span_ns(measured, counted), span_ns(predicted, counted)
    return {
        "measured_ns": measured_ns,
        "predicted_ns": predicted_ns,
        "error_percent": error_percent(measured_ns, predicted_ns),
        "error_percent_without_residuals": error_percent(measured_ns, span_ns(bare, counted)),
        "steps": steps(run, measured, predicted, bare),
        "start_error_ns": start_errors(run, graph, measured, predicted),
        "start_error_ns_without_residuals": start_errors(run, graph, measured, bare),
        "unexplained_percent": round(path.unexplained_percent, 4),
        "gap_percent": round(path.gap_percent, 4),
        "collectives": met,
        "edges": graph.edges_by_family(),
        "events": int((graph.start_node >= 0).sum()) + len(graph.derived.row),
        "quality": [{"code": f.code, "count": f.count, "message": f.message} for f in graph.quality],
    }


def span_ns(times: Spans, counted: np.ndarray) -> int:
    """First start to last end of the rows that count."""
    start, end = times
    return int(end[counted].max() - start[counted].min()) if counted.any() else 0


def error_percent(measured_ns: int, predicted_ns: int) -> float:
    """Signed: a prediction that is too long is positive."""
    return round(100 * (predicted_ns - measured_ns) / measured_ns, 4) if measured_ns else 0.0


def steps(run: Run, measured: Spans, predicted: Spans, bare: Spans) -> list[dict[str, Any]]:
    """Each step's mark as measured and as predicted."""
    found = []
    durations = [per_trace(run, end - start) for start, end in (measured, predicted, bare)]
    for trace, (table, rank) in enumerate(zip(run.traces, run.ranks, strict=True)):
        for row in np.asarray(table.sides["steps"]["row"]).tolist():
            measured_ns, predicted_ns, bare_ns = (int(part[trace][row]) for part in durations)
            found.append(
                {
                    "rank": rank,
                    "name": table.name_of(row),
                    "measured_ns": measured_ns,
                    "predicted_ns": predicted_ns,
                    "error_percent": error_percent(measured_ns, predicted_ns),
                    "error_percent_without_residuals": error_percent(measured_ns, bare_ns),
                }
            )
    return found


def collectives(run: Run, met: Rendezvous, predicted: Spans) -> dict[str, Any]:
    """How many were found on all ranks, and who was waited for, as measured and as predicted; the run is aligned."""
    replays = {"measured": measured_times(run), "predicted": predicted}
    waits = {name: waiting.Waits.of(met, *spans) for name, spans in replays.items()}
    return {
        **waiting.counts(met),
        "waited_ns": {name: int(each.wait_ns.sum()) for name, each in waits.items()},
        "stragglers": {name: waiting.stragglers(run, each) for name, each in waits.items()},
    }


def start_errors(run: Run, graph: TaskGraph, measured: Spans, predicted: Spans) -> dict[str, dict[str, int]]:
    """How far starts of device and host events are from the measured ones, either way."""
    is_device = np.concatenate([np.zeros(0, bool), *(table.is_device for table in run.traces)])
    is_node = graph.start_node >= 0
    error = np.abs(predicted[0] - measured[0])
    return {"device": _summary(error[is_node & is_device]), "host": _summary(error[is_node & ~is_device])}


def _summary(error_ns: np.ndarray) -> dict[str, int]:
    if not len(error_ns):
        return {"mean": 0, "p95": 0, "max": 0}
    p95 = np.percentile(error_ns, 95, method="nearest")
    return {"mean": round(float(error_ns.mean())), "p95": int(p95), "max": int(error_ns.max())}
