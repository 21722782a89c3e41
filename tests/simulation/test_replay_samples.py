"""How near the replay of real traces comes without residuals. The bounds are today's figures, rounded up."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from simulation.replay import replay_run
from simulation.run import read_run


class Bounds(NamedTuple):
    """Amounts in percent: of the run, of each step, of the shortest step (of the run where there is none)."""

    run: float
    step: float
    device_p95: float
    unexplained: float


EXACT = Bounds(0.1, 0.15, 0.5, 0.5)
SAMPLES = {
    "hta/nccl_data": EXACT,
    "hta/ns_resolution": EXACT,
    "hta/control": Bounds(0.1, 0.15, 0.5, 0.5),
    "hta/test": Bounds(0.1, 0.2, 0.6, 1.8),
    "hta/alexnet": EXACT,
    "hta/simple_add": EXACT,
    "hta/cuda_event_sync": Bounds(0.1, 0.1, 0.15, 0.1),
    "hta/cuda_event_sync_multi_stream": EXACT,
    "hta/sampled_rank-0": Bounds(0.05, 0.1, 10.0, 0.1),  # most events were not kept: their waits cannot be seen
    "hta/sampled_rank-1": Bounds(0.05, 0.1, 10.1, 0.1),
    "deepseek/train": Bounds(0.4, 0.05, 0.5, 0.5),
    "tracelens/h100/bert-small": EXACT,
    "tracelens/h100/falconsai-nsfw": EXACT,
    "tracelens/h100/qwen1.5-0.5b": Bounds(0.05, 0.05, 0.1, 1.5),
    "tracelens/mi300/bert-small": EXACT,
    "tracelens/mi300/falconsai-nsfw": EXACT,
    "tracelens/mi300/qwen1.5-0.5b": EXACT,
}


@pytest.mark.parametrize("name", SAMPLES)
def test_it_replays_samples_without_residuals(samples: Path, name: str) -> None:
    holds(replay_run(read_run([samples / f"{name}.json.gz"])).report, SAMPLES[name])


def test_it_replays_eight_ranks_without_residuals(samples: Path) -> None:
    report = replay_run(read_run([samples / "param/dlrm_kineto.tar.gz"])).report
    holds(report, Bounds(0.2, 0.4, 0.5, 0.4))


def test_it_replays_threads_without_a_device(samples: Path) -> None:
    files = sorted((samples / "torch_cpu/ddp_2layer").glob("kineto*.json.gz"))
    report = replay_run(read_run(files)).report
    holds(report, Bounds(0.01, 0.01, 0.01, 0.01))
    assert report["edges"]["thread_handover"] >= 10


@pytest.mark.parametrize(
    ("name", "steps", "asked"), [("control", 6, 6), ("test", 6, 6), ("ns_resolution", 5, 0), ("nccl_data", 3, 0)]
)
def test_it_hands_backward_over_and_back_in_each_step(samples: Path, name: str, steps: int, asked: int) -> None:
    """The recommender accumulates the gradient of something on the host: autograd asks the calling thread for that."""
    report = replay_run(read_run([samples / f"hta/{name}.json.gz"])).report
    assert report["edges"]["thread_handover"] == 2 * steps + asked
    assert report["gap_percent"] < 10


def holds(report: dict[str, Any], bounds: Bounds) -> None:
    assert report["error_percent"] == 0 and report["start_error_ns"]["device"]["max"] == 0
    assert abs(report["error_percent_without_residuals"]) <= bounds.run
    for step in report["steps"]:
        assert abs(step["error_percent_without_residuals"]) <= bounds.step
    shortest_ns = min((step["measured_ns"] for step in report["steps"]), default=report["measured_ns"])
    p95_ns = report["start_error_ns_without_residuals"]["device"]["p95"]
    assert 100 * p95_ns / shortest_ns <= bounds.device_p95
    assert report["unexplained_percent"] <= bounds.unexplained
