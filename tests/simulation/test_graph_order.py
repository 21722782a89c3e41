"""Topological order: near the measured one, whatever the clocks say."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.order import places, possible, to_csr, topological

NODES = 10


def edges_of(pairs: list[tuple[int, int, Certainty]], weight_ns: list[int] | None = None) -> Edges:
    columns = np.array([(source, target, certainty) for source, target, certainty in pairs], np.int64).reshape(-1, 3)
    weight = np.array(weight_ns or [0] * len(pairs), np.int64)
    return Edges.of(Family.LAUNCH, columns[:, 0], columns[:, 1], weight, Rule.CORRELATION, columns[:, 2])


node = st.integers(1, NODES - 1)
certainty = st.sampled_from(Certainty)


def sound(edge: tuple[int, int, Certainty]) -> bool:
    """What is structural follows the measured order."""
    return edge[0] < edge[1] or (edge[0] != edge[1] and edge[2] != Certainty.STRUCTURAL)


anything = st.lists(st.tuples(node, node, certainty).filter(sound), max_size=25)


def pairs_of(edges: Edges) -> list[tuple[int, int]]:
    return list(zip(edges.source.tolist(), edges.target.tolist(), strict=True))


def in_order(order: np.ndarray | None) -> np.ndarray:
    return np.arange(NODES) if order is None else order


def ordered(pairs: list[tuple[int, int, Certainty]]) -> tuple[np.ndarray, Edges]:
    order, kept = topological(edges_of(pairs), NODES)
    return in_order(order), kept


@given(anything)
def test_it_puts_causes_first(pairs: list[tuple[int, int, Certainty]]) -> None:
    order, kept = ordered(pairs)
    assert sorted(order.tolist()) == list(range(NODES)) and order[0] == 0
    place = np.argsort(order)
    assert (place[kept.source] < place[kept.target]).all()


@given(anything)
def test_it_drops_only_what_points_back_and_closes_a_cycle(pairs: list[tuple[int, int, Certainty]]) -> None:
    _, kept = topological(edges_of(pairs), NODES)
    left = pairs_of(kept)
    dropped = [(source, target) for source, target, _ in pairs]
    for pair in left:
        dropped.remove(pair)
    assert all(source > target for source, target in dropped)
    if not cyclic([(source, target) for source, target, _ in pairs]):
        assert not dropped


@given(anything)
def test_it_drops_the_least_certain_first(pairs: list[tuple[int, int, Certainty]]) -> None:
    _, kept = topological(edges_of(pairs), NODES)
    levels = [level for level in Certainty if cyclic([(s, t) for s, t, c in pairs if c >= level or s < t])]
    highest = max(levels, default=0)  # cycles remain without anything less certain than this
    assert all((s, t) in pairs_of(kept) for s, t, c in pairs if c > highest)


def cyclic(pairs: list[tuple[int, int]]) -> bool:
    """Whether some node leads back to itself."""
    left = set(range(NODES))
    while True:
        free = {node for node in left if not any(target == node and source in left for source, target in pairs)}
        if not free:
            return bool(left)
        left -= free


@given(st.permutations(range(1, NODES)))
def test_it_keeps_the_measured_order_where_it_can(shuffled: list[int]) -> None:
    edges = edges_of([(a, b, Certainty.GUESSED) for a, b in zip(shuffled[:2], shuffled[1:3], strict=True)])
    order = in_order(topological(edges, NODES)[0])
    rest = [node for node in order.tolist() if node not in shuffled[:3]]
    assert rest == sorted(rest)


def test_it_follows_a_late_cause_at_once() -> None:
    order, _ = ordered([(5, 2, Certainty.RECORDED), (2, 3, Certainty.STRUCTURAL)])
    assert order.tolist() == [0, 1, 4, 5, 2, 3, 6, 7, 8, 9]


def test_it_tells_possible_edges_from_impossible_ones() -> None:
    node_ns = np.array([0, 100, 90, 40])
    pairs = [(1, 2, Certainty.RECORDED), (1, 2, Certainty.RECORDED), (1, 3, Certainty.STRUCTURAL)]
    edges = edges_of([*pairs, (3, 2, Certainty.GUESSED)], [0, -10, 5, 500])
    assert possible(edges, node_ns).tolist() == [False, True, True, True]


@given(anything)
def test_it_sorts_edges_by_target(pairs: list[tuple[int, int, Certainty]]) -> None:
    order, kept = ordered(pairs)
    offsets, edges = to_csr(kept.renumbered(places(order)), NODES)
    renamed = [(int(order[source]), int(order[target])) for source, target in pairs_of(edges)]
    assert sorted(renamed) == sorted(pairs_of(kept))
    for target in range(NODES):
        assert (edges.target[offsets[target] : offsets[target + 1]] == target).all()
    assert offsets[0] == 0 and offsets[-1] == len(edges)
