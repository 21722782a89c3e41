"""Thread order: what a thread did, in the order in which it did it.

Per host thread one chain over all starts, ends and instants; the weight is the measured time between them: self
time inside slices, kept host gap outside. Nesting and lanes therefore survive any change. Where a call waited for
the device, only what it did after the wait stays in the chain (`host_sync`).
"""

from __future__ import annotations

import numpy as np

from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import ROOT, Tasks


def edges(tasks: Tasks, waited_node: np.ndarray, kept_ns: np.ndarray) -> Edges:
    """One edge per host node; the one into `waited_node[i]` keeps `kept_ns[i]` of its time."""
    chain = tasks.chains
    row = tasks.node_row[chain]
    first = np.diff(tasks.track[row], prepend=-1) != 0
    source = np.where(first, ROOT, np.roll(chain, 1))
    weight = tasks.node_ns[chain] - tasks.node_ns[source]
    place = np.zeros(tasks.nodes, np.int64)
    place[chain] = np.arange(len(chain))
    weight[place[waited_node]] = np.minimum(weight[place[waited_node]], kept_ns)
    gap = open_slices(tasks) == 0
    rule = np.where(first, Rule.THREAD_BEGIN, np.where(gap, Rule.THREAD_GAP, Rule.THREAD_WORK))
    return Edges.of(Family.THREAD_ORDER, source, chain, weight, rule, Certainty.STRUCTURAL)


def open_slices(tasks: Tasks) -> np.ndarray:
    """How many slices of its thread are open just before each node of `tasks.chains`: i64."""
    chain = tasks.chains
    row = tasks.node_row[chain]
    step = np.where(tasks.start_node[row] == chain, 1, -1) * tasks.is_slice[row]
    return np.asarray(np.cumsum(step) - step)
