"""Generated training steps with other durations: the graph of one, against the generator's truth of the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulation.graph import build_graph
from simulation.replay import predict
from simulation.run import Run
from simulation.workload import Workload, tables

SMALL: dict[str, Any] = {"layers": 4, "hidden": 1024, "heads": 16, "sequence": 1024, "steps": 3, "micro_batches": 2}
ALONE, DATA, TENSOR, ALL = (
    {"dp": dp, "tp": tp, "pp": pp} for dp, tp, pp in ((1, 1, 1), (2, 1, 1), (1, 2, 1), (2, 2, 2))
)


@pytest.mark.parametrize("ranks", [ALONE, DATA, TENSOR, ALL])
@pytest.mark.parametrize("change", [{"device": "A100"}, {"sequence": 4096}, {"sequence": 256}])
def test_it_predicts_steps_with_other_device_durations(ranks: dict[str, int], change: dict[str, Any]) -> None:
    """Of the first rank; its collectives last as in the other run: what they wait for is on other ranks."""
    document = {**SMALL, **ranks}
    measured, other = (next(iter(tables(Workload.of({**document, **more})))) for more in ({}, change))
    durations = np.empty(len(measured), np.int64)
    durations[np.argsort(measured.source_index)] = other.dur_ns[np.argsort(other.source_index)]
    run = Run.of([measured])
    report = predict(run, build_graph(run), np.where(measured.is_device, durations, measured.dur_ns)).report
    assert report["quality"] == []
    for step, row in zip(report["steps"], np.asarray(other.sides["steps"]["row"]).tolist(), strict=True):
        assert abs(step["predicted_ns"] / int(other.dur_ns[row]) - 1) <= 0.005
