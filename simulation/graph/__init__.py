"""The task graph of a run: what had to happen before what, and how long it takes."""

from simulation.graph.build import build_graph
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.taskgraph import TaskGraph

__all__ = ["Certainty", "Family", "Rule", "TaskGraph", "build_graph"]
