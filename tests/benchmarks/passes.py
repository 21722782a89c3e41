"""The passes over a graph of any size, laid out as a run's is: in topological order, causes a little before effects."""

from __future__ import annotations

import numpy as np

from simulation.csr import forward
from simulation.graph import TaskGraph
from simulation.replay.scenarios import replay_many
from tests.benchmarks.timing import Figure, measure, short

FORWARD, READ_MEMORY, SCENARIOS = "forward pass, edges", "reading memory, bytes", "1,000 scenarios, edges"

CHAINS, FAR, SHARE_OF_FAR = 32, 2_000, 0.25
CLASSES = 40
READ_BYTES = 1 << 29


def of_generated(events: int) -> list[Figure]:
    """The forward pass over `events` events, two nodes each, and what the same core reads from memory."""
    source = f"graph, {events // 1_000_000} M events"
    graph = generated_graph(events)
    words = np.ones(READ_BYTES // 8, np.int64)
    return [
        measure(source, FORWARD, len(graph[1]), lambda: forward(*graph)),
        measure(source, READ_MEMORY, READ_BYTES, words.max),
    ]


def of_scenarios(source: str, graph: TaskGraph) -> Figure:
    """A thousand scenarios that scale CLASSES classes of edges at random, on all processors."""
    rng = np.random.default_rng(0)
    class_of_edge, factors = rng.integers(-1, CLASSES, graph.edges), 2 * rng.random((1_000, CLASSES))
    kept = np.array([graph.nodes - 1])
    return measure(
        source, SCENARIOS, 1_000 * graph.edges, lambda: replay_many(graph, factors, class_of_edge, kept)
    )  # fmt: skip


def generated_graph(events: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(offsets, source, weights, residuals): chains side by side, a quarter of the nodes with a second cause."""
    rng = np.random.default_rng(seed)
    node = np.arange(1, 2 * events)
    near = np.maximum(node - rng.integers(1, CHAINS, len(node)), 0)
    has_far = rng.random(len(node)) < SHARE_OF_FAR
    far = np.maximum(node - rng.integers(1, FAR, len(node)), 0)
    offsets = np.concatenate([[0, 0], np.cumsum(1 + has_far)])
    source = np.empty(offsets[-1], np.int32)
    source[offsets[1:-1]] = near
    source[offsets[1:-1][has_far] + 1] = far[has_far]
    return offsets, source, rng.integers(0, 10_000, len(source)), np.zeros(2 * events, np.int64)


def bytes_per_edge(edges: int, nodes: int) -> float:
    """What the forward pass moves: source and weight of an edge; offset, residual, time and decision of a node."""
    return 4 + 8 + (8 + 8 + 8 + 4) * nodes / edges


def bandwidth(figures: list[Figure]) -> str:
    """A line that says which share of the memory's bandwidth the forward pass uses."""
    by_name = {figure.what: figure for figure in figures if figure.what in (FORWARD, READ_MEMORY)}
    passed, read = by_name[FORWARD], by_name[READ_MEMORY]
    nodes = passed.events / (1 + SHARE_OF_FAR)
    moved = passed.per_second * bytes_per_edge(passed.events, round(nodes))
    share = 100 * moved / read.per_second
    return (
        f"The forward pass moves {short(moved)}B/s, {share:.0f} % of what one core reads ({short(read.per_second)}B/s)."
    )
