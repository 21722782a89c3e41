"""Send and receive: a collective of two, but that a sender whose message is buffered need not wait.

Where the sender had left when the receiver came, it keeps its duration, and the receiver ends no earlier than its own
duration after the sender began.
"""

from __future__ import annotations

import numpy as np

from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.members import Gathering, Met


def edges(met: Met, gathering: Gathering, start_node: np.ndarray, end_node: np.ndarray) -> Edges:
    """Four for each pair that waits for each other, one where the sender does not wait. Nodes: per row of the run."""
    waits = met.edges(Family.SEND_RECV, Rule.PAIR_ARRIVAL, Rule.PAIR_TRANSFER)
    sender, receiver = gathering.sender_first()
    row = gathering.sent.row
    sent = Edges.of(
        Family.SEND_RECV,
        start_node[row[sender]],
        end_node[row[receiver]],
        gathering.left_ns[receiver] - np.maximum(gathering.sent_ns[receiver], gathering.sent_ns[sender]),
        Rule.PAIR_SENT,
        Certainty.INFERRED,
    )
    return Edges.joined([waits, sent])
