"""Members of what ranks do together, as nodes: when each comes, and what it does after the last one has come.

A meeting has a node of its own that belongs to no row: all starts lead to it, it leads to all ends, so that the edges
are as many as the members. Only meetings of which everything is known take part (`rendezvous.State`). All others keep
their measured durations, waits included, and are counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.graph.awaited import release
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import Tasks
from simulation.quality import QualityReport
from simulation.rendezvous import Rendezvous, State
from simulation.run import Run

FINDINGS = {
    State.MISSING: "collectives_missing",
    State.DIFFERENT: "collectives_differ",
    State.APART: "collectives_apart",
}
"""What a meeting that is left out says about the recording. An absent trace is none: the replay's report says it."""


@dataclass(frozen=True)
class Gathering:
    """The meetings of a run whose members wait for each other, and those of pairs whose sender did not."""

    waits: Rendezvous
    last_ns: np.ndarray  # i64 per meeting of `waits`: when the last of its members came
    sent: Rendezvous
    sent_ns: np.ndarray  # i64 per member of `sent`: when it came
    left_ns: np.ndarray  # i64 per member of `sent`: when it ended

    @classmethod
    def of(cls, run: Run, met: Rendezvous, zero_ns: int) -> Gathering:
        """`run` is on aligned clocks; times are since `zero_ns`."""
        waits, sent = met.at((met.state == State.MET) & (met.counts > 1)), met.at(met.state == State.SENT)
        came_ns, _ = waits.times_ns(run)
        sent_ns, left_ns = sent.times_ns(run)
        return cls(waits, waits.of_each(np.maximum, came_ns) - zero_ns, sent, sent_ns - zero_ns, left_ns - zero_ns)

    def sender_first(self) -> tuple[np.ndarray, np.ndarray]:
        """(member of `sent` that sends, the one that receives) of each pair: i64, i64."""
        first = np.arange(0, len(self.sent.row), 2)
        sends_first = self.sent_ns[first] <= self.sent_ns[first + 1]  # the one that did not wait came first
        return np.where(sends_first, first, first + 1), np.where(sends_first, first + 1, first)


@dataclass(frozen=True)
class Members:
    """Columns over those of one trace who wait for others: members of collectives, and of pairs; by their meetings."""

    row: np.ndarray  # i64
    meeting: np.ndarray  # i64, of the gathering
    start_node: np.ndarray  # i64
    end_node: np.ndarray  # i64: where its wait ends; of a slice of a thread perhaps within the slice
    transfer_ns: np.ndarray  # i64, since the last has come, as measured; negative by what clocks are uncertain
    is_host: np.ndarray  # bool

    @classmethod
    def of(cls, tasks: Tasks, gathering: Gathering, trace: int, first_row: int) -> Members:
        """Who of a trace meets others; `tasks` are of that trace alone, whose first row in the run is `first_row`."""
        chosen = np.flatnonzero(gathering.waits.trace == trace)
        row, meeting = gathering.waits.row[chosen] - first_row, gathering.waits.meeting[chosen]
        last_ns = gathering.last_ns[meeting]
        is_host = tasks.is_host[row]
        end = tasks.end_node[row]
        if is_host.any():
            end[is_host] = release(tasks, row[is_host], last_ns[is_host])
        transfer_ns = _after_all(end, tasks.node_ns[end] - last_ns)
        return cls(row, meeting, tasks.start_node[row], end, transfer_ns, is_host)

    def lasting_ns(self, tasks: Tasks) -> np.ndarray:
        """How long each row takes by itself: its duration, or its transfer; i64 per row."""
        lasting = tasks.end_ns - tasks.start_ns
        lasting[self.row] = np.maximum(self.transfer_ns, 0)
        return np.asarray(lasting)

    @property
    def waited_node(self) -> np.ndarray:
        """Nodes of threads at the end of a wait: i64."""
        return np.asarray(self.end_node[self.is_host])

    @property
    def kept_ns(self) -> np.ndarray:
        """What stays in the thread's chain before each `waited_node`: i64."""
        return np.asarray(np.maximum(self.transfer_ns[self.is_host], 0))


@dataclass(frozen=True)
class Met:
    """The members of all traces, by the nodes of the whole graph; columns of one length."""

    start_node: np.ndarray  # i64
    meeting_node: np.ndarray  # i64: when the last of them has come
    end_node: np.ndarray  # i64
    transfer_ns: np.ndarray  # i64
    is_pair: np.ndarray  # bool
    certainty: np.ndarray  # u8

    @classmethod
    def of(
        cls, members: Sequence[Members], waits: Rendezvous, places: Sequence[np.ndarray], meeting_node: np.ndarray
    ) -> Met:
        """`places`: for each trace the number of its nodes in the graph."""
        meeting = _joined([each.meeting for each in members])
        return cls(
            _joined([place[each.start_node] for each, place in zip(members, places, strict=True)]),
            meeting_node[meeting],
            _joined([place[each.end_node] for each, place in zip(members, places, strict=True)]),
            _joined([each.transfer_ns for each in members]),
            waits.is_pair[meeting],
            certainties(waits)[meeting],
        )

    def edges(self, family: Family, arrival: Rule, transfer: Rule) -> Edges:
        """Start to meeting and meeting to end of all members of the family's kind."""
        at = np.flatnonzero(self.is_pair == (family == Family.SEND_RECV))
        node, certainty, none = self.meeting_node[at], self.certainty[at], np.zeros(len(at), np.int64)
        return Edges.joined(
            [
                Edges.of(family, self.start_node[at], node, none, arrival, certainty),
                Edges.of(family, node, self.end_node[at], self.transfer_ns[at], transfer, certainty),
            ]
        )


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate([np.zeros(0, np.int64), *parts])


def certainties(met: Rendezvous) -> np.ndarray:
    """How sure it is that the members of each meeting meet: u8. Told and numbered, told and counted, or counted."""
    told = np.array([key.is_told for key in met.keys] or [False])[met.key]
    counted = np.where(told, Certainty.INFERRED, Certainty.GUESSED)
    return np.where(met.is_numbered, Certainty.RECORDED, counted).astype(np.uint8)


def note(met: Rendezvous, quality: QualityReport) -> None:
    """Count what was left out because the ranks' recordings contradict each other.

    Of collectives with a root, some may leave before others come: that is no contradiction.
    """
    together = np.array([key.ends_together for key in met.keys] or [False])[met.key]
    for state, code in FINDINGS.items():
        chosen = np.flatnonzero((met.state == state) & (together | (state != State.APART)))
        which = (f"{met.keys[met.key[at]].label} #{met.number[at]}" for at in chosen[: len(FINDINGS) * 8].tolist())
        quality.add(code, len(chosen), which)


def _after_all(node: np.ndarray, since_ns: np.ndarray) -> np.ndarray:
    """The least of `since_ns` of each node: a batch of sends and receives goes on when all of its peers have come."""
    order = np.argsort(node, kind="stable")
    begin = np.flatnonzero(np.diff(node[order], prepend=-1))
    least = np.empty(len(node), np.int64)
    if len(begin):
        shortest = np.minimum.reduceat(since_ns[order], begin)
        least[order] = np.repeat(shortest, np.diff(begin, append=len(node)))
    return least
