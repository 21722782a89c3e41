"""Meetings with ranks whose traces are not in the run, as a step borrows them from the others.

How long such a meeting takes here is wait and transfer, which cannot be told apart. If the peers come last, what is the
same in every step is not how long it takes here but when it ends: a rank that comes later waits less. They had the time
since they last met this rank. So of the meetings of the same ranks what varied less over the other steps is borrowed:
how long they last; or the time from the end of one to that of the next - then each lasts no less than in any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation import rendezvous
from simulation.graph import Certainty, Family, Rule, TaskGraph
from simulation.graph.edges import Edges
from simulation.rendezvous import Rendezvous, State
from simulation.run import Run
from simulation.trust.alike import Alike

SEEN_LEAST = 3
"""So many of the other steps tell what varies."""


@dataclass(frozen=True)
class Peers:
    """Meetings with absent ranks, each with the one before of the same ranks; columns of one length."""

    group: np.ndarray  # i64: the ranks that meet
    before: np.ndarray  # i64, node: the end of the meeting before
    start: np.ndarray  # i64, node
    end: np.ndarray  # i64, node
    work: np.ndarray  # i64: the edge that is its duration

    @classmethod
    def of(cls, run: Run, graph: TaskGraph) -> Peers:
        row, group = _absent(rendezvous.find(run))
        row, group = row[graph.start_node[row] >= 0], group[graph.start_node[row] >= 0]
        start, end = graph.start_node[row].astype(np.int64), graph.end_node[row].astype(np.int64)
        target = np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))
        lasting = np.full(graph.nodes, -1)
        works = np.flatnonzero(graph.family == Family.DEVICE_WORK)
        lasting[target[works]] = works
        order = np.lexsort((end, group))
        group, start, end = group[order], start[order], end[order]
        same = np.append(False, np.diff(group) == 0) & (lasting[end] >= 0)
        before = np.roll(end, 1)
        return cls(group[same], before[same], start[same], end[same], lasting[end[same]])

    def borrowed(
        self, graph: TaskGraph, alike: Alike, step: int, others: np.ndarray
    ) -> tuple[Edges, np.ndarray, np.ndarray]:
        """(edges from the meeting before; edges of the graph that are their transfers, what those weigh: i64)."""
        mine = np.flatnonzero(alike.step[self.end] == step)
        lasts, since = self._seen(graph, alike, mine, step, others)
        seen = (~np.isnan(since)).sum(axis=1) >= SEEN_LEAST
        mine, lasts, since = mine[seen], lasts[seen], since[seen]
        steady = _varies_less(self.group[mine], since, lasts)
        mine, lasts, since = mine[steady], lasts[steady], since[steady]
        median = np.nanmedian(since, axis=1) if len(mine) else np.zeros(0)
        since_ns = np.rint(median * _missed(self.group[mine], since, median)).astype(np.int64)
        rule, certainty = Rule.TRANSFER, Certainty.GUESSED
        edges = Edges.of(Family.COLLECTIVE, self.before[mine], self.end[mine], since_ns, rule, certainty)
        return edges, self.work[mine], np.nanmin(lasts, axis=1, initial=np.inf).astype(np.int64)

    def _seen(
        self, graph: TaskGraph, alike: Alike, mine: np.ndarray, step: int, others: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """(how long each lasted, how long after the meeting before it ended) in each other step that tells both: f64
        [meetings, others] in ns, NaN where it does not."""
        then = others - (step - alike.step[self.before[mine]])[:, None]
        then = np.where((alike.step[self.before[mine]] >= 0)[:, None] & (then != step), then, -1)
        end, start = (alike.within(node[mine][:, None], others[None, :]) for node in (self.end, self.start))
        before = alike.within(self.before[mine][:, None], then)
        told = (end >= 0) & (start >= 0) & (before >= 0)
        at = graph.measured_ns
        return np.where(told, at[end] - at[start], np.nan), np.where(told, at[end] - at[before], np.nan)


def _absent(met: Rendezvous) -> tuple[np.ndarray, np.ndarray]:
    """(rows of meetings of which some members are not here, a number for their trace and ranks): i64, i64."""
    groups: dict[tuple[object, ...], int] = {}
    of_key = np.full(len(met.keys) + 1, -1)
    for at, key in enumerate(met.keys):
        place = ("peers", key.place[1], *sorted(key.place[2:])) if key.place[0] == "peers" else key.place
        if key.ends_together:
            of_key[at] = groups.setdefault(place, len(groups))
    group = of_key[met.key[met.meeting]]
    chosen = (met.state[met.meeting] == State.ABSENT) & (group >= 0)
    row, first = np.unique(met.row[chosen], return_index=True)
    return row, (met.trace[chosen] * max(len(groups), 1) + group[chosen])[first]


def _varies_less(group: np.ndarray, these: np.ndarray, than: np.ndarray) -> np.ndarray:
    """Whether values are nearer to the medians of their meetings than others are, over all meetings of a group: bool
    per meeting. Both: f64 [meetings, steps], NaN at the same places, and not all of a row."""
    if not len(group):
        return np.zeros(0, bool)
    more = [np.nanmean(np.abs(each - np.nanmedian(each, axis=1)[:, None]), axis=1) for each in (these, than)]
    of_group = np.bincount(group, weights=more[0] - more[1])
    return np.asarray((of_group <= 0)[group])


def _missed(group: np.ndarray, since: np.ndarray, median: np.ndarray) -> np.ndarray:
    """Per meeting, what the times of its group take in a step by what their medians add up to: the median over the
    other steps, as for threads (`borrowing`); f64."""
    factor = np.ones(len(group))
    for number in np.unique(group).tolist():
        mine = group == number
        told = ~np.isnan(since[mine])
        took = np.where(told, since[mine], 0).sum(axis=0)
        said = np.where(told, median[mine][:, None], 0).sum(axis=0)
        if (said > 0).any():
            factor[mine] = np.median(took[said > 0] / said[said > 0])
    return factor
