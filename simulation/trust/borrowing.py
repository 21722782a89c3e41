"""What the edges of a step weigh in the other steps: medians over matching edges.

Two edges of different steps match if both their ends do (`matching`). On a host node that nothing but its thread holds
in the step to be predicted, what counts is the time that passed on the edge in the other steps, waits included. Where
the thread's edge has been relieved of a wait, it matches only those that have been relieved by the same families.

Medians of many small times add up to less than a step takes, because each step is held up now and then, each time at
another place. So the medians of a thread are scaled by what their sum misses in the other steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulation.graph import Family, TaskGraph
from simulation.graph.tasks import ROOT, gathered
from simulation.run import Run
from simulation.trust.alike import Alike, rows_of_nodes
from simulation.trust.marks import Marks
from simulation.trust.matching import edge_keys, mixed


@dataclass(frozen=True)
class Matching:
    """Edges of steps, those that match side by side, each group by value; columns of one length."""

    edge: np.ndarray  # i64, of the graph
    step: np.ndarray  # i64
    value_ns: np.ndarray  # i64
    group: np.ndarray  # i64, ascending: edges that match
    track: np.ndarray  # i64, the thread whose time the value is a part of, -1 none
    wanted: np.ndarray  # bool: the step is to borrow this one
    lost: np.ndarray  # i64 per step: wanted edges that can match none

    @classmethod
    def of(
        cls, key: np.ndarray, edge: np.ndarray, step: np.ndarray, value_ns: np.ndarray, track: np.ndarray,
        wanted: np.ndarray, steps: int,
    ) -> Matching:  # fmt: skip
        """Edges match if their keys (u64) are equal and not 0."""
        can = (key != 0) & ~come_twice(key, step)
        order = np.flatnonzero(can)[np.lexsort((value_ns[can], key[can]))]
        group = np.cumsum(np.diff(key[order], prepend=key[order][:1]) != 0)
        lost = np.bincount(step[wanted & ~can], minlength=steps)
        return cls(edge[order], step[order], value_ns[order], group, track[order], wanted[order], lost)

    @cached_property
    def begins(self) -> np.ndarray:
        """First entry of each group, and the end: i64, groups + 1."""
        groups = int(self.group[-1]) + 1 if len(self.group) else 0
        return np.searchsorted(self.group, np.arange(groups + 1))

    def medians_without(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """Per group, (median of the values in all steps but this: i64; how many those are: i64, 0 none)."""
        first, count = self.begins[:-1], np.diff(self.begins)
        own = count.copy()  # place of the step's own value within its group; behind the last where it has none
        mine = np.flatnonzero(self.step == step)
        own[self.group[mine]] = mine - first[self.group[mine]]
        others = count - (own < count)
        lower, upper = np.maximum(others - 1, 0) // 2, others // 2
        last = max(len(self.edge) - 1, 0)
        low = self.value_ns[np.minimum(first + lower + (lower >= own), last)]
        high = self.value_ns[np.minimum(first + upper + (upper >= own), last)]
        return np.asarray(low + (high - low) // 2), others

    def borrowed(self, step: int) -> tuple[np.ndarray, np.ndarray]:
        """(edges of the step that match some in other steps, what they weigh there: i64)."""
        median, others = self.medians_without(step)
        mine = np.flatnonzero((self.step == step) & self.wanted & (others[self.group] > 0))
        value, track = median[self.group[mine]], self.track[mine]
        factor = np.append(self._scale(step, median, others), 1.0)
        return self.edge[mine], np.rint(value * factor[track]).astype(np.int64)

    def counts(self, step: int) -> dict[str, int]:
        """How many edges the step has, and how many keep their own weight."""
        _, others = self.medians_without(step)
        mine = (self.step == step) & self.wanted
        lost = int(self.lost[step])
        return {"edges": int(mine.sum()) + lost, "kept": int((others[self.group[mine]] == 0).sum()) + lost}

    def _scale(self, step: int, median: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Per track, what a step takes by what its medians add up to: the median over the other steps, f64."""
        tracks = int(self.track.max(initial=-1)) + 1
        seen = (self.step != step) & self.wanted & (self.track >= 0) & (others[self.group] > 0)
        steps, place = np.unique(self.step[seen], return_inverse=True)
        at = self.track[seen] * len(steps) + place
        shape, cells = (tracks, len(steps)), tracks * len(steps)
        took = np.bincount(at, weights=self.value_ns[seen], minlength=cells).reshape(shape)
        said = np.bincount(at, weights=median[self.group[seen]], minlength=cells).reshape(shape)
        ratio = np.divide(took, said, out=np.full(shape, np.nan), where=said > 0)
        known = ~np.isnan(ratio).all(axis=1)
        factor = np.ones(tracks)
        factor[known] = np.nanmedian(ratio[known], axis=1)
        return factor


def matchings(run: Run, graph: TaskGraph, alike: Alike, marks: Marks, steady: np.ndarray) -> tuple[Matching, Matching]:
    """The edges of the steps in `steady`: those of threads by the time that passed, then all others by their weight."""
    row_of, _ = rows_of_nodes(graph)
    all_targets = np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))
    is_begin = np.zeros(graph.nodes, bool)
    is_begin[graph.start_node[marks.row]] = True  # when a step begins is no part of it
    in_steps = np.isin(alike.step, steady) & ~is_begin
    edge = np.flatnonzero(in_steps[all_targets] & (graph.source != ROOT))
    target, source, family = all_targets[edge], graph.source[edge], graph.family[edge]
    step = alike.step[target]
    back = np.clip(step - alike.step[source], -1, 126) + 1
    key = edge_keys(alike.key[target], alike.key[source], family, back)
    on_thread = family == Family.THREAD_ORDER
    alone = on_thread & (np.diff(graph.offsets)[target] == 1)
    relieved = on_thread & ~alone & (key != 0)
    own_key = np.where(relieved, mixed(key, _families_into(graph, all_targets)[target]), key)
    passed_ns = graph.measured_ns[target] - graph.measured_ns[source]
    track, no_track = _tracks(run)[row_of[target]], np.full(len(edge), -1)
    t, r = np.flatnonzero(on_thread), np.flatnonzero(~alone)
    return (
        Matching.of(key[t], edge[t], step[t], passed_ns[t], track[t], alone[t], marks.steps),
        Matching.of(own_key[r], edge[r], step[r], graph.weight_ns[edge[r]], no_track[r], ~alone[r], marks.steps),
    )


def come_twice(key: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Entries that share key and step with another, and so cannot be told from it: bool."""
    order = np.lexsort((step, key))
    same = (np.diff(key[order]) == 0) & (np.diff(step[order]) == 0)
    twice = np.zeros(len(key), bool)
    twice[order[1:][same]] = twice[order[:-1][same]] = True
    return twice


def _families_into(graph: TaskGraph, target: np.ndarray) -> np.ndarray:
    """Which families lead to each node, a bit for each: u64."""
    found = np.zeros(graph.nodes, np.uint64)
    np.bitwise_or.at(found, target, np.uint64(1) << graph.family.astype(np.uint64))
    return found


def _tracks(run: Run) -> np.ndarray:
    """A number per row for its track, over all traces: i64."""
    base = np.cumsum([0, *(len(table.tracks) for table in run.traces)])
    return np.asarray(gathered(run, "track") + np.repeat(base[:-1], np.diff(run.row_base)))
