"""Replay of a task graph: when everything happens, what decides it, and what would change it."""

import numpy as np

from simulation import rendezvous
from simulation.graph import TaskGraph, build_graph
from simulation.replay.causes import Rows
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
    "CriticalPath", "Prediction", "Rates", "Schedule", "Sharing", "Times", "critical_path", "last_node", "predict",
    "replay", "replay_run", "streams_of",
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
) -> Prediction:
    """The run as `graph` replays it, with other durations (i64 per global row, TaskGraph.durations_ns) if given.

    With a `schedule`, the order of launches, and what waits find, may change with them; with `sharing`, events that
    run at once slow each other down.
    """
    times = replay(graph, durations_ns, schedule=schedule, sharing=sharing)
    bare = replay(graph, durations_ns, schedule=schedule, residuals=False, sharing=sharing)
    measured = times if durations_ns is None and times.graph is graph else replay(graph)
    start, end = row_times(run, times)
    figures = report(Rows(run, graph), rendezvous.find(run), measured, times, bare, (start, end))
    starts = [part - shift for part, shift in zip(per_trace(run, start), run.shift_ns, strict=True)]
    slack = per_trace(run, row_slack(times, run_slack(times, may_end(times.graph))))
    return Prediction(run, tuple(starts), tuple(per_trace(run, end - start)), figures, tuple(slack))
