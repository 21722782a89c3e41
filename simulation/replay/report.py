"""The figures of a replay: `traceviewer replay --json`. Definitions: docs/replay.md."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.analysis import intervals, waiting
from simulation.analysis.steps import steps_of
from simulation.graph import TaskGraph
from simulation.rendezvous import Rendezvous
from simulation.replay.causes import Rows
from simulation.replay.engine import Times
from simulation.replay.parts import Spans, step_parts
from simulation.replay.path import by_cause, by_name, by_rank, critical_path, path_causes
from simulation.replay.prediction import from_graph_ns, per_trace, row_times, slices
from simulation.replay.scenarios import may_end
from simulation.run import Run, measured_times


def report(rows: Rows, met: Rendezvous, measured: Times, times: Times, bare: Times, predicted: Spans) -> dict[str, Any]:
    """All figures: `times` with residuals and what they make of the rows, `bare` without, `measured` as it was."""
    run, graph, without = rows.run, rows.graph, row_times(rows.run, bare)
    before, counted = measured_times(run), slices(run)
    measured_ns, predicted_ns = span_ns(before, counted), span_ns(predicted, counted)
    path = critical_path(times, last_node(times))
    return {
        "measured_ns": measured_ns,
        "predicted_ns": predicted_ns,
        "error_percent": error_percent(measured_ns, predicted_ns),
        "error_percent_without_residuals": error_percent(measured_ns, span_ns(without, counted)),
        "steps": steps(run, before, predicted, without),
        "start_error_ns": start_errors(run, graph, before, predicted),
        "start_error_ns_without_residuals": start_errors(run, graph, before, without),
        "unexplained_percent": round(path.unexplained_percent, 4),
        "gap_percent": round(path.gap_percent, 4),
        "collectives": collectives(run, met, predicted),
        "breakdown": step_parts(rows, before, predicted),
        "critical_path": {
            "measured": path_figures(rows.on(measured.graph), measured),
            "replayed": path_figures(rows.on(bare.graph), bare),
        },
        "edges": graph.edges_by_family(),
        "events": int((graph.start_node >= 0).sum()) + len(graph.derived.row),
        "quality": [{"code": f.code, "count": f.count, "message": f.message} for f in graph.quality],
    }


def path_figures(rows: Rows, times: Times) -> dict[str, Any]:
    """The critical path of the run, and of each step: what it is made of."""
    path = critical_path(times, last_node(times))
    causes = path_causes(path, rows)
    return {
        "length_ns": path.length_ns,
        "segments": len(path.edges),
        "causes": by_cause(path, causes),
        "names": by_name(path, causes, rows),
        "ranks": by_rank(path, causes, rows),
        "steps": [step_path(rows, times, trace, row) for trace, row in replayed_steps(rows)],
    }


def step_path(rows: Rows, times: Times, trace: int, row: int) -> dict[str, Any]:
    """What decides when a step ends, back to when it begins; it may lead over other ranks."""
    start, end = step_nodes(rows, trace, row)
    path = critical_path(times, end, int(times.node_ns[start]))
    name = rows.run.traces[trace].name_of(row)
    causes = by_cause(path, path_causes(path, rows))
    return {"rank": rows.run.ranks[trace], "name": name, "length_ns": path.length_ns, "causes": causes}


def replayed_steps(rows: Rows) -> list[tuple[int, int]]:
    """(trace, row) of the step marks that have nodes of their own."""
    return [(step.trace, step.row) for step in steps_of(rows.run) if min(step_nodes(rows, step.trace, step.row)) >= 0]


def step_nodes(rows: Rows, trace: int, row: int) -> tuple[int, int]:
    """(start, end) node of a step's mark."""
    at = int(rows.run.row_base[trace]) + row
    return int(rows.graph.start_node[at]), int(rows.graph.end_node[at])


def last_node(times: Times) -> int:
    """The node that ends the run: the latest end of a slice."""
    ends = np.flatnonzero(may_end(times.graph))
    return int(ends[np.argmax(times.node_ns[ends])]) if len(ends) else 0


def span_ns(times: Spans, counted: np.ndarray) -> int:
    """First start to last end of the rows that count."""
    start, end = times
    return intervals.span_ns(start[counted], end[counted])


def error_percent(measured_ns: int, predicted_ns: int) -> float:
    """Signed: a prediction that is too long is positive."""
    return round(100 * (predicted_ns - measured_ns) / measured_ns, 4) if measured_ns else 0.0


def steps(run: Run, measured: Spans, predicted: Spans, bare: Spans) -> list[dict[str, Any]]:
    """Each step's mark as measured and as predicted."""
    found = []
    durations = [per_trace(run, end - start) for start, end in (measured, predicted, bare)]
    for step in steps_of(run):
        measured_ns, predicted_ns, bare_ns = (int(part[step.trace][step.row]) for part in durations)
        found.append(
            {
                "rank": step.rank,
                "name": step.name,
                "measured_ns": measured_ns,
                "predicted_ns": predicted_ns,
                "error_percent": error_percent(measured_ns, predicted_ns),
                "error_percent_without_residuals": error_percent(measured_ns, bare_ns),
            }
        )
    return found


def collectives(run: Run, met: Rendezvous, predicted: Spans) -> dict[str, Any]:
    """How many were found on all ranks, and who was waited for, as measured and as predicted."""
    aligned, moved = run.aligned(), from_graph_ns(run)
    replays = {"measured": measured_times(aligned), "predicted": (predicted[0] - moved, predicted[1] - moved)}
    waits = {name: waiting.Waits.of(met, *spans) for name, spans in replays.items()}
    return {
        **waiting.counts(met),
        "waited_ns": {name: int(each.wait_ns.sum()) for name, each in waits.items()},
        "stragglers": {name: waiting.stragglers(aligned, each) for name, each in waits.items()},
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
