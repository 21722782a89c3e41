"""The slow-down of an overlap, found again in runs of a machine that has it."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.graph import build_graph
from simulation.replay.overlap_fit import Fit, covered_ns, fit, fit_slowdowns
from simulation.run import Run
from tests.simulation.build import make_run, op
from tests.simulation.machine import Machine, Step, warm_up
from tests.simulation.shared_machine import TALKS, SharedMachine

KERNELS = {40_000: "gemm", 9_000: "norm", 21_000: "softmax", 3_000: "cat", 5_500: "relu"}
"""What kernels take alone, ns."""

intervals = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 12), st.integers(0, 2)).map(lambda d: (d[0], d[0] + d[1], d[2])),
    max_size=12,
)  # fmt: skip


def columns(drawn: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    begin, end, place = np.array(drawn, np.int64).reshape(-1, 3).T
    return begin, end, place


@given(intervals, intervals)
def test_what_is_covered_equals_counting(cover: list[tuple[int, int, int]], asked: list[tuple[int, int, int]]) -> None:
    counted = [
        sum(any(b <= at < e for b, e, where in cover if where == place) for at in range(begin, end))
        for begin, end, place in asked
    ]
    assert covered_ns(columns(cover), columns(asked)).tolist() == counted


def program(seed: int, steps: int, noise: float = 0.0) -> list[list[Step]]:
    """A thread that computes and one that communicates now and then, neither of which waits for the other."""
    random, chance = Random(seed), Random(seed + 1)
    compute, speak = warm_up([7]), warm_up([TALKS])
    for _ in range(steps):
        dur = round(random.choice(list(KERNELS)) * chance.gauss(1, noise))
        compute += [("launch", 7, dur), ("work", random.randrange(20_000))]
        compute += [("stream_sync", 7)] if random.random() < 0.3 else []
    for _ in range(steps // 8):
        speak += [("launch", TALKS, random.randrange(20_000, 90_000)), ("work", random.randrange(300_000))]
    return [compute, speak]


def recorded(slow: dict[str, float], steps: int = 200, noise: float = 0.0) -> Run:
    """What the machine records; each kernel is named after what it does, which takes more or less by chance."""
    events, usual = SharedMachine(slow).run(program(1, steps, noise)), Machine().run(program(1, steps))
    return make_run([
        replace(event, name=KERNELS.get(usual[key].dur or 0, "warm")) if event.name == "kernel" else event
        for key, event in events.items()
    ])  # fmt: skip


@pytest.mark.parametrize("slowdown", [1.0, 1.1, 1.35, 2.0])
def test_it_finds_what_the_machine_has(slowdown: float) -> None:
    run = recorded({"compute": slowdown})
    found = fit_slowdowns(run, build_graph(run))["compute"]
    assert found.overlapped > 40 and found.groups >= 4
    assert found.slowdown == pytest.approx(slowdown, rel=0.001)
    assert found.factor == max(1.0, found.slowdown or 0)


def test_chance_leaves_it_within_its_uncertainty() -> None:
    run = recorded({"compute": 1.3}, steps=600, noise=0.03)
    found = fit_slowdowns(run, build_graph(run))["compute"]
    assert found.slowdown is not None and found.uncertainty is not None
    assert abs(found.slowdown - 1.3) < 3 * max(found.uncertainty, 0.005) < 0.15


def test_communication_that_may_hold_waiting_says_nothing() -> None:
    run = recorded({"communication": 2.0})
    assert fit_slowdowns(run, build_graph(run))["communication"] == Fit(None, None, 0, 0, 0)


def test_transfers_tell_of_communication() -> None:
    """Of likes that take 100 alone, those that are beside the other kind for all of their time take 150."""
    lasts, overlap = np.array([100] * 5 + [150] * 10), np.array([0] * 5 + [150] * 10)
    found = fit(lasts, overlap, np.zeros(15, np.int64))
    assert (found.slowdown, found.overlapped, found.overlapped_ns) == (1.5, 10, 1500)


@pytest.mark.parametrize(
    ("lasts", "overlap"),
    [
        ([100] * 2 + [150] * 10, [0] * 2 + [150] * 10),  # two alone
        ([100] * 5 + [150] * 9, [0] * 5 + [150] * 9),  # nine overlapped
        ([10, 50, 100, 200, 400] + [150] * 10, [0] * 5 + [150] * 10),  # not alike
    ],
)
def test_of_too_few_or_unlike_it_says_nothing(lasts: list[int], overlap: list[int]) -> None:
    found = fit(np.array(lasts), np.array(overlap), np.zeros(len(lasts), np.int64))
    assert found.slowdown is None and found.factor == 1.0


def test_a_run_without_a_device_says_nothing() -> None:
    run = make_run([op(1, 0, 10)])
    assert {each.slowdown for each in fit_slowdowns(run, build_graph(run)).values()} == {None}
