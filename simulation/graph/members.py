"""Members of what ranks do together, as nodes: when each comes, and what it does after the last one has come.

A meeting has a node of its own that belongs to no row: all starts lead to it, it leads to all ends, so that the edges
are as many as the members. Only meetings of which everything is known take part (`rendezvous.State`). All others keep
their measured durations, waits included, and are counted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.graph.awaited import release
from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import Tasks
from simulation.quality import QualityReport
from simulation.rendezvous import Rendezvous, State

FINDINGS = {
    State.MISSING: "collectives_missing",
    State.DIFFERENT: "collectives_differ",
    State.APART: "collectives_apart",
}
"""What a meeting that is left out says about the recording. An absent trace is none: the replay's report says it."""


@dataclass(frozen=True)
class Members:
    """Columns over the members that wait for each other: of collectives, then of pairs."""

    row: np.ndarray  # i64
    meeting_node: np.ndarray  # i64: when the last of them has come
    end_node: np.ndarray  # i64: where its wait ends; of a slice of a thread perhaps within the slice
    transfer_ns: np.ndarray  # i64, from the one to the other as measured; negative by what clocks are uncertain
    is_pair: np.ndarray  # bool
    certainty: np.ndarray  # u8
    is_host: np.ndarray  # bool
    sender_row: np.ndarray  # i64, of pairs whose sender did not wait
    receiver_row: np.ndarray  # i64

    @classmethod
    def of(cls, tasks: Tasks, met: Rendezvous) -> tuple[Tasks, Members]:
        """The tasks with a node for each meeting, and who meets there. `tasks` are on aligned clocks."""
        waits = met.at((met.state == State.MET) & (met.counts > 1))
        tasks, nodes = tasks.with_nodes(waits.last_ns(tasks.start_ns))
        node, row = nodes[waits.meeting], waits.row
        is_host = tasks.is_host[row]
        end = tasks.end_node[row]
        if is_host.any():
            end[is_host] = release(tasks, row[is_host], tasks.node_ns[node[is_host]])
        transfer_ns = _after_all(end, tasks.node_ns[end] - tasks.node_ns[node])
        is_pair, certainty = waits.is_pair[waits.meeting], certainties(waits)[waits.meeting]
        sender, receiver = _sent(tasks, met)
        return tasks, cls(row, node, end, transfer_ns, is_pair, certainty, is_host, sender, receiver)

    def lasting_ns(self, tasks: Tasks) -> np.ndarray:
        """How long each row takes by itself: its duration, or its transfer; i64 per row of the run."""
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

    def edges(self, tasks: Tasks, family: Family, arrival: Rule, transfer: Rule) -> Edges:
        """Start to meeting and meeting to end of all members of the family's kind."""
        at = np.flatnonzero(self.is_pair == (family == Family.SEND_RECV))
        node, certainty = self.meeting_node[at], self.certainty[at]
        start, end, none = tasks.start_node[self.row[at]], self.end_node[at], np.zeros(len(at), np.int64)
        return Edges.joined(
            [
                Edges.of(family, start, node, none, arrival, certainty),
                Edges.of(family, node, end, self.transfer_ns[at], transfer, certainty),
            ]
        )


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


def _sent(tasks: Tasks, met: Rendezvous) -> tuple[np.ndarray, np.ndarray]:
    """(row of the sender, row of the receiver) of pairs whose sender had left when the receiver came: i64, i64."""
    sent = met.at(met.state == State.SENT)
    first, second = sent.row[0::2], sent.row[1::2]
    sends_first = tasks.start_ns[first] <= tasks.start_ns[second]  # the one that did not wait came first
    return np.where(sends_first, first, second), np.where(sends_first, second, first)
