"""Replay of a task graph: when everything happens, what decides it, and what would change it."""

from dataclasses import replace
from functools import partial

import numpy as np

from simulation import rendezvous
from simulation.graph import TaskGraph, build_graph
from simulation.replay.causes import Rows
from simulation.replay.conditions import Conditions
from simulation.replay.engine import Times, replay
from simulation.replay.path import CriticalPath, critical_path
from simulation.replay.prediction import Prediction, per_trace, row_times
from simulation.replay.report import last_node, report
from simulation.replay.scenarios import may_end
from simulation.replay.schedule import Schedule, streams_of
from simulation.replay.sharing import Rates, Sharing
from simulation.replay.slack import row_slack, run_slack
from simulation.run import Run

__all__ = [
    "Conditions", "CriticalPath", "Prediction", "Rates", "Schedule", "Sharing", "Times", "critical_path", "last_node",
    "predict", "predict_under", "replay", "replay_run", "streams_of",
]  # fmt: skip


def replay_run(run: Run) -> Prediction:
    """Replay a run with its measured durations. Cost: building the graph, then two passes over it."""
    return predict(run, build_graph(run))


def predict(
    run: Run,
    graph: TaskGraph,
    durations_ns: np.ndarray | None = None,
    schedule: Schedule | None = None,
    sharing: Sharing | None = None,
    queue_limit: int = 0,
) -> Prediction:
    """The run as `graph` replays it, with other durations (i64 per global row, TaskGraph.durations_ns) if given.

    With a `schedule`, the order of launches, and what waits find, may change with them, and with a `queue_limit` calls
    wait for room; with `sharing`, events that run at once slow each other down.
    """
    under = partial(replay, graph, durations_ns, schedule=schedule, sharing=sharing, queue_limit=queue_limit)
    times, bare = under(), under(residuals=False)
    measured = times if durations_ns is None and times.graph is graph else replay(graph)
    start, end = row_times(run, times)
    figures = report(Rows(run, graph), rendezvous.find(run), measured, times, bare, (start, end))
    starts = [part - shift for part, shift in zip(per_trace(run, start), run.shift_ns, strict=True)]
    slack = per_trace(run, row_slack(times, run_slack(times, may_end(times.graph))))
    durations = tuple(per_trace(run, end - start))
    return Prediction(run, tuple(starts), durations, figures, tuple(slack), times.graph, bare.graph)


def predict_under(run: Run, graph: TaskGraph, conditions: Conditions) -> Prediction:
    """The run with its measured durations, under conditions, which its report then has, with what was found of them."""
    if conditions.are_none:
        return predict(run, graph)
    applied = conditions.on(run, graph)
    found = predict(run, graph, None, applied.schedule, applied.sharing, applied.queue_limit)
    told = {**conditions.document(), **applied.figures(), "event_by_event": found.graph is not graph}
    return replace(found, report={**found.report, "conditions": told})
