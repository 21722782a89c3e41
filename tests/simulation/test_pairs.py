"""Which end closes which begin, against the definition."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.formats.pairs import NO_NAME, mates

Event = tuple[int, int, bool, int]  # strand, time, is an end, name

events = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.booleans(), st.integers(0, 2)), max_size=20)
unnamed_ends = st.lists(st.booleans(), min_size=20, max_size=20)


def oracle(given_: list[Event]) -> list[int]:
    """For each event its partner, -1 none: a list of what is open per strand, searched from its end."""
    mate = [-1] * len(given_)
    open_: dict[int, list[int]] = {}
    for at in sorted(range(len(given_)), key=lambda at: (given_[at][0], given_[at][1], at)):
        strand, _, is_end, name = given_[at]
        begun = open_.setdefault(strand, [])
        if not is_end:
            begun.append(at)
            continue
        fits = [begin for begin in begun if name in (NO_NAME, given_[begin][3])]
        if fits:
            mate[at], mate[fits[-1]] = fits[-1], at
            begun.remove(fits[-1])
    return mate


@given(events, unnamed_ends)
def test_it_pairs_as_the_definition_says(given_: list[Event], unnamed: list[bool]) -> None:
    given_ = [
        (strand, time, is_end, NO_NAME if is_end and bare else name)
        for (strand, time, is_end, name), bare in zip(given_, unnamed, strict=False)
    ]
    table = np.array(given_, np.int64).reshape(-1, 4)
    strand, time, is_end, name = (table[:, column].copy() for column in range(4))
    found = mates(np.lexsort((time, strand)), strand, is_end.astype(bool), name, 3)
    assert found.tolist() == oracle(given_)
