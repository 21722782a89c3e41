"""Chains of kernels, against every substring counted by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.analysis.fusion import FEWEST, LENGTHS, _fitted
from simulation.analysis.report import analyze
from tests.simulation.build import Event, kernel, make_run


def run_of(*streams: str) -> list[Event]:
    """A stream per word; a kernel per letter, named by it, one after another."""
    return [
        Event(letter, "kernel", ("stream", stream), 10 * at, 5, kernel(stream, 0, 0).args)
        for stream, word in enumerate(streams, 1)
        for at, letter in enumerate(word)
    ]


@given(st.text("ab", max_size=24), st.text("abc", min_size=1, max_size=24))
def test_it_finds_each_chain_that_always_follows(first: str, second: str) -> None:
    found = analyze(make_run(run_of(first, second)), sections=["fusion"])["fusion"]
    letters = Counter(first + second)
    sure = []
    for length, line in zip(LENGTHS, found["lengths"], strict=True):
        chains = Counter(word[at : at + length] for word in (first, second) for at in range(len(word) - length + 1))
        assert line["chains"] == len(chains)
        mine = [(chain, count) for chain, count in chains.items() if count == letters[chain[0]] and count >= FEWEST]
        assert line["deterministic"] == len(mine)
        sure += mine
    ours = [("".join(line["kernels"]), line["count"]) for line in found["chains"]]
    assert sorted(ours) == sorted(sure)


@given(st.lists(st.booleans(), max_size=30), st.integers(1, 5))
def test_it_fits_chains_side_by_side(begins: list[bool], length: int) -> None:
    expected, at = 0, 0
    while at < len(begins):
        expected += begins[at]
        at += length if begins[at] else 1
    assert _fitted(np.array(begins, np.bool_), length) == expected


def test_it_says_what_one_launch_of_all_would_save() -> None:
    found = analyze(make_run(run_of("abcdabcdx")), sections=["fusion"])["fusion"]
    pairs, fours = found["lengths"][:2]
    assert (found["launches"], pairs["launches_saved"], fours["launches_saved"]) == (9, 4, 6)
    assert fours["ideal_gain"] == 3
    best = found["chains"][0]
    assert (best["kernels"], best["count"], best["busy_ns"], best["gaps_ns"]) == (list("abcd"), 2, 20, 15)
