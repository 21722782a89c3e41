"""Two runs side by side."""

from pathlib import Path

import numpy as np

from simulation.diff import compare_runs, pair
from simulation.graph import build_graph
from simulation.replay import predict, replay_run
from simulation.run import Run
from tests.simulation.build import Event, call, kernel, make_run


def step(number: int, start: int, dur: int) -> Event:
    return Event(f"ProfilerStep#{number}", "user_annotation", 1, start, dur)


BUSY = [
    step(4, 1_000, 500),
    call(1, 1_000, 10, 1),
    kernel(7, 1_060, 300, 1),
    call(1, 1_100, 300, 2, "cudaDeviceSynchronize"),
    step(5, 1_600, 100),
]


def slower(run: Run, factor: int) -> Run:
    durations = np.where(run.traces[0].is_device, factor * run.traces[0].dur_ns, run.traces[0].dur_ns)
    return predict(run, build_graph(run), durations).predicted


def test_it_pairs_a_prediction_with_its_run_by_origin() -> None:
    run = make_run(BUSY)
    comparison = compare_runs(run, replay_run(run))
    assert comparison["pairing"] == {"by": "origin", "coverage_percent": 100.0}
    assert comparison["total"] == {"a_ns": 700, "b_ns": 700, "error_percent": 0.0}
    assert [entry["error_percent"] for entry in comparison["steps"]] == [0.0, 0.0]


def test_it_gives_each_step_in_both_runs() -> None:
    run = make_run(BUSY)
    comparison = compare_runs(run, slower(run, 2))
    assert comparison["total"] == {"a_ns": 700, "b_ns": 1_000, "error_percent": 42.8571}
    assert comparison["steps"] == [
        {"trace": 0, "rank": 0, "name": "ProfilerStep#4", "a": [0, 500], "b": [0, 800], "error_percent": 60.0},
        {"trace": 0, "rank": 0, "name": "ProfilerStep#5", "a": [600, 700], "b": [900, 1_000], "error_percent": 0.0},
    ]


def test_it_pairs_two_predictions_of_one_run() -> None:
    run = make_run(BUSY)
    assert pair(slower(run, 2), slower(run, 3)).by == "origin"


def test_it_pairs_a_run_with_itself_read_again(tmp_path: Path) -> None:
    run = make_run(BUSY)
    run.save(tmp_path)
    assert pair(Run.open(tmp_path), run).by == "origin"


def test_it_pairs_steps_of_two_measured_runs_by_rank_and_order() -> None:
    first = make_run([step(1, 0, 100), step(2, 100, 100), step(3, 200, 100)], [step(1, 0, 100)])
    second = make_run([step(7, 0, 150), step(8, 150, 100)])
    comparison = compare_runs(first, second)
    assert comparison["pairing"] == {"by": "none", "coverage_percent": 0.0}
    assert [(entry["name"], entry["rank"], entry["error_percent"]) for entry in comparison["steps"]] == [
        ("ProfilerStep#1", 0, 50.0),
        ("ProfilerStep#2", 0, 0.0),
    ]
    assert comparison["total"]["a_ns"] == 300 and comparison["total"]["b_ns"] == 250


def test_it_compares_runs_without_steps() -> None:
    first, second = make_run([call(1, 0, 10)]), make_run([call(1, 0, 20)])
    assert compare_runs(first, second)["steps"] == []
    assert compare_runs(first, second)["total"]["error_percent"] == 100.0
