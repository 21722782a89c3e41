"""Times by dependencies, against a plain walk over random graphs."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.formats.placing import place

NODES = 8
NONE = np.empty(0, np.int64)


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[int], list[int], list[tuple[int, int]]]:
    """(durations, node that each nests in, dependencies on earlier nodes that are outside of each other)."""
    durations = draw(st.lists(st.integers(0, 9), min_size=NODES, max_size=NODES))
    inside = [-1] + [draw(st.integers(-1, at - 1)) for at in range(1, NODES)]
    pairs = [(at, on) for at in range(1, NODES) for on in range(at) if draw(st.booleans())]
    return durations, inside, [(at, on) for at, on in pairs if not related(inside, at, on)]


def related(inside: list[int], at: int, on: int) -> bool:
    """Whether one nests in the other, or a dependency could go around through their holders."""
    return bool({root(inside, at)} & {root(inside, on)})


def root(inside: list[int], at: int) -> int:
    return at if inside[at] < 0 else root(inside, inside[at])


def walked(durations: list[int], inside: list[int], pairs: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Raise times until nothing has to be raised any more."""
    start, end = [0] * NODES, list(durations)
    for _ in range(NODES * NODES):
        for at, on in pairs:
            start[at] = max(start[at], end[on])
        for at in range(NODES):
            if inside[at] >= 0:
                start[at] = max(start[at], start[inside[at]])
            end[at] = max(end[at], start[at] + durations[at])
            if inside[at] >= 0:
                end[inside[at]] = max(end[inside[at]], end[at])
    return start, end


@given(forests())
def test_it_places_as_early_as_possible(forest: tuple[list[int], list[int], list[tuple[int, int]]]) -> None:
    durations, inside, pairs = forest
    row, on = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    start, end, lost = place(np.array(durations), np.array(inside), row, on)
    if lost:  # trees that wait for each other
        return
    assert (start.tolist(), end.tolist()) == walked(durations, inside, pairs)


@given(st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)), max_size=30),
       st.lists(st.integers(-1, NODES - 1), min_size=NODES, max_size=NODES))  # fmt: skip
def test_it_ends_whatever_it_is_given(pairs: list[tuple[int, int]], inside: list[int]) -> None:
    row, on = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    start, end, lost = place(np.full(NODES, 3), np.array(inside), row, on)
    assert (end >= start + 3).all()
    assert lost <= len(pairs) + NODES


def test_it_leaves_out_what_points_back_in_a_cycle() -> None:
    start, end, lost = place(np.array([2, 3]), np.array([-1, -1]), np.array([0, 1]), np.array([1, 0]))
    assert (start.tolist(), end.tolist(), lost) == ([0, 2], [2, 5], 1)


def test_it_lets_a_node_that_waits_for_its_own_holder_begin_with_it() -> None:
    start, end, lost = place(np.array([0, 4]), np.array([-1, 0]), np.array([1]), np.array([0]))
    assert (start.tolist(), end.tolist(), lost) == ([0, 0], [4, 4], 1)


def test_it_breaks_nodes_that_nest_in_each_other() -> None:
    start, _, lost = place(np.array([1, 1]), np.array([1, 0]), NONE, NONE)
    assert (start.tolist(), lost) == ([0, 0], 2)
