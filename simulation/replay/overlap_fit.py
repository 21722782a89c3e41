"""How much compute and communication slowed each other down, from the run itself: like work alone and overlapped.

Works are alike that have one name, grid, block and input shapes on one rank. One that lasts d, o of it beside the other
kind, makes (d - o) + o / c of what its likes take alone, so over all overlapped works with likes alone

    1 / c = (sum of what likes take alone - sum of (d - o)) / sum of o.

"What likes take alone" is their median, where half of them are near it: what differs when alone is not alike. Of
communication only transfers count, where the replay sees who waited: a duration that holds waiting says nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulation.analysis.tables import Groups
from simulation.events import EventTable
from simulation.graph import TaskGraph
from simulation.replay.flow import NONE
from simulation.replay.sharing import MEETS, SLOWED, Rates, Sharing
from simulation.run import Run
from simulation.store import Strings
from simulation.tracks import inherited

LEAST_ALONE = 3
"""Works of a kind that must have run alone, for their median to say what one takes."""

NEAR = 0.1
"""Half of those alone are within this share of their median, or they are not alike."""

LEAST_OVERLAPPED = 10
"""Overlapped works with likes alone; of fewer nothing is said."""


@dataclass(frozen=True)
class Fit:
    """The slow-down of one kind of work beside the other."""

    slowdown: float | None  # c, below 1 where the overlapped ones were faster; None: too few to tell
    uncertainty: float | None  # one standard error, over groups
    overlapped: int  # works with likes alone
    overlapped_ns: int  # of their time, beside the other kind
    groups: int

    @property
    def factor(self) -> float:
        """What a replay takes: 1 where nothing, or nothing slower, was seen."""
        return max(self.slowdown or 1.0, 1.0)

    def figures(self) -> dict[str, Any]:
        return {**vars(self), "factor": self.factor}


def fit_slowdowns(run: Run, graph: TaskGraph) -> dict[str, Fit]:
    """Of compute beside communication, and of communication beside compute. Cost: O(rows log rows)."""
    sharing = Sharing.of(run, graph, Rates())
    edge, row, _ = sharing.works(graph, graph.weight_ns)
    begin = graph.measured_ns[graph.source[edge]]
    end = begin + graph.weight_ns[edge]
    kind, device, like = sharing.devices.kind[row], sharing.devices.device[row], _alike(run)[row]
    found = {}
    for name, mine in SLOWED.items():
        (other,) = set(SLOWED.values()) - {mine}
        told = (kind == mine) & (np.isin(graph.rule[edge], MEETS) if name == "communication" else True)
        beside = kind == other
        overlap_ns = covered_ns((begin[beside], end[beside], device[beside]), (begin[told], end[told], device[told]))
        found[name] = fit((end - begin)[told], overlap_ns, like[told])
    return found


def fit(lasts_ns: np.ndarray, overlap_ns: np.ndarray, like: np.ndarray) -> Fit:
    """Of works (i64 each): how long they last, how much of that beside the other kind, which are alike."""
    by = Groups(like)
    alone = overlap_ns == 0
    group = _group_of(by)
    alone_ns = _median_of(lasts_ns[alone], group[alone], len(by))[group]
    chosen = np.flatnonzero(~alone & (alone_ns >= 0))
    if len(chosen) < LEAST_OVERLAPPED:
        return Fit(None, None, len(chosen), int(overlap_ns[chosen].sum()), len(np.unique(like[chosen])))
    of = Groups(like[chosen])
    made = of.sum((alone_ns - lasts_ns + overlap_ns)[chosen]).astype(np.float64)
    beside = of.sum(overlap_ns[chosen]).astype(np.float64)
    rate = made.sum() / beside.sum()
    told = len(chosen), int(beside.sum()), len(of)
    if rate <= 0:
        return Fit(None, None, *told)
    error = np.sqrt(((made - rate * beside) ** 2).sum()) / beside.sum() / rate**2
    return Fit(round(float(1 / rate), 4), round(float(error), 4) if len(of) > 1 else None, *told)


def _group_of(by: Groups) -> np.ndarray:
    group = np.empty(len(by.order), np.int64)
    group[by.order] = np.repeat(np.arange(len(by)), by.count)
    return group


def _median_of(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Of each group the lower median of the values (i64 each), NONE where they are too few or too far from it: i64."""
    found, of = np.full(groups, NONE), Groups(group)
    median = of.median(values)
    away = of.median(np.abs(values - median[_group_of(of)]))
    alike = (of.count >= LEAST_ALONE) & (away <= NEAR * median)
    found[of.keys[0][alike]] = median[alike]
    return found


Intervals = tuple[np.ndarray, np.ndarray, np.ndarray]
"""(begin, end, place): i64 each; those of different places have nothing in common."""


def covered_ns(cover: Intervals, intervals: Intervals) -> np.ndarray:
    """How much of each of the intervals those of `cover` cover, together: i64. O(n log n)."""
    span = 1 + max(int(np.max(part[1], initial=0)) for part in (cover, intervals))
    begin, end = _union(*(times + cover[2] * span for times in cover[:2]))  # places, one behind the other
    before = np.concatenate([[0], np.cumsum(end - begin)])

    def until(at_ns: np.ndarray) -> np.ndarray:
        begun = np.searchsorted(begin, at_ns, side="right")
        open_ns = np.where(begun > 0, np.concatenate([[0], end])[begun] - at_ns, 0)
        return np.asarray(before[begun] - np.maximum(open_ns, 0), np.int64)

    first, last = (times + intervals[2] * span for times in intervals[:2])
    return np.asarray(until(last) - until(first))


def _union(begin: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(begin, end) of what the intervals cover, by time, with gaps between: i64, i64."""
    order = np.argsort(begin, kind="stable")
    begin, reach = begin[order], np.maximum.accumulate(end[order])
    fresh = np.concatenate([np.ones(min(len(begin), 1), bool), begin[1:] > reach[:-1]])
    first = np.flatnonzero(fresh)
    return begin[first], reach[np.append(first[1:], len(begin))[: len(first)] - 1]


def _alike(run: Run) -> np.ndarray:
    """A number for each row, the same for works that should take the same alone: i64 per global row."""
    keys = [np.zeros((9, 0), np.int64)]
    for trace, (table, names) in enumerate(zip(run.traces, run.name_codes, strict=True)):
        side = table.sides["kernels"]
        columns = [names[table.name].astype(np.int64), np.full(len(table), trace), _shape_of(table)]
        for name in ("grid_x", "grid_y", "grid_z", "block_x", "block_y", "block_z"):
            column = np.full(len(table), NONE)
            column[np.asarray(side["row"])] = np.asarray(side[name])
            columns.append(column)
        keys.append(np.stack(columns))
    return _group_of(Groups(*np.concatenate(keys, axis=1)))


def _shape_of(table: EventTable) -> np.ndarray:
    """Per row, the code of the input shapes of the operator that launched it, NONE: i64."""
    side, dims = table.sides["shapes"], table.sides["shapes"]["dims"]
    assert isinstance(dims, Strings)
    own = np.full(len(table), NONE)
    own[np.asarray(side["row"])] = dims.codes
    inner = inherited(table.parent, own)
    return np.where(table.launch >= 0, inner[table.launch], NONE)
