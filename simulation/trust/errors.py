"""How far one replay is from the measurement, told on the graph's own clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from simulation.graph import TaskGraph
from simulation.replay.report import error_percent
from simulation.run import Run


@dataclass(frozen=True)
class Yardstick:
    """Nodes of a graph whose times are compared."""

    graph: TaskGraph
    starts: np.ndarray  # i64, of all slices whose end may end the run, derived ones included
    starts_after_ns: np.ndarray  # i64: how long after its node each starts; 0 but of derived rows
    ends: np.ndarray  # i64
    ends_after_ns: np.ndarray  # i64
    device: np.ndarray  # i32, starts of device events
    step_start: np.ndarray  # i32, of the marks that are replayed
    step_end: np.ndarray  # i32

    @classmethod
    def of(cls, run: Run, graph: TaskGraph) -> Yardstick:
        is_node = graph.start_node >= 0
        is_device = np.concatenate([np.zeros(0, bool), *(table.is_device for table in run.traces)])
        marks = [
            np.asarray(table.sides["steps"]["row"]) + base
            for table, base in zip(run.traces, run.row_base, strict=False)
        ]
        mark = np.concatenate([np.zeros(0, np.int64), *marks])
        mark = mark[is_node[mark]]
        counted = graph.deciding == 1
        derived, hung = graph.derived, counted[graph.derived.row]
        starts, ends = graph.start_node[is_node & counted], graph.end_node[is_node & counted]
        nothing = np.zeros(len(starts), np.int64)
        return cls(
            graph=graph,
            starts=np.concatenate([starts, derived.start_node[hung]]),
            starts_after_ns=np.concatenate([nothing, derived.start_offset_ns[hung]]),
            ends=np.concatenate([ends, derived.end_node[hung]]),
            ends_after_ns=np.concatenate([nothing, derived.end_offset_ns[hung]]),
            device=graph.start_node[is_node & is_device],
            step_start=graph.start_node[mark],
            step_end=graph.end_node[mark],
        )

    def errors(self, node_ns: np.ndarray) -> dict[str, Any]:
        """Of a replay with these times (i64 per node): the run's, the steps' mean, the starts of device events."""
        measured = self.graph.measured_ns
        steps = [
            abs(error_percent(int(before), int(after)))
            for before, after in zip(self._steps(measured), self._steps(node_ns), strict=True)
        ]
        return {
            "error_percent": error_percent(self._span_ns(measured), self._span_ns(node_ns)),
            "steps_mean_error_percent": round(float(np.mean(steps)), 4) if steps else None,
            "device_start_error_ns": _summary(np.abs(node_ns[self.device] - measured[self.device])),
        }

    def last_node(self, node_ns: np.ndarray) -> int:
        """The node that ends the run; the root of none."""
        lasting = self.graph.end_node[self.graph.end_node != self.graph.start_node]
        return int(lasting[np.argmax(node_ns[lasting])]) if len(lasting) else 0

    def _span_ns(self, node_ns: np.ndarray) -> int:
        if not len(self.ends):
            return 0
        starts, ends = node_ns[self.starts] + self.starts_after_ns, node_ns[self.ends] + self.ends_after_ns
        return int(ends.max() - starts.min())

    def _steps(self, node_ns: np.ndarray) -> np.ndarray:
        return np.asarray(node_ns[self.step_end] - node_ns[self.step_start])


@njit(cache=True, nogil=True)
def deciding_edges(last: int, source: np.ndarray, binding: np.ndarray) -> np.ndarray:
    """The edges of the path that decides node `last`, from it back to the root: i64."""
    found, node, n = np.empty(len(binding), np.int64), last, 0
    while binding[node] >= 0:
        found[n] = binding[node]
        node = source[found[n]]
        n += 1
    return found[:n]


def _summary(error_ns: np.ndarray) -> dict[str, int]:
    if not len(error_ns):
        return {"mean": 0, "p95": 0, "max": 0}
    p95 = np.percentile(error_ns, 95, method="nearest")
    return {"mean": round(float(error_ns.mean())), "p95": int(p95), "max": int(error_ns.max())}
