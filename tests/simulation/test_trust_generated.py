"""Steps from the others on generated jobs of which one rank was kept, or all: as good as the median of the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from simulation.graph import build_graph
from simulation.run import Run
from simulation.trust.steps_from_others import predict_steps
from simulation.workload import Workload
from simulation.workload.execution import run_programs, step_programs
from simulation.workload.layout import place
from simulation.workload.recording import Recording
from simulation.workload.table import table_of
from tests.simulation.test_perturbation import LARGE, SMALL

STEPS, JITTER = 8, 0.03

SHAPES = {"alone": (1, 1, 1), "data": (4, 1, 1), "tensor": (1, 2, 1), "pipeline": (1, 1, 2), "all": (2, 2, 2)}
"""Data-, tensor- and pipeline-parallel ranks."""


def generated(sizes: dict[str, Any], shape: tuple[int, int, int], kept: Sequence[int], straggler: int | None) -> Run:
    """A job whose durations vary from step to step; of its ranks those of `kept`."""
    dp, tp, pp = shape
    spec = Workload(**sizes, dp=dp, tp=tp, pp=pp, steps=STEPS, jitter=JITTER, seed=1, straggler=straggler)
    ran = run_programs(spec, tuple(place(spec, rank) for rank in range(spec.ranks)), step_programs(spec))
    return Run.of([table_of(Recording(ran, rank)) for rank in kept])


def assert_as_good(run: Run) -> float:
    """The limit of the verdict holds; returns by how much the prediction is worse than the median of the others."""
    found = predict_steps(run, build_graph(run))
    assert len(found["steps"]) + len(found["ramp_up"]) == STEPS * len(run.traces) and not found["unlike"]
    worse = float(found["mean_error_percent"] - found["naive_mean_error_percent"])
    assert worse <= 0.5
    return worse


@pytest.mark.parametrize("sizes", [SMALL, LARGE], ids=["host-bound", "device-bound"])
def test_one_rank_of_many(sizes: dict[str, Any]) -> None:
    worse = [assert_as_good(generated(sizes, shape, [0], None)) for shape in SHAPES.values()]
    worse += [assert_as_good(generated(sizes, shape, [0], 1)) for name, shape in SHAPES.items() if name != "alone"]
    assert np.mean(worse) <= 0.1  # luck goes both ways


@pytest.mark.parametrize("sizes", [SMALL, LARGE], ids=["host-bound", "device-bound"])
def test_all_ranks(sizes: dict[str, Any]) -> None:
    for name in ("data", "pipeline"):
        dp, tp, pp = SHAPES[name]
        assert_as_good(generated(sizes, SHAPES[name], range(dp * tp * pp), 0))
