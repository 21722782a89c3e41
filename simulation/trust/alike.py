"""Nodes that stand for the same in different steps, by the keys of their events (`matching`)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.graph import TaskGraph
from simulation.run import Run
from simulation.trust.marks import Marks
from simulation.trust.matching import event_keys, mixed, node_keys


@dataclass(frozen=True)
class Alike:
    """The nodes of the steps of a run, to be found by what they stand for."""

    key: np.ndarray  # u64 per node, 0 none
    step: np.ndarray  # i64 per node, -1 none
    code: np.ndarray  # u64, ascending: key and step of each node that can be told from all others
    node: np.ndarray  # i64: that node

    @classmethod
    def of(cls, run: Run, graph: TaskGraph, marks: Marks) -> Alike:
        row_of, is_end = rows_of_nodes(graph)
        key = node_keys(np.append(event_keys(run, marks), np.uint64(0))[row_of], is_end)
        step = np.append(marks.of_rows, -1)[row_of]
        known = np.flatnonzero((key != 0) & (step >= 0))
        code = mixed(key[known], step[known].astype(np.uint64))
        order = np.argsort(code)
        code, node = code[order], known[order]
        same = np.diff(code) == 0
        once = ~(np.append(same, False) | np.append(False, same))
        return cls(key, step, code[once], node[once])

    def within(self, node: np.ndarray, step: np.ndarray) -> np.ndarray:
        """What each of these nodes is in these steps (they are broadcast together): i64, -1 nothing."""
        node, step = np.broadcast_arrays(node, step)
        code = mixed(self.key[node].ravel(), step.astype(np.uint64).ravel()).reshape(node.shape)
        at = np.searchsorted(self.code, code)
        found = np.append(self.code, np.uint64(0))[at] == code
        return np.where(found & (step >= 0) & (self.key[node] != 0), np.append(self.node, -1)[at], -1)


def rows_of_nodes(graph: TaskGraph) -> tuple[np.ndarray, np.ndarray]:
    """(row of each node: i64, -1 none; whether it is an end: bool)."""
    rows = np.flatnonzero(graph.start_node >= 0)
    row_of, is_end = np.full(graph.nodes, -1, np.int64), np.zeros(graph.nodes, bool)
    row_of[graph.end_node[rows]], is_end[graph.end_node[rows]] = rows, True
    row_of[graph.start_node[rows]], is_end[graph.start_node[rows]] = rows, False
    return row_of, is_end
