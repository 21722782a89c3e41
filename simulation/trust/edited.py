"""A task graph with fewer edges, or with more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from simulation.graph import TaskGraph
from simulation.graph.edges import Edges

COLUMNS = ("source", "weight_ns", "family", "rule", "certainty")


def only(graph: TaskGraph, kept: np.ndarray) -> TaskGraph:
    """The graph with the edges of a mask; what nothing holds then happens at time 0."""
    offsets = np.concatenate([[0], np.cumsum(kept)])[graph.offsets]
    return replace(graph, offsets=offsets, **{name: getattr(graph, name)[kept] for name in COLUMNS})


def more(graph: TaskGraph, edges: Edges) -> TaskGraph:
    """The graph with these edges as well, but for those that do not point forward in its order of nodes."""
    edges = edges[np.argsort(edges.target, kind="stable")]
    edges = edges[edges.source < edges.target]
    at = graph.offsets[edges.target + 1]
    added = np.cumsum(np.bincount(edges.target, minlength=graph.nodes))
    offsets = graph.offsets + np.concatenate([[0], added])
    columns: dict[str, Any] = {name: np.insert(getattr(graph, name), at, getattr(edges, name)) for name in COLUMNS}
    return replace(graph, offsets=offsets, **columns)
