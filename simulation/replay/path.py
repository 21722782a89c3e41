"""The critical path: the chain of edges that decides when a node happens, in segments of time.

On measured times (`replay` with residuals and measured durations gives them exactly) it says what the measured run
waited for; on replayed ones, what the predicted run would. Segments join without a gap, so that their times add up to
the length of the path; what a residual moved the end of a segment by is counted apart from its cause.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from simulation.graph import Rule
from simulation.replay.causes import CAUSES, Causes, Rows, causes_of
from simulation.replay.engine import Times
from simulation.replay.kernels import walk_back

GAPS = [Rule.THREAD_GAP, Rule.THREAD_BEGIN, Rule.HANDOVER_TOLD, Rule.HANDOVER_GAP, Rule.HANDOVER_ASKED]
"""Time in which a thread rests, kept as measured."""

MOST_NAMES = 40
"""So many names are told one by one; the others as one line."""

OTHERS, RESIDUAL = "others", "residual"


@dataclass(frozen=True)
class CriticalPath:
    """Nodes from first to last, and the edge that led to each but the first; cut off at `begin_ns`."""

    times: Times
    nodes: np.ndarray  # i64
    begin_ns: int

    @cached_property
    def edges(self) -> np.ndarray:
        """i64, one less than nodes"""
        return np.asarray(self.times.binding[self.nodes[1:]], np.int64)

    @cached_property
    def bounds_ns(self) -> np.ndarray:
        """When each segment begins and ends, cut off at begin_ns: i64[edges, 2]."""
        at = np.maximum(self.times.node_ns[self.nodes], self.begin_ns)
        return np.stack([at[:-1], at[1:]], axis=1)

    @property
    def length_ns(self) -> int:
        return int(self.times.node_ns[self.nodes[-1]]) - self.begin_ns

    @cached_property
    def moved_ns(self) -> np.ndarray:
        """By how much a residual (or what holds an early one back) moved the end of each segment: i64."""
        before, after = self.times.node_ns[self.nodes[:-1]], self.times.node_ns[self.nodes[1:]]
        moved = after - before - self.times.weight_ns[self.edges]
        return np.asarray(np.where(before < self.begin_ns, np.minimum(moved, after - self.begin_ns), moved))

    @cached_property
    def spent_ns(self) -> np.ndarray:
        """What each segment's edge itself takes of the path; with moved_ns it adds up to length_ns: i64."""
        return np.asarray(self.bounds_ns[:, 1] - self.bounds_ns[:, 0] - self.moved_ns)

    @property
    def residual_ns(self) -> int:
        """Moved by residuals, either way."""
        return int(np.abs(self.moved_ns).sum())

    @cached_property
    def rule_ns(self) -> np.ndarray:
        """Time that edges of each Rule take: i64."""
        total = np.zeros(max(Rule) + 1, np.int64)
        np.add.at(total, self.times.graph.rule[self.edges], self.spent_ns)
        return total

    def percent(self, ns: int) -> float:
        """A part of the path as a share of it."""
        return 100.0 * ns / self.length_ns if self.length_ns else 0.0

    @property
    def unexplained_percent(self) -> float:
        """Residuals, and device events held at their measured start because nothing explains it."""
        return self.percent(self.residual_ns + int(self.rule_ns[Rule.PINNED]))

    @property
    def gap_percent(self) -> float:
        """Kept host gaps: no slice of the thread is open, the time before its first one, and between one
        thread's work and another's, included."""
        return self.percent(int(self.rule_ns[GAPS].sum()))


def critical_path(times: Times, last: int, begin_ns: int = 0) -> CriticalPath:
    """The path back from node `last` along the edges that decided, as far as `begin_ns` (of the graph's time)."""
    nodes = walk_back(last, begin_ns, times.graph.source, times.node_ns, times.binding)[::-1]
    return CriticalPath(times, nodes, min(begin_ns, int(times.node_ns[last])))


def path_causes(path: CriticalPath, rows: Rows) -> Causes:
    """Cause, row and trace of each of the path's edges."""
    return causes_of(rows, path.edges, path.nodes[1:])


def segments(path: CriticalPath, causes: Causes) -> dict[str, np.ndarray]:
    """The path from first to last, neighbours of one cause and row joined: columns of one length.

    row i64 (global, -1 none), trace i64 (-1 none), cause u8 (code into CAUSES), begin_ns and end_ns i64 on the run's
    aligned clocks, on which they join. What a residual moved an event by is part of the segment that ends there.
    """
    first = np.ones(len(path.edges), bool)
    first[1:] = (causes.row[1:] != causes.row[:-1]) | (causes.cause[1:] != causes.cause[:-1])
    first[1:] |= causes.trace[1:] != causes.trace[:-1]
    begins = np.flatnonzero(first)
    ends = np.append(begins[1:], len(path.edges)) - 1
    zero_ns = path.times.graph.zero_ns
    return {
        "row": causes.row[begins],
        "trace": causes.trace[begins],
        "cause": causes.cause[begins].astype(np.uint8),
        "begin_ns": path.bounds_ns[begins, 0] + zero_ns,
        "end_ns": path.bounds_ns[ends, 1] + zero_ns,
    }


def by_cause(path: CriticalPath, causes: Causes) -> list[dict[str, Any]]:
    """What the path is made of, the longest first; the `ns` add up to its length, for residuals are signed here."""
    total = np.zeros(len(CAUSES), np.int64)
    np.add.at(total, causes.cause, path.spent_ns)
    parts = [(CAUSES[code], int(total[code])) for code in np.flatnonzero(total)]
    moved = int(path.moved_ns.sum())
    parts += [(RESIDUAL, moved)] if moved else []
    return [{"cause": cause, "ns": ns, "percent": round(path.percent(ns), 4)} for cause, ns in _longest(parts)]


def by_name(path: CriticalPath, causes: Causes, rows: Rows) -> list[dict[str, Any]]:
    """The same by cause and name of the event, with how often it comes; what belongs to no event has no name."""
    named = len(rows.run.names) + 1  # 0 is the name of what has none
    key = causes.cause * named + np.where(causes.row >= 0, rows.name[causes.row] + 1, 0)
    ns = np.zeros(len(CAUSES) * named, np.int64)
    np.add.at(ns, key, path.spent_ns)
    segments = np.bincount(key, minlength=len(ns))
    order = np.argsort(-ns, kind="stable")
    order = order[ns[order] != 0]
    found = [
        {
            "cause": CAUSES[at // named],
            "name": rows.run.names[at % named - 1] if at % named else "",
            "ns": int(ns[at]),
            "percent": round(path.percent(int(ns[at])), 4),
            "segments": int(segments[at]),
        }
        for at in order[:MOST_NAMES].tolist()
    ]
    if len(order) > MOST_NAMES:
        rest = order[MOST_NAMES:]
        left = int(ns[rest].sum())
        others = {"cause": OTHERS, "name": "", "ns": left, "percent": round(path.percent(left), 4)}
        found.append({**others, "segments": int(segments[rest].sum())})
    return found


def by_rank(path: CriticalPath, causes: Causes, rows: Rows) -> list[dict[str, Any]]:
    """How long the path stays on each rank, residuals included; null: between ranks."""
    total = np.zeros(len(rows.run.traces) + 1, np.int64)
    np.add.at(total, causes.trace, path.bounds_ns[:, 1] - path.bounds_ns[:, 0])  # -1 is the last
    ranks = [*rows.run.ranks, None]
    return [
        {"rank": ranks[at], "ns": int(total[at]), "percent": round(path.percent(int(total[at])), 4)}
        for at in np.flatnonzero(total)
    ]


def _longest(parts: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return sorted(parts, key=lambda part: -part[1])
