"""What each trace gives to the graph of its run: nodes in measured order, and the edges between them.

A trace is looked at by itself, so that what is worked on stays near the processor and several traces are worked on at
once. Only meetings tie one trace to another (`members`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation import parallel
from simulation.graph.derived import Anchors
from simulation.graph.edges import Edges
from simulation.graph.members import Members
from simulation.progress import Progress, silent


@dataclass(frozen=True)
class Part:
    """Of one trace; nodes are numbered within it, the root first, rows too."""

    node_ns: np.ndarray  # i64 per node
    tie: np.ndarray  # u8 per node but the root
    start_node: np.ndarray  # i64 per row, -1 not a node
    end_node: np.ndarray  # i64 per row
    device: np.ndarray  # i64, rows of device events
    is_slice: np.ndarray  # bool per row: a slice, not the profiler's window
    polls: np.ndarray  # bool per row: of a thread that only polls
    edges: Edges
    impossible: int  # edges that the measurement contradicts, left out
    members: Members
    anchors: Anchors


@dataclass(frozen=True)
class Rows:
    """Nodes of the rows of a run."""

    start_node: np.ndarray  # i32 per global row, -1 not a node
    end_node: np.ndarray  # i32 per global row
    deciding: np.ndarray  # u8 per global row
    device_start: np.ndarray  # i32, nodes at which device events start
    anchors: Anchors

    @classmethod
    def of(cls, parts: Sequence[Part], numbers: Sequence[np.ndarray], row_base: np.ndarray) -> Rows:
        """Of all parts, whose nodes have these `numbers` (i32 each, and -1 behind the last)."""
        each = list(zip(parts, numbers, strict=True))
        bases = row_base[:-1].tolist()
        slices = _joined([part.is_slice for part in parts], np.bool_)
        works = slices & ~_joined([part.polls for part in parts], np.bool_)
        return cls(
            _joined([number[part.start_node] for part, number in each], np.int32),
            _joined([number[part.end_node] for part, number in each], np.int32),
            (works if works.any() else slices).astype(np.uint8),
            _joined([number[part.start_node[part.device]] for part, number in each], np.int32),
            Anchors.joined(
                [part.anchors.renumbered(first, number) for (part, number), first in zip(each, bases, strict=True)]
            ),
        )

    def renumbered(self, place: np.ndarray) -> Rows:
        """The same where nodes have another number: `place`, i32 per node, and -1 behind the last."""
        anchors = self.anchors.renumbered(0, place)
        start, end, device = place[self.start_node], place[self.end_node], place[self.device_start]
        return Rows(start, end, self.deciding, device, anchors)


def edges_of(parts: Sequence[Part], numbers: Sequence[np.ndarray], across: Edges) -> Edges:
    """The edges of all parts by these numbers of their nodes, part by part, and then those from one to another."""
    first = np.cumsum([0, *(len(part.edges) for part in parts)])
    found = Edges.empty(int(first[-1]) + len(across))
    found.put(int(first[-1]), across)

    def put(at: int, progress: Progress) -> None:
        found.put(int(first[at]), parts[at].edges.renumbered(numbers[at]))

    parallel.each(put, range(len(parts)), np.diff(first).tolist(), silent)
    return found


def _joined(columns: Sequence[np.ndarray], kind: type[np.generic]) -> np.ndarray:
    return np.concatenate([np.zeros(0, kind), *columns])
