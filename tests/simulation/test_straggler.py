"""Slow one rank of a generated job, and predict that from the recording in which it was not slow.

Two implementations of one thing: the generator's machine runs the slowed job; replay knows only what the other run's
profilers would have written.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulation.analysis.waiting import Waits, stragglers
from simulation.graph import build_graph
from simulation.rendezvous import find
from simulation.replay import replay
from simulation.replay.prediction import row_times
from simulation.run import Run, measured_times
from simulation.workload import Workload, generated_run

SLOW, FACTOR = 1, 1.5
SHAPES = [
    {"dp": 4, "tp": 1, "pp": 1},
    {"dp": 1, "tp": 4, "pp": 1},
    {"dp": 1, "tp": 1, "pp": 4},
    {"dp": 2, "tp": 2, "pp": 2},
]


@pytest.mark.parametrize("jitter", [0.0, 0.03])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_predicts_what_a_slow_rank_costs(shape: dict[str, int], jitter: float) -> None:
    spec = Workload(
        layers=4, hidden=2048, heads=16, sequence=1024, micro_batches=4, steps=2, jitter=jitter, skew_us=300.0, **shape
    )  # fmt: skip
    run = generated_run(spec)
    graph, met = build_graph(run), find(run)
    durations = graph.durations_ns
    kernels = np.zeros(len(durations), bool)
    kernels[run.row_base[SLOW] : run.row_base[SLOW + 1]] = True
    kernels[met.row] = False
    durations[kernels] = np.rint(durations[kernels] * FACTOR).astype(np.int64)
    times = row_times(run.aligned(), replay(graph, durations))
    predicted = steps_ns(run, *times)
    truth = generated_run(replace(spec, straggler=SLOW, straggler_factor=FACTOR))
    true_times = measured_times(truth.aligned())
    assert predicted == pytest.approx(steps_ns(truth, *true_times), rel=0.01)
    waits, true_waits = Waits.of(met, *times), Waits.of(find(truth), *true_times)
    assert int(waits.wait_ns.sum()) == pytest.approx(int(true_waits.wait_ns.sum()), rel=0.02)
    assert stragglers(run, waits)[0]["rank"] == stragglers(truth, true_waits)[0]["rank"]
    assert predicted != pytest.approx(steps_ns(run, *measured_times(run.aligned())), rel=0.02)


def steps_ns(run: Run, start_ns: np.ndarray, end_ns: np.ndarray) -> list[int]:
    """How long each step of each rank takes."""
    rows = np.concatenate([
        np.asarray(table.sides["steps"]["row"]) + base for table, base in zip(run.traces, run.row_base, strict=False)
    ])  # fmt: skip
    return [int(dur) for dur in end_ns[rows] - start_ns[rows]]
