"""A task graph with fewer edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulation.graph import TaskGraph

COLUMNS = ("source", "weight_ns", "family", "rule", "certainty")


def only(graph: TaskGraph, kept: np.ndarray) -> TaskGraph:
    """The graph with the edges of a mask; what nothing holds then happens at time 0."""
    offsets = np.concatenate([[0], np.cumsum(kept)])[graph.offsets]
    return replace(graph, offsets=offsets, **{name: getattr(graph, name)[kept] for name in COLUMNS})
