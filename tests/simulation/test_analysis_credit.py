"""Device time credited up a tree, against sets of nanoseconds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.analysis.credit import credited, outermost

NODES = 6
WORK = st.lists(
    st.tuples(st.integers(-1, NODES - 1), st.integers(0, 20), st.integers(0, 6)), max_size=14
)  # owner, start, duration
PARENTS = st.lists(st.integers(-1, NODES - 1), min_size=NODES, max_size=NODES)


def tree(parents: list[int]) -> list[int]:
    """Parents come before their children."""
    return [parent if parent < node else -1 for node, parent in enumerate(parents)]


def chain(node: int, above: list[int]) -> list[int]:
    return [node, *chain(above[node], above)] if node >= 0 else []


@given(WORK, PARENTS)
def test_each_node_is_credited_with_what_is_below_it(work: list[tuple[int, int, int]], parents: list[int]) -> None:
    above, work = tree(parents), sorted(work, key=lambda line: line[1])
    owner, start, dur = (np.array([line[at] for line in work], np.int64) for at in range(3))
    found = credited(owner, np.array(above, np.int64), start, start + dur)
    for node in range(NODES):
        mine = [line for line in work if line[0] == node]
        below = [line for line in work if node in chain(line[0], above)]
        assert found.direct[node] == len(mine)
        assert found.subtree[node] == len(below)
        assert found.direct_ns[node] == len({at for _, begin, long in mine for at in range(begin, begin + long)})
        assert found.subtree_ns[node] == len({at for _, begin, long in below for at in range(begin, begin + long)})


@given(PARENTS, st.lists(st.integers(0, 2), min_size=NODES, max_size=NODES))
def test_it_knows_what_is_in_its_own_name(parents: list[int], names: list[int]) -> None:
    above = tree(parents)
    found = outermost(np.array(names), np.array(above), np.arange(NODES))
    for node in range(NODES):
        assert found[node] == (names[node] not in [names[around] for around in chain(node, above)[1:]])
