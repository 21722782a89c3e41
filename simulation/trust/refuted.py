"""Waits between streams that other steps refute: what waits had begun there before what it waits for had ended.

Steps are one program, so what waits in one waits in all. A trace does not tell what a wait is for, and a guess from one
step fits that step: where nothing was held up, any event that had ended fits. The same two events in another step may
show that the one does not wait for the other at all. What the trace tells is never refuted; what kept an event out
of the device for a moment (`device_room`) is no part of the program, and neither is what a call was seen to wait for.
"""

from __future__ import annotations

import numpy as np

from simulation.graph import Family, Rule, TaskGraph
from simulation.trust.alike import Alike

RESOLUTION_NS = 1_000
"""Times of some traces are whole microseconds: what begins so little before another's end may have waited for it."""


def refuted(graph: TaskGraph, alike: Alike, step: int, others: np.ndarray) -> np.ndarray:
    """Edges into nodes of this step that one of the steps `others` refutes: i64. Cost: O(edges x others)."""
    target_of = np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))
    guessed = (graph.family == Family.EVENT_WAIT) & (graph.rule != Rule.EVENT_TOLD)
    edge = np.flatnonzero(guessed & (alike.step[target_of] == step))
    target, source = target_of[edge], graph.source[edge]
    back = step - alike.step[source]  # what is awaited may be of the step before
    then = others[None, :] - back[:, None]
    then = np.where((alike.step[source] >= 0)[:, None] & (then != step), then, -1)
    begins = alike.within(target[:, None], others[None, :])
    ended = alike.within(source[:, None], then)
    early = graph.measured_ns[begins] < graph.measured_ns[ended] - RESOLUTION_NS
    found = edge[(early & (begins >= 0) & (ended >= 0)).any(axis=1)]
    held = np.diff(graph.offsets) - np.bincount(target_of[found], minlength=graph.nodes)
    return np.asarray(found[held[target_of[found]] > 0])  # what nothing else holds would begin at time 0
