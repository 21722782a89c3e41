"""Replay of whole runs: the figures, the stored prediction, and the sample traces."""

import json
import tarfile
from pathlib import Path

import numpy as np
import pytest

from simulation.errors import StoreError
from simulation.events import Kind
from simulation.graph import build_graph
from simulation.replay import Prediction, critical_path, last_node, predict, replay, replay_run
from simulation.run import Run, read_run
from tests.simulation.build import Event, annotation, call, instant, kernel, make_run, op

STEP = Event("ProfilerStep#3", "user_annotation", 1, 0, 20_000)

EVENTS = [
    STEP,
    call(1, 0, 10, 1),
    kernel(7, 60, 10_000, 1),
    call(1, 100, 9_970, 2, "cudaDeviceSynchronize"),
    op(1, 21_000, 1_000),
    annotation(7, 60, 10_000),
]

KEYS = {
    "measured_ns", "predicted_ns", "error_percent", "error_percent_without_residuals", "steps", "start_error_ns",
    "unexplained_percent", "gap_percent", "edges", "events",
}  # fmt: skip

SAMPLES = [
    "hta/nccl_data", "hta/ns_resolution", "hta/control", "hta/test", "hta/alexnet", "hta/simple_add",
    "hta/cuda_event_sync", "hta/cuda_event_sync_multi_stream", "hta/sampled_rank-0", "hta/sampled_rank-1",
    "deepseek/train", "tracelens/h100/bert-small", "tracelens/h100/falconsai-nsfw", "tracelens/h100/qwen1.5-0.5b",
    "tracelens/mi300/bert-small", "tracelens/mi300/falconsai-nsfw", "tracelens/mi300/qwen1.5-0.5b",
]  # fmt: skip


def assert_lanes_do_not_overlap(prediction: Prediction) -> None:
    for trace, table in enumerate(prediction.run.traces):
        start = prediction.start_ns[trace]
        end = start + prediction.dur_ns[trace]
        lane = np.repeat(np.arange(len(table.lane_offsets) - 1), np.diff(table.lane_offsets))
        rows = np.flatnonzero(table.kind == Kind.SLICE)
        together = lane[rows[:-1]] == lane[rows[1:]]
        assert (end[rows[:-1]] <= start[rows[1:]])[together].all()
        assert (prediction.dur_ns[trace] >= 0).all()


def test_it_reports_the_figures_that_are_promised() -> None:
    report = replay_run(make_run(EVENTS)).report
    assert report.keys() >= KEYS
    assert json.loads(json.dumps(report)) == report
    assert report["measured_ns"] == report["predicted_ns"] == 22_000
    assert report["steps"][0]["name"] == "ProfilerStep#3" and report["steps"][0]["rank"] == 0
    assert report["start_error_ns"].keys() == {"device", "host"}
    assert report["events"] == 6


def test_it_reports_signed_errors_of_the_run_and_its_steps() -> None:
    run = make_run(EVENTS)
    durations = np.where(run.traces[0].is_device, 2 * run.traces[0].dur_ns, run.traces[0].dur_ns)
    report = predict(run, build_graph(run), durations).report
    assert report["predicted_ns"] == 32_000
    assert report["error_percent"] == pytest.approx(100 * 10_000 / 22_000, abs=1e-4)
    assert report["steps"] == [
        {
            "rank": 0,
            "name": "ProfilerStep#3",
            "measured_ns": 20_000,
            "predicted_ns": 30_000,
            "error_percent": 50.0,
            "error_percent_without_residuals": 50.0,
        }
    ]
    assert report["start_error_ns"]["host"] == {"mean": 2_500, "p95": 10_000, "max": 10_000}
    assert report["start_error_ns"]["device"] == {"mean": 0, "p95": 0, "max": 0}


def test_it_shares_the_critical_path_out() -> None:
    run = make_run(EVENTS)
    report = replay_run(run).report
    assert report["gap_percent"] == pytest.approx(100 * 1_000 / 22_000, abs=1e-4)
    assert report["unexplained_percent"] == 0


def test_it_calls_what_nothing_explains_unexplained() -> None:
    run = make_run([op(1, 0, 10), kernel(7, 500, 100), kernel(7, 700, 300)])
    graph = build_graph(run)
    times = replay(graph)
    path = critical_path(times, last_node(times))
    assert path.length_ns == 1_000 and path.residual_ns == 100
    assert path.unexplained_percent == pytest.approx(60)
    assert replay_run(run).report["error_percent_without_residuals"] == pytest.approx(-10)


def test_it_replays_a_run_without_slices() -> None:
    report = replay_run(make_run([instant(1, 5)])).report
    assert report["measured_ns"] == 0 and report["steps"] == [] and report["gap_percent"] == 0


def test_it_moves_each_rank_on_its_own_clock() -> None:
    run = make_run(EVENTS, [op(1, 5_000, 100), call(1, 5_200, 10, 1), kernel(7, 5_300, 50, 1)])
    durations = np.concatenate([table.dur_ns * (1 + 2 * table.is_device) for table in run.traces])
    prediction = predict(run, build_graph(run), durations)
    first, second = (run.traces[trace].is_device for trace in (0, 1))
    assert prediction.start_ns[0][first].tolist() == [60] and prediction.dur_ns[0][first].tolist() == [30_000]
    assert prediction.start_ns[1][second].tolist() == [5_300] and prediction.dur_ns[1][second].tolist() == [150]
    assert prediction.predicted.traces[1].end_ns.max() == 5_450
    assert prediction.table(1).name_of(0) == run.traces[1].name_of(0)


def test_it_opens_what_it_saved(tmp_path: Path) -> None:
    run = make_run(EVENTS, [op(1, 0, 5)])
    prediction = replay_run(run)
    prediction.save(tmp_path)
    opened = Prediction.open(tmp_path, run)
    assert opened.report == prediction.report
    assert [part.tolist() for part in opened.start_ns] == [part.tolist() for part in prediction.start_ns]
    assert [part.tolist() for part in opened.dur_ns] == [part.tolist() for part in prediction.dur_ns]


def test_it_refuses_a_prediction_of_another_run(tmp_path: Path) -> None:
    replay_run(make_run(EVENTS)).save(tmp_path)
    with pytest.raises(StoreError, match="of another run"):
        Prediction.open(tmp_path, make_run([*EVENTS, op(1, 30_000, 5)]))
    with pytest.raises(StoreError):
        Prediction.open(tmp_path / "nowhere", make_run(EVENTS))


def test_it_refuses_a_prediction_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(EVENTS)
    replay_run(run).save(tmp_path)
    monkeypatch.setattr("simulation.replay.prediction.PREDICTION_VERSION", 99)
    with pytest.raises(StoreError, match="version 1, not 99"):
        Prediction.open(tmp_path, run)


def test_it_replays_the_demo_run(demo_files: list[Path]) -> None:
    prediction = replay_run(read_run(demo_files))
    assert prediction.report["error_percent"] == 0
    assert len(prediction.report["steps"]) == 10
    assert {step["rank"] for step in prediction.report["steps"]} == {0, 1}


def assert_faithful(run: Run) -> None:
    prediction = replay_run(run)
    report = prediction.report
    assert report["error_percent"] == 0
    assert all(step["error_percent"] == 0 for step in report["steps"])
    assert report["start_error_ns"]["device"]["max"] == report["start_error_ns"]["host"]["max"] == 0
    assert abs(report["error_percent_without_residuals"]) < 5
    assert_lanes_do_not_overlap(prediction)


@pytest.mark.parametrize("name", SAMPLES)
def test_it_reproduces_the_samples(name: str, samples: Path) -> None:
    assert_faithful(read_run([samples / f"{name}.json.gz"]))


def test_it_reproduces_eight_ranks(samples: Path, tmp_path: Path) -> None:
    with tarfile.open(samples / "param" / "dlrm_kineto.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    run = read_run(sorted(tmp_path.rglob("*.json")))
    assert len(run.traces) == 8
    assert_faithful(run)


@pytest.mark.parametrize("factor", [0, 3])
@pytest.mark.parametrize("name", ["hta/test", "hta/alexnet", "deepseek/train", "tracelens/h100/qwen1.5-0.5b"])
def test_it_keeps_the_lanes_of_samples_when_durations_change(name: str, factor: int, samples: Path) -> None:
    run = read_run([samples / f"{name}.json.gz"])
    assert_lanes_do_not_overlap(predict(run, build_graph(run), run.traces[0].dur_ns * factor))


def test_it_finds_that_a_full_launch_queue_holds_the_host_up(samples: Path) -> None:
    run = read_run([samples / "hta" / "ns_resolution.json.gz"])
    durations = np.where(run.traces[0].is_device, 2 * run.traces[0].dur_ns, run.traces[0].dur_ns)
    steps = predict(run, build_graph(run), durations).report["steps"]
    assert [step["name"] for step in steps[3:]] == ["ProfilerStep#104", "ProfilerStep#105"]
    assert all(97 < step["error_percent"] < 100 for step in steps[3:])  # the device is busy 98.8 % of these steps
