"""Each step predicted from the other steps, beside the naive answer: the median duration of the other steps.

The graph is that of the run. In the step to be predicted every weight - durations, host work and gaps, overheads - is
borrowed from the matching edges in the other steps (`borrowing`), and residuals are 0: nothing that was measured in
the step itself is used, but for its sequence of events. Waits between streams that another step refutes are left out
(`refuted`); meetings with ranks that are not in the run are borrowed by what is steady of them (`peers`). What came
before the step is as measured. An edge without a match (an event that the other steps do not have) keeps its own
weight, and is counted; a step with too many of them, as in a trace of which only samples were kept, is not predicted.
Ramp-up steps are neither predicted nor used.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulation.graph import TaskGraph
from simulation.replay import replay
from simulation.replay.report import error_percent
from simulation.run import Run
from simulation.trust.alike import Alike
from simulation.trust.borrowing import Matching, matchings
from simulation.trust.edited import more, only
from simulation.trust.marks import Marks
from simulation.trust.peers import Peers
from simulation.trust.refuted import refuted

MOST_KEPT_PERCENT = 10
"""A step of which more edges have no match is another program than the other steps."""


def predict_steps(run: Run, graph: TaskGraph) -> dict[str, Any]:
    """All predictions and their mean errors. Cost: a sort of the edges; per step a replay and a pass over the edges."""
    marks = Marks.of(run)
    ramp_up = marks.ramp_up()
    steady = np.flatnonzero(~ramp_up)
    lines, unlike = [], []
    if len(steady) > 1:
        lender = Lender.of(run, graph, marks, steady)
        for step in steady.tolist():
            counts = lender.counts(step)
            if 100 * counts["kept"] > MOST_KEPT_PERCENT * counts["edges"]:
                unlike += np.flatnonzero(marks.step == step).tolist()
                continue
            node_ns = replay(lender.graph_of(step)).node_ns
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
class Lender:
    """The steps of a run, of which one is to borrow from the others."""

    graph: TaskGraph
    alike: Alike
    matched: tuple[Matching, Matching]
    peers: Peers
    steady: np.ndarray  # i64: steps that lend and borrow

    @classmethod
    def of(cls, run: Run, graph: TaskGraph, marks: Marks, steady: np.ndarray) -> Lender:
        alike = Alike.of(run, graph, marks)
        return cls(graph, alike, matchings(run, graph, alike, marks, steady), Peers.of(run, graph), steady)

    def counts(self, step: int) -> dict[str, int]:
        """How many edges the step has, and how many of them keep their own weight."""
        return {name: sum(each.counts(step)[name] for each in self.matched) for name in ("edges", "kept")}

    def graph_of(self, step: int) -> TaskGraph:
        """The graph in which this step is as the others were."""
        graph, others = self.graph, self.steady[self.steady != step]
        weight_ns, kept = graph.weight_ns.copy(), np.ones(graph.edges, bool)
        for each in self.matched:
            edge, borrowed_ns = each.borrowed(step)
            weight_ns[edge] = borrowed_ns
        waits, transfer, transfer_ns = self.peers.borrowed(graph, self.alike, step, others)
        weight_ns[transfer] = transfer_ns
        kept[refuted(graph, self.alike, step, others)] = False
        residual_ns = np.where(self.alike.step == step, 0, graph.residual_ns)
        return more(only(replace(graph, weight_ns=weight_ns, residual_ns=residual_ns), kept), waits)


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
