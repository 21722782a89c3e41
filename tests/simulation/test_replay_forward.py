"""The forward pass and the walk back against plain Python, on random graphs."""

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.csr import NO_EDGE, forward
from simulation.replay.kernels import fit_lanes, walk_back


@dataclass(frozen=True)
class Graph:
    offsets: np.ndarray
    source: np.ndarray
    weight_ns: np.ndarray
    residual_ns: np.ndarray


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Any graph in topological order, node 0 the only one without causes."""
    nodes = draw(st.integers(1, 12))
    into = [draw(st.lists(st.integers(0, node - 1), min_size=1, max_size=4)) if node else [] for node in range(nodes)]
    edges = sum(map(len, into))
    weights = draw(st.lists(st.integers(-20, 1_000), min_size=edges, max_size=edges))
    residuals = draw(st.lists(st.integers(-500, 500), min_size=nodes, max_size=nodes))
    return Graph(
        np.cumsum([0, *map(len, into)]),
        np.array([source for sources in into for source in sources], np.int32),
        np.array(weights, np.int64),
        np.array(residuals, np.int64),
    )


def slow_forward(graph: Graph) -> list[int]:
    times: list[int] = []
    for node in range(len(graph.offsets) - 1):
        edges = range(graph.offsets[node], graph.offsets[node + 1])
        causes = [(times[graph.source[edge]], int(graph.weight_ns[edge])) for edge in edges]
        allowed = max((time + weight for time, weight in causes), default=0)
        floor = max((time + min(weight, 0) for time, weight in causes), default=0)
        times.append(max(allowed + int(graph.residual_ns[node]), floor) if causes else 0)
    return times


@given(graphs())
def test_it_equals_the_slow_forward_pass(graph: Graph) -> None:
    times, _ = forward(graph.offsets, graph.source, graph.weight_ns, graph.residual_ns)
    assert times.tolist() == slow_forward(graph)


@given(graphs())
def test_it_names_the_edge_that_decided(graph: Graph) -> None:
    times, binding = forward(graph.offsets, graph.source, graph.weight_ns, graph.residual_ns)
    assert binding[0] == NO_EDGE
    for node in range(1, len(times)):
        edges = range(graph.offsets[node], graph.offsets[node + 1])
        allowed = [int(times[graph.source[edge]] + graph.weight_ns[edge]) for edge in edges]
        assert binding[node] == edges[allowed.index(max(allowed))]


@given(graphs(), st.integers(-1, 2_000))
def test_it_walks_back_along_what_decided(graph: Graph, until_ns: int) -> None:
    times, binding = forward(graph.offsets, graph.source, graph.weight_ns, graph.residual_ns)
    path = walk_back(len(times) - 1, until_ns, graph.source, times, binding).tolist()
    slow = [len(times) - 1]
    while slow[-1] != 0 and times[slow[-1]] > until_ns:
        slow.append(int(graph.source[binding[slow[-1]]]))
    assert path == slow


slices = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 20), st.booleans()), max_size=12)


@given(slices)
def test_it_fits_derived_slices_between_the_fixed_ones(lane: list[tuple[int, int, bool]]) -> None:
    free = 0  # of the fixed rows, which do not overlap; a derived row may lie anywhere
    start, end = np.empty(len(lane), np.int64), np.empty(len(lane), np.int64)
    for row, (offset, dur, is_derived) in enumerate(lane):
        start[row] = offset if is_derived else free + offset
        end[row] = start[row] + dur
        free = free if is_derived else int(end[row])
    derived = np.array([is_derived for _, _, is_derived in lane], bool)
    fixed = [(int(start[row]), int(end[row])) for row in range(len(lane)) if not derived[row]]
    fit_lanes(np.array([0, len(lane)]), derived, start, end)
    assert [(int(start[row]), int(end[row])) for row in range(len(lane)) if not derived[row]] == fixed
    assert (start <= end).all()
    assert (end[:-1] <= start[1:]).all()


@given(slices)
def test_it_leaves_lanes_alone_that_fit(lane: list[tuple[int, int, bool]]) -> None:
    lengths = [(gap, dur) for gap, dur, _ in lane]
    end = np.cumsum([gap + dur for gap, dur in lengths], dtype=np.int64)
    start = end - np.array([dur for _, dur in lengths], np.int64)
    before = start.copy(), end.copy()
    fit_lanes(np.array([0, len(lane)]), np.array([d for *_, d in lane], bool), start, end)
    assert (start == before[0]).all() and (end == before[1]).all()
