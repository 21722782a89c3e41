"""Generated runs with clocks known to be off: the offsets are found, within 5 us of what was put in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.run import Run, read_run
from simulation.workload import Host, Workload, generated_run, write_kineto

WITHIN_NS = 5_000
SMALL = {"layers": 4, "hidden": 256, "heads": 4, "sequence": 128, "vocabulary": 1024, "bucket_mib": 0.5}
SPEC = Workload(**SMALL, dp=2, tp=2, pp=2, steps=3, jitter=0.3, skew_us=50_000, parting_us=3.0, straggler=5)


def assert_found(run: Run, spec: Workload) -> None:
    true_ns = spec.clock_skew_ns() - spec.clock_skew_ns()[0]
    found_ns = np.array([clock.offset_ns if clock else 2**62 for clock in run.clocks])
    assert np.abs(found_ns - true_ns).max() <= WITHIN_NS, (found_ns - true_ns).tolist()


@pytest.mark.parametrize("seed", range(4))
def test_they_are_found_in_the_files(seed: int, tmp_path: Path) -> None:
    spec = replace(SPEC, seed=seed)
    assert abs(spec.clock_skew_ns()).max() > 10_000_000
    assert_found(read_run(write_kineto(spec, tmp_path)), spec)


@pytest.mark.parametrize(
    "layout",
    [
        {"dp": 8, "tp": 1, "pp": 1},
        {"dp": 1, "tp": 4, "pp": 1},
        {"dp": 1, "tp": 1, "pp": 4},  # send and receive alone
        {"dp": 2, "tp": 1, "pp": 4},
        {"dp": 4, "tp": 4, "pp": 2},
        {"dp": 16, "tp": 2, "pp": 1},  # two nodes
    ],
)
def test_they_are_found_in_every_layout(layout: dict[str, int]) -> None:
    for seed in range(3):
        spec = replace(SPEC, straggler=1, seed=seed, **layout)
        assert_found(generated_run(spec), spec)


@settings(max_examples=25, deadline=None)
@given(
    layout=st.sampled_from([(2, 2, 2), (4, 1, 1), (1, 2, 2), (1, 1, 4), (3, 2, 1)]),
    micro_batches=st.integers(1, 4),
    steps=st.integers(2, 4),
    jitter=st.floats(0, 1),
    skew_us=st.floats(0, 10**8),
    parting_us=st.floats(0, 5),
    straggler=st.one_of(st.none(), st.integers(0, 3)),
    factor=st.floats(0.5, 20),
    gap_us=st.floats(0, 200),
    seed=st.integers(0, 2**40),
)
def test_they_are_found_however_the_run_is_disturbed(
    layout: tuple[int, int, int], micro_batches: int, steps: int, jitter: float, skew_us: float, parting_us: float,
    straggler: int | None, factor: float, gap_us: float, seed: int,
) -> None:  # fmt: skip
    dp, tp, pp = layout
    spec = Workload(
        **SMALL, dp=dp, tp=tp, pp=pp, micro_batches=micro_batches, steps=steps, jitter=jitter, skew_us=skew_us,
        parting_us=parting_us, straggler=straggler, straggler_factor=factor, host=Host(gap_us=gap_us), seed=seed,
    )  # fmt: skip
    assert_found(generated_run(spec), spec)


def test_they_agree_where_none_is_off() -> None:
    spec = replace(SPEC, skew_us=0.0)
    run = generated_run(spec)
    assert_found(run, spec)
    assert not run.quality.count("clocks_differ")
