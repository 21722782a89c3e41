"""Many scenarios in one pass against a pass each, on random graphs and on random programs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.csr import forward
from simulation.graph import TaskGraph, build_graph
from simulation.replay import replay
from simulation.replay.scenarios import LANES, UNSCALED, _pass, may_end, places_of, replay_many, scenario_weights
from tests.simulation.build import kernel, make_run, op
from tests.simulation.machine import Machine, Step
from tests.simulation.programs import programs
from tests.simulation.test_replay_forward import Graph, graphs

CLASSES = 3
factor = st.floats(0, 4)


def slow_places(graph: Graph, of_node: np.ndarray) -> None:
    """No node's place is taken by another before the last node that follows it has come."""
    nodes = len(graph.offsets) - 1
    holder: dict[int, int] = {}
    for node in range(nodes):
        sources = graph.source[graph.offsets[node] : graph.offsets[node + 1]]
        assert all(holder[of_node[before]] == before for before in sources)
        holder[of_node[node]] = node


@given(graphs())
def test_it_keeps_times_until_they_are_used(graph: Graph) -> None:
    places = places_of(graph.offsets, graph.source)
    slow_places(graph, places.of_node)
    assert places.count == places.of_node.max() + 1 <= len(graph.offsets) - 1


@given(graphs(), st.data())
def test_each_lane_equals_a_pass_of_its_own(graph: Graph, data: st.DataObject) -> None:
    edges, nodes = len(graph.source), len(graph.offsets) - 1
    classes = data.draw(st.lists(st.integers(UNSCALED, CLASSES - 1), min_size=edges, max_size=edges))
    class_of_edge = np.array(classes, np.int32)
    factors = np.array(data.draw(st.lists(st.lists(factor, min_size=LANES, max_size=LANES), min_size=3, max_size=3)))
    ends = np.array(data.draw(st.lists(st.booleans(), min_size=nodes, max_size=nodes)))
    places = places_of(graph.offsets, graph.source)
    end_ns, times = _pass(
        graph.offsets, places.of_node[graph.source], graph.weight_ns, class_of_edge, graph.residual_ns,
        places.of_node, places.count, ends, np.arange(nodes), nodes, factors,
    )  # fmt: skip
    for lane in range(LANES):
        by = [1.0 if kind == UNSCALED else float(factors[kind, lane]) for kind in classes]
        weights = [round(int(weight) * one) for weight, one in zip(graph.weight_ns, by, strict=True)]
        alone, _ = forward(graph.offsets, graph.source, np.array(weights, np.int64), graph.residual_ns)
        assert times[lane].tolist() == alone.tolist()
        assert end_ns[lane] == max([0, *alone[ends].tolist()])


def classed(graph: TaskGraph, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(UNSCALED, CLASSES, graph.edges, np.int32)


@given(programs(), st.lists(st.tuples(factor, factor, factor), min_size=1, max_size=40), st.booleans())
@settings(max_examples=30)
def test_scenarios_of_a_run_equal_single_replays(
    program: list[list[Step]], drawn: list[tuple[float, float, float]], residuals: bool
) -> None:
    graph = build_graph(make_run(list(Machine(jitter_ns=900).run(program).values())))
    class_of_edge, factors = classed(graph, len(drawn)), np.array(drawn)
    kept = np.array([graph.nodes - 1, 0, graph.nodes // 2, 0])
    found = replay_many(graph, factors, class_of_edge, kept, residuals=residuals)
    for scenario, one in enumerate(factors):
        weight_ns = scenario_weights(graph, one, class_of_edge)
        times = replay(graph, weight_ns=weight_ns, residuals=residuals).node_ns
        assert found.node_ns[scenario].tolist() == times[kept].tolist()
        assert found.end_ns[scenario] == times[may_end(graph)].max()


def test_it_refuses_what_is_no_factor() -> None:
    graph = build_graph(make_run([op(1, 0, 10), kernel(7, 20, 30)]))
    none, everything = np.zeros(0, np.int64), np.zeros(graph.edges, np.int32)
    for bad in (-0.5, np.nan, np.inf):
        with pytest.raises(ValueError, match="factor"):
            replay_many(graph, np.array([[bad]]), everything, none)
    assert replay_many(graph, np.zeros((0, 1)), everything, none).end_ns.tolist() == []
    assert replay_many(graph, np.array([[1.0], [0.0]]), everything, none).end_ns.tolist() == [50, 0]
