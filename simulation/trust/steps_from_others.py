"""Each step predicted from the other steps, beside the naive answer: the median duration of the other steps.

The graph is that of the run. In the step to be predicted every weight - durations, host work and gaps, overheads - is
the median of the weights of the matching edges in the other steps, and residuals are 0: nothing that was measured in
the step itself is used, but for its sequence of events. What came before it is as measured. An edge without a match
(an event that the other steps do not have) keeps its own weight, and is counted; a step with too many of them, as in a
trace of which only samples were kept, is not predicted. Ramp-up steps are neither predicted nor used.

Medians of many small times add up to less than a step takes, because each step is held up now and then, each time at
another place. So the medians of a thread, or of a stream, are scaled by what their sum misses in the other steps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from simulation.graph import Family, TaskGraph
from simulation.graph.tasks import gathered
from simulation.replay import replay
from simulation.replay.report import error_percent
from simulation.run import Run
from simulation.trust.marks import Marks
from simulation.trust.matching import edge_keys, event_keys, node_keys

ROOT = 0
MOST_KEPT_PERCENT = 10
"""A step of which more edges have no match is another program than the other steps."""

TIMES = (Family.THREAD_ORDER, Family.DEVICE_WORK)
"""Weights of these add up along a track; others are costs of a dependency."""


def predict_steps(run: Run, graph: TaskGraph) -> dict[str, Any]:
    """All predictions and their mean errors. Cost: a sort of the edges; per step a replay and a pass over the edges."""
    marks = Marks.of(run)
    ramp_up = marks.ramp_up()
    steady = np.flatnonzero(~ramp_up)
    lines, unlike = [], []
    if len(steady) > 1:
        edges = StepEdges.of(run, graph, marks, steady)
        node_step = _step_of_nodes(graph, marks)
        for step in steady.tolist():
            counts = edges.counts(step)
            if 100 * counts["kept"] > MOST_KEPT_PERCENT * counts["edges"]:
                unlike += np.flatnonzero(marks.step == step).tolist()
                continue
            node_ns = _replayed(graph, edges, node_step, step)
            for mark in np.flatnonzero(marks.step == step).tolist():
                others = (marks.series == marks.series[mark]) & (marks.step != step) & ~ramp_up[marks.step]
                if others.any() and graph.start_node[marks.row[mark]] >= 0:
                    line = _line(run, graph, marks, mark, node_ns, marks.dur_ns[others])
                    lines.append(line | counts)
    return {
        "steps": lines,
        "ramp_up": [_name(run, marks, mark) for mark in np.flatnonzero(ramp_up[marks.step]).tolist()],
        "unlike": [_name(run, marks, mark) for mark in unlike],
        "mean_error_percent": _mean([line["error_percent"] for line in lines]),
        "naive_mean_error_percent": _mean([line["naive_error_percent"] for line in lines]),
        "kept_percent": _kept_percent(lines),
    }


@dataclass(frozen=True)
class StepEdges:
    """The edges into the nodes of steps, those that match side by side, each group by weight; columns of one length."""

    edge: np.ndarray  # i64, of the graph
    step: np.ndarray  # i64
    weight_ns: np.ndarray  # i64
    group: np.ndarray  # i64, ascending: edges that match
    track: np.ndarray  # i64, what the weight is a part of the time of, -1 none
    unmatched: np.ndarray  # i64 per step: edges that can match none

    @classmethod
    def of(cls, run: Run, graph: TaskGraph, marks: Marks, steady: np.ndarray) -> StepEdges:
        """The edges of the steps in `steady`."""
        row_of, is_end = _rows_of_nodes(graph)
        node = node_keys(np.append(event_keys(run, marks), np.uint64(0))[row_of], is_end)
        node_step = _step_of_nodes(graph, marks)
        target = np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))
        is_begin = np.zeros(graph.nodes, bool)
        is_begin[graph.start_node[marks.row]] = True  # when a step begins is no part of it
        inside = np.isin(node_step, steady)[target] & (graph.source != ROOT) & ~is_begin[target]
        edge = np.flatnonzero(inside)
        target, source = target[edge], graph.source[edge]
        step = node_step[target]
        back = np.clip(step - node_step[source], -1, 126) + 1
        key = edge_keys(node[target], node[source], graph.family[edge], back)
        can = (key != 0) & ~come_twice(key, step)
        order = np.flatnonzero(can)[np.lexsort((graph.weight_ns[edge][can], key[can]))]
        group = np.cumsum(np.diff(key[order], prepend=key[order][:1]) != 0)
        track = np.where(np.isin(graph.family[edge], TIMES), _tracks(run)[row_of[target]], -1)
        lost = np.bincount(step[~can], minlength=marks.steps)
        edge, step, track = edge[order], step[order], track[order]
        return cls(edge, step, graph.weight_ns[edge], group, track, lost)

    @cached_property
    def begins(self) -> np.ndarray:
        """First entry of each group, and the end: i64, groups + 1."""
        groups = int(self.group[-1]) + 1 if len(self.group) else 0
        return np.searchsorted(self.group, np.arange(groups + 1))

    def medians_without(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Per group, (median of the weights in all steps but this: i64; how many those are: i64, 0 none)."""
        first, count = self.begins[:-1], np.diff(self.begins)
        own = count.copy()  # place of the step's own weight within its group; behind the last where it has none
        mine = np.flatnonzero(self.step == step)
        own[self.group[mine]] = mine - first[self.group[mine]]
        others = count - (own < count)
        lower, upper = np.maximum(others - 1, 0) // 2, others // 2
        last = max(len(self.edge) - 1, 0)
        low = self.weight_ns[np.minimum(first + lower + (lower >= own), last)]
        high = self.weight_ns[np.minimum(first + upper + (upper >= own), last)]
        return np.asarray(low + (high - low) // 2), others

    def borrowed(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """(edges of the step that match some in other steps, what they weigh there: i64)."""
        median, others = self.medians_without(step)
        mine = np.flatnonzero((self.step == step) & (others[self.group] > 0))
        weight, track = median[self.group[mine]], self.track[mine]
        factor = np.append(self._scale(step, median, others), 1.0)
        return self.edge[mine], np.rint(weight * factor[track]).astype(np.int64)

    def counts(self, step: int) -> dict[str, int]:
        """How many edges the step has, and how many keep their own weight."""
        _, others = self.medians_without(step)
        mine = self.step == step
        lost = int(self.unmatched[step])
        return {"edges": int(mine.sum()) + lost, "kept": int((others[self.group[mine]] == 0).sum()) + lost}

    def _scale(self, step: int, median: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Per track, what a step takes by what its medians add up to: the median over the other steps, f64."""
        tracks = int(self.track.max(initial=-1)) + 1
        seen = (self.step != step) & (self.track >= 0) & (others[self.group] > 0)
        steps, place = np.unique(self.step[seen], return_inverse=True)
        at = self.track[seen] * len(steps) + place
        shape, cells = (tracks, len(steps)), tracks * len(steps)
        took = np.bincount(at, weights=self.weight_ns[seen], minlength=cells).reshape(shape)
        said = np.bincount(at, weights=median[self.group[seen]], minlength=cells).reshape(shape)
        ratio = np.divide(took, said, out=np.full(shape, np.nan), where=said > 0)
        known = ~np.isnan(ratio).all(axis=1)
        factor = np.ones(tracks)
        factor[known] = np.nanmedian(ratio[known], axis=1)
        return factor


def come_twice(key: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Entries that share key and step with another, and so cannot be told from it: bool."""
    order = np.lexsort((step, key))
    same = (np.diff(key[order]) == 0) & (np.diff(step[order]) == 0)
    twice = np.zeros(len(key), bool)
    twice[order[1:][same]] = twice[order[:-1][same]] = True
    return twice


def _replayed(graph: TaskGraph, edges: StepEdges, node_step: np.ndarray, step: int) -> np.ndarray:
    """Times of all nodes when this step is as the others were: i64."""
    edge, borrowed_ns = edges.borrowed(step)
    weight = graph.weight_ns.copy()
    weight[edge] = borrowed_ns
    residual = np.where(node_step == step, 0, graph.residual_ns)
    return replay(replace(graph, residual_ns=residual), weight_ns=weight).node_ns


def _tracks(run: Run) -> np.ndarray:
    """A number per row for its track, over all traces: i64."""
    base = np.cumsum([0, *(len(table.tracks) for table in run.traces)])
    return np.asarray(gathered(run, "track") + np.repeat(base[:-1], np.diff(run.row_base)))


def _rows_of_nodes(graph: TaskGraph) -> tuple[np.ndarray, np.ndarray]:
    """(row of each node: i64, -1 none; whether it is an end: bool)."""
    rows = np.flatnonzero(graph.start_node >= 0)
    row_of, is_end = np.full(graph.nodes, -1, np.int64), np.zeros(graph.nodes, bool)
    row_of[graph.end_node[rows]], is_end[graph.end_node[rows]] = rows, True
    row_of[graph.start_node[rows]], is_end[graph.start_node[rows]] = rows, False
    return row_of, is_end


def _step_of_nodes(graph: TaskGraph, marks: Marks) -> np.ndarray:
    return np.asarray(np.append(marks.of_rows, -1)[_rows_of_nodes(graph)[0]])


def _line(
    run: Run, graph: TaskGraph, marks: Marks, mark: int, node_ns: np.ndarray, others_ns: np.ndarray
) -> dict[str, Any]:
    row, measured_ns = marks.row[mark], int(marks.dur_ns[mark])
    predicted_ns = int(node_ns[graph.end_node[row]] - node_ns[graph.start_node[row]])
    naive_ns = int(np.median(others_ns))
    return _name(run, marks, mark) | {
        "measured_ns": measured_ns,
        "predicted_ns": predicted_ns,
        "naive_ns": naive_ns,
        "error_percent": error_percent(measured_ns, predicted_ns),
        "naive_error_percent": error_percent(measured_ns, naive_ns),
    }


def _name(run: Run, marks: Marks, mark: int) -> dict[str, Any]:
    trace = int(marks.trace[mark])
    return {"rank": run.ranks[trace], "name": run.traces[trace].name_of(int(marks.row[mark] - run.row_base[trace]))}


def _mean(errors: list[float]) -> float | None:
    """Mean of the absolute errors; None of none."""
    return round(float(np.abs(errors).mean()), 4) if errors else None


def _kept_percent(lines: list[dict[str, Any]]) -> float:
    edges = sum(line["edges"] for line in lines)
    return round(100 * sum(line["kept"] for line in lines) / edges, 4) if edges else 0.0
