"""The assessment of a run: what is left out, what is worst, and what is said of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from simulation.graph import Family, build_graph
from simulation.replay import predict, replay
from simulation.run import Run, read_run
from simulation.trust import assess
from simulation.trust.ablation import MEASURED, ablate, most_moved_percent, taken_away
from simulation.trust.errors import Yardstick, deciding_edges
from simulation.trust.verdict import checks, verdict
from simulation.trust.worst import origins, worst_events
from tests.simulation.build import Event, call, kernel, make_run, op

STEP = Event("ProfilerStep#3", "user_annotation", 1, 0, 30_000)


def waiting(late: int = 0) -> Run:
    """A step that launches, and waits for the device until its end; one kernel starts `late` without a cause."""
    return make_run(
        [
            STEP,
            call(1, 0, 10, 1),
            call(1, 20, 10, 2),
            call(1, 40, 10, 3),
            call(1, 60, 10, 4),
            kernel(7, 60, 5_000, 1),
            kernel(7, 5_060, 5_000, 2),
            Event("late", "kernel", ("stream", 7), 10_060 + late, 5_000 - late, kernel(7, 0, 0, 3).args),
            kernel(7, 15_060, 5_000, 4),
            call(1, 100, 19_980, 5, "cudaDeviceSynchronize"),
            op(1, 20_100, 9_000),
        ]
    )


def test_it_leaves_out_one_family() -> None:
    graph = build_graph(waiting())
    for family in Family:
        less = taken_away(graph, family)
        target = np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))
        kept = [edge for edge in range(graph.edges) if graph.family[edge] != family]
        assert np.repeat(np.arange(less.nodes), np.diff(less.offsets)).tolist() == target[kept].tolist()
        for name in ("source", "weight_ns", "family", "rule", "certainty"):
            assert getattr(less, name).tolist() == getattr(graph, name)[kept].tolist()


def test_a_family_never_found_is_not_one_taken_away() -> None:
    """Before residuals are settled, they make up for it; after that, they do not."""
    run = waiting(late=2_000)
    whole = build_graph(run)
    moved = 0
    for family in set(whole.family.tolist()) - set(MEASURED):
        never = build_graph(run, never_found=(Family(family),))
        assert family not in never.family
        assert (replay(never).node_ns == never.measured_ns).all()
        less = taken_away(whole, Family(family))
        assert (less.residual_ns == whole.residual_ns).all()
        moved += bool((replay(less).node_ns != whole.measured_ns).any())
    assert moved > 0


def test_a_family_that_matters_moves_the_error() -> None:
    run = waiting()
    lines = ablate(Yardstick.of(run, build_graph(run)))
    assert [line["family"] for line in lines] == [None, "launch", "stream_order", "host_sync"]
    errors = {line["family"]: line["error_percent"] for line in lines}
    assert errors[None] == 0
    assert -51 < errors["stream_order"] < -49  # the kernels run side by side, and the step waits for them
    assert errors["host_sync"] < -30  # the step does not wait: the device ends the run
    of_steps = {line["family"]: line["steps_mean_error_percent"] for line in lines}
    assert of_steps["host_sync"] > 60
    assert most_moved_percent(lines) == of_steps["host_sync"]


def test_the_path_is_that_of_the_edges_that_decide() -> None:
    run = waiting()
    graph = build_graph(run)
    times = replay(graph)
    last = Yardstick.of(run, graph).last_node(times.node_ns)
    assert times.node_ns[last] == graph.measured_ns.max() == 30_000
    path = deciding_edges(last, graph.source, times.binding).tolist()
    node, expected = last, []
    while times.binding[node] >= 0:
        expected.append(int(times.binding[node]))
        node = int(graph.source[expected[-1]])
    assert path == expected and node == 0
    assert times.weight_ns[path].sum() == 30_000
    assert {int(Family.DEVICE_WORK), int(Family.HOST_SYNC)} < set(graph.family[path].tolist())


@pytest.mark.parametrize("name", ["hta/test", "hta/control", "deepseek/train", "tracelens/h100/qwen1.5-0.5b"])
def test_errors_are_those_of_the_replays_report(name: str, samples: Path) -> None:
    run = read_run([samples / f"{name}.json.gz"])
    graph = build_graph(run)
    report = predict(run, graph).report
    errors = Yardstick.of(run, graph).errors(replay(graph, residuals=False).node_ns)
    assert errors["error_percent"] == report["error_percent_without_residuals"]
    of_steps = [abs(step["error_percent_without_residuals"]) for step in report["steps"]]
    assert errors["steps_mean_error_percent"] == pytest.approx(np.mean(of_steps), abs=1e-3)
    assert errors["device_start_error_ns"] == report["start_error_ns_without_residuals"]["device"]


def test_the_worst_events_name_what_holds_them() -> None:
    run = waiting(late=2_000)
    graph = build_graph(run)
    bare = replay(graph, residuals=False)
    worst, source = worst_events(run, bare), origins(run, bare)
    by_name: dict[str, list[int]] = {}
    for row in np.flatnonzero(graph.start_node >= 0).tolist():
        if residual := abs(int(graph.residual_ns[graph.start_node[row]])):
            by_name.setdefault(run.traces[0].name_of(row), []).append(residual)
    assert {(one["name"], one["events"], one["residual_ns"]) for one in source} == {
        (name, len(own), sum(own)) for name, own in by_name.items()
    }
    assert "late" in by_name and source == sorted(source, key=lambda one: -one["residual_ns"])
    (late,) = [event for event in worst if event["name"] == "late"]
    assert late["own_ns"] < 0 and late["bound"] == {"family": "stream_order", "rule": "after", "by": "kernel"}
    node = graph.start_node[late["row"]]
    assert late["start_error_ns"] == bare.node_ns[node] - graph.measured_ns[node]
    assert (run.traces[0].start_ns[late["row"]], late["track"]) == (late["start_ns"], "stream 7")
    assert len({event["name"] for event in worst}) == len(worst)


def figures(**changes: Any) -> dict[str, Any]:
    same = {
        "error_percent": 0.0, "error_percent_without_residuals": 0.3, "device_start_p95_percent": 0.0,
        "worst_step_error_percent_without_residuals": -0.3,
    }  # fmt: skip
    found: dict[str, Any] = {
        "placed": "recorded",
        "identity": same | changes.pop("identity", {}),
        "path": {"unexplained_percent": 1.2, "gap_percent": 10.0, "families": {"thread_order": 60.0}},
        "others": {"mean_error_percent": None, "naive_mean_error_percent": None, "unlike": []},
        "moved_percent": 7.0,
        "telling": True,
    }
    found |= changes
    return found | {"checks": checks(found)}


def test_the_verdict_is_plain() -> None:
    said = verdict(figures())
    assert said["level"] == "good"
    assert said["sentences"][:2] == [
        "With its own durations the run replays within 0.30 %, each step within 0.30 %.",
        "1.20 % of the critical path is not explained by any dependency.",
    ]


def test_a_run_of_host_gaps_says_little() -> None:
    path = {"unexplained_percent": 0.0, "gap_percent": 97.2, "families": {"thread_order": 99.0}}
    said = verdict(figures(path=path, telling=False, moved_percent=0.1))
    assert said["level"] == "untested"
    assert "says little about the model: 97.2 % of its critical path is host gap" in said["sentences"][-1]


@pytest.mark.parametrize(
    ("changes", "missed"),
    [
        ({"identity": {"error_percent": -0.6}}, "identity"),
        ({"identity": {"error_percent_without_residuals": -2.1}}, "identity_without_residuals"),
        ({"identity": {"device_start_p95_percent": 0.6}}, "device_start_p95"),
        ({"path": {"unexplained_percent": 2.1, "gap_percent": 0, "families": {}}}, "unexplained"),
        ({"others": {"mean_error_percent": 2.6, "naive_mean_error_percent": 2.0}}, "step_from_others"),
    ],
)
def test_a_limit_that_is_missed_limits_the_trust(changes: dict[str, Any], missed: str) -> None:
    found = figures(**changes)
    assert [check["name"] for check in found["checks"] if not check["is_kept"]] == [missed]
    assert verdict(found)["level"] == "limited"


def test_times_that_were_not_recorded_cannot_be_trusted(samples: Path) -> None:
    found = assess(read_run(sorted((samples / "astra_sim/all_gather/4npus_1MB").glob("*.et"))))
    assert found["verdict"]["level"] == "none"


def test_the_whole_assessment_is_json(demo_files: list[Path]) -> None:
    stages = []
    found = assess(read_run(demo_files), lambda stage, done, total: stages.append((stage, done, total)))
    assert json.loads(json.dumps(found)) == found
    assert stages == [("validating", n, 5) for n in range(5)]
    assert len(found["others"]["steps"]) == 10
    assert sum(line["edges"] for line in found["edges"]) == found["ablation"][0]["edges"]


@pytest.mark.parametrize(("name", "telling"), [("hta/ns_resolution", True), ("tracelens/h100/bert-small", False)])
def test_it_knows_which_samples_test_the_model(samples: Path, name: str, telling: bool) -> None:
    found = assess(read_run([samples / f"{name}.json.gz"]))
    assert found["telling"] is telling
    assert found["verdict"]["level"] == ("good" if telling else "untested")
