"""Send and receive: a collective of two, but that a sender whose message is buffered need not wait.

Where the sender had left when the receiver came, it keeps its duration, and the receiver ends no earlier than its own
duration after the sender began.
"""

from __future__ import annotations

import numpy as np

from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.members import Members
from simulation.graph.tasks import Tasks


def edges(tasks: Tasks, members: Members) -> Edges:
    """Four for each pair that waits for each other, one where the sender does not wait."""
    sender, receiver = members.sender_row, members.receiver_row
    sent = Edges.of(
        Family.SEND_RECV,
        tasks.start_node[sender],
        tasks.end_node[receiver],
        tasks.end_ns[receiver] - np.maximum(tasks.start_ns[receiver], tasks.start_ns[sender]),
        Rule.PAIR_SENT,
        Certainty.INFERRED,
    )
    return Edges.joined([members.edges(tasks, Family.SEND_RECV, Rule.PAIR_ARRIVAL, Rule.PAIR_TRANSFER), sent])
