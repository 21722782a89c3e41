"""Replay: new start times of all events from the task graph, and how far they are from the measured ones."""

import numpy as np

from simulation import rendezvous
from simulation.graph import TaskGraph, build_graph
from simulation.replay.engine import CriticalPath, Times, critical_path, replay
from simulation.replay.prediction import Prediction, per_trace, row_times, slices
from simulation.replay.report import collectives, report
from simulation.run import Run

__all__ = ["CriticalPath", "Prediction", "Times", "critical_path", "predict", "replay", "replay_run"]


def replay_run(run: Run) -> Prediction:
    """Replay a run with its measured durations. Cost: building the graph, then two passes over it."""
    return predict(run, build_graph(run))


def predict(run: Run, graph: TaskGraph, durations_ns: np.ndarray | None = None) -> Prediction:
    """The run as `graph` replays it, with other durations (i64 per global row, TaskGraph.durations_ns) if given."""
    aligned = run.aligned()  # the graph is on these clocks, the figures on those of the run
    times = replay(graph, durations_ns)
    spans, bare = row_times(aligned, times), row_times(aligned, replay(graph, durations_ns, residuals=False))
    met = collectives(aligned, rendezvous.find(run), spans)
    moved = np.repeat(np.array(run.shift_ns) - np.array(aligned.shift_ns), np.diff(run.row_base))
    start, end = spans[0] + moved, spans[1] + moved
    bare = bare[0] + moved, bare[1] + moved
    figures = report(run, graph, met, (start, end), bare, critical_path(times, last_node(times, slices(run))))
    starts = [part - shift for part, shift in zip(per_trace(run, start), run.shift_ns, strict=True)]
    return Prediction(run, tuple(starts), tuple(per_trace(run, end - start)), figures)


def last_node(times: Times, counted: np.ndarray | None = None) -> int:
    """The node that ends the run: the latest end of a slice, among the rows that are `counted` (bool) if given."""
    graph = times.graph
    lasts = graph.end_node != graph.start_node
    ends = graph.end_node[lasts if counted is None else lasts & counted]
    return int(ends[np.argmax(times.node_ns[ends])]) if len(ends) else 0
