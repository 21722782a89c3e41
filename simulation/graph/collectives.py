"""Collectives: nobody ends before the last member of the group has come.

What a member takes after that is its transfer; what it took before was waiting, and follows from the others' arrival in
a replay. Seen only where the traces of all members are here (`members`).
"""

from __future__ import annotations

from simulation.graph.edges import Edges
from simulation.graph.families import Family, Rule
from simulation.graph.members import Met


def edges(met: Met) -> Edges:
    """Two for each member of a collective: its start to the meeting, the meeting to its end."""
    return met.edges(Family.COLLECTIVE, Rule.ARRIVAL, Rule.TRANSFER)
