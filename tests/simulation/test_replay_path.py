"""The critical path: its causes, names and steps, and where the time of a step goes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.events import Kind
from simulation.graph import Family, Rule, TaskGraph, build_graph
from simulation.replay import critical_path, last_node, predict, replay, replay_run
from simulation.replay.causes import CAUSES, Rows, all_causes
from simulation.replay.path import CriticalPath, by_cause, by_name, by_rank, path_causes
from simulation.replay.scenarios import may_end
from simulation.replay.slack import row_slack, run_slack
from simulation.run import Run, read_run
from tests.simulation.build import Event, call, kernel, make_run, op
from tests.simulation.machine import Machine, Step
from tests.simulation.programs import programs

NCCL = "ncclDevKernel_AllReduce_Sum_f32_RING_LL(ncclDevComm*)"

EVENTS = [
    Event("ProfilerStep#3", "user_annotation", 1, 0, 20_000),
    op(1, 0, 50, "aten::mm"),
    call(1, 0, 10, 1),
    kernel(7, 60, 10_000, 1),
    call(1, 100, 9_970, 2, "cudaDeviceSynchronize"),
    op(1, 21_000, 1_000, "late"),
]


def path_of(run: Run) -> tuple[Rows, CriticalPath]:
    graph = build_graph(run)
    times = replay(graph)
    return Rows(run, graph), critical_path(times, last_node(times))


def causes_of(run: Run) -> dict[str, int]:
    rows, path = path_of(run)
    return {part["cause"]: part["ns"] for part in by_cause(path, path_causes(path, rows))}


def test_it_says_what_the_path_is_spent_on() -> None:
    assert causes_of(make_run(EVENTS)) == {
        "compute": 10_000,
        "launch": 60,
        "sync": 10,
        "host_op": 20_000 - 10_070 + 1_000,
        "host_gap": 1_000,
    }


def test_it_names_the_events_of_the_path() -> None:
    rows, path = path_of(make_run(EVENTS))
    found = {(part["cause"], part["name"]): part["ns"] for part in by_name(path, path_causes(path, rows), rows)}
    assert found["host_op", "ProfilerStep#3"] == 20_000 - 10_070
    assert found["host_op", "late"] == 1_000
    assert found["compute", "kernel"] == 10_000
    assert found["host_gap", ""] == 1_000


def test_it_tells_communication_and_copies_apart() -> None:
    nccl = Event(NCCL, "kernel", ("stream", 7), 60, 10_000, {"device": 0, "stream": 7, "correlation": 1})
    assert causes_of(make_run([call(1, 0, 10, 1), nccl]))["communication"] == 10_000
    assert causes_of(make_run([call(1, 0, 10, 1), kernel(7, 60, 10_000, 1, "gpu_memcpy")]))["copy"] == 10_000


def test_it_calls_what_no_edge_explains_residual() -> None:
    run = make_run([op(1, 0, 10), kernel(7, 500, 100), kernel(7, 700, 300)])
    assert causes_of(run) == {"pinned": 500, "compute": 400, "residual": 100}


@given(programs(), st.integers(0, 4_000))
@settings(max_examples=25)
def test_its_causes_add_up(program: list[list[Step]], jitter_ns: int) -> None:
    run = make_run(list(Machine(jitter_ns=jitter_ns).run(program).values()))
    rows, path = path_of(run)
    causes = path_causes(path, rows)
    assert path.length_ns == int(path.times.node_ns.max())
    for times in (path.bounds_ns[1:, 0], path.bounds_ns[:-1, 1]):
        assert len(times) == len(path.edges) - 1
    assert (path.bounds_ns[1:, 0] == path.bounds_ns[:-1, 1]).all()
    assert sum(part["ns"] for part in by_cause(path, causes)) == path.length_ns
    moved = int(path.moved_ns.sum())
    assert sum(part["ns"] for part in by_name(path, causes, rows)) == path.length_ns - moved
    assert sum(part["ns"] for part in by_rank(path, causes, rows)) == path.length_ns


def slow_cause(run: Run, graph: TaskGraph, edge: int, target: int) -> tuple[str, int]:
    """By looking at each row in turn; of the families that these programs have."""
    table = run.traces[0]
    family = Family(graph.family[edge])
    if family != Family.THREAD_ORDER:
        row = next(row for row in range(len(table)) if target in (graph.start_node[row], graph.end_node[row]))
        simple = {Family.LAUNCH: "launch", Family.STREAM_ORDER: "stream_gap", Family.HOST_SYNC: "sync"}
        simple |= {Family.VIRTUAL_START: "pinned"}
        kinds = {"kernel": "compute", "gpu_memcpy": "copy"}
        return simple.get(family) or kinds[table.category_of(row)], row
    before, after = (int(graph.measured_ns[node]) for node in (graph.source[edge], target))
    track = next(
        table.track[row] for row in range(len(table)) if target in (graph.start_node[row], graph.end_node[row])
    )
    # Open between the two nodes, in their order: boundaries at one instant are told apart by number.
    open_ = [
        row
        for row in range(len(table))
        if table.track[row] == track and table.kind[row] == Kind.SLICE
        and graph.start_node[row] <= graph.source[edge] and graph.end_node[row] >= target
        and graph.start_node[row] != graph.end_node[row]
    ]  # fmt: skip
    assert before <= after
    if not open_:
        return "host_gap", -1
    inner = max(open_, key=lambda row: table.depth[row])
    return ("runtime_call" if table.category_of(inner) == "cuda_runtime" else "host_op"), inner


@given(programs())
@settings(max_examples=15)
def test_every_edge_has_its_cause(program: list[list[Step]]) -> None:
    run = make_run(list(Machine(jitter_ns=300).run(program).values()))
    graph = build_graph(run)
    found = all_causes(Rows(run, graph))
    for target in range(graph.nodes):
        for edge in range(graph.offsets[target], graph.offsets[target + 1]):
            if graph.measured_ns[graph.source[edge]] == graph.measured_ns[target]:
                continue  # no time passes: of two slices without length at one instant neither is the inner one
            expected = slow_cause(run, graph, edge, target)
            assert (CAUSES[found.cause[edge]], found.row[edge]) == expected


def meeting_graph() -> tuple[Run, TaskGraph]:
    """A communication kernel on each of two ranks, ending 300 ns after both have come: that node belongs to no row."""
    nccl = [
        Event(NCCL, "kernel", ("stream", 7), start, 2_300 - start, {"device": 0, "stream": 7}) for start in (500, 2_000)
    ]
    run = make_run([op(1, 0, 10), nccl[0]], [op(1, 0, 10), nccl[1]])
    device = np.flatnonzero(np.concatenate([table.is_device for table in run.traces]))
    start, end = np.full(4, -1, np.int32), np.full(4, -1, np.int32)
    start[device], end[device] = [1, 2], [4, 5]
    graph = build_graph(run)
    work, pinned = int(Family.DEVICE_WORK), int(Family.VIRTUAL_START)
    return run, replace(
        graph,
        offsets=np.array([0, 0, 1, 2, 4, 5, 6]),  # root, starts, meeting, ends
        source=np.array([0, 0, 1, 2, 3, 3], np.int32),
        weight_ns=np.array([500, 2_000, 0, 0, 300, 300]),
        family=np.array([pinned, pinned, work, work, work, work], np.uint8),
        rule=np.array([Rule.PINNED, Rule.PINNED, *[Rule.DURATION] * 4], np.uint8),
        certainty=np.full(6, 4, np.uint8),
        measured_ns=np.array([0, 500, 2_000, 2_000, 2_300, 2_300]),
        residual_ns=np.zeros(6, np.int64),
        start_node=start,
        end_node=end,
    )


def test_a_path_may_lead_over_a_node_of_no_row() -> None:
    run, graph = meeting_graph()
    times, rows = replay(graph), Rows(run, graph)
    path = critical_path(times, last_node(times))
    causes = path_causes(path, rows)
    assert path.length_ns == 2_300
    found = {part["cause"]: part["ns"] for part in by_cause(path, causes)}
    assert found["pinned"] == 2_000 and found["communication"] == 300
    assert [(part["rank"], part["ns"]) for part in by_rank(path, causes, rows)] == [(0, 300), (1, 2_000)]
    slack = row_slack(times, run_slack(times, may_end(graph)))
    device = graph.start_node >= 0
    assert slack[device].tolist() == [0, 0] and (slack[~device] == -1).all()
    starts = run_slack(times, may_end(graph))[graph.start_node[device]]
    assert starts.tolist() == [1_500, 0]  # the early rank might have come later


def test_a_path_may_begin_with_a_step() -> None:
    run = make_run([op(1, 0, 500), Event("ProfilerStep#1", "user_annotation", 1, 1_000, 2_000), op(1, 1_500, 100)])
    report = replay_run(run).report
    for mode in ("measured", "replayed"):
        (step,) = report["critical_path"][mode]["steps"]
        assert (step["name"], step["length_ns"]) == ("ProfilerStep#1", 2_000)
        assert step["causes"] == [{"cause": "host_op", "ns": 2_000, "percent": 100.0}]


def test_a_segment_is_cut_where_the_path_begins() -> None:
    run = make_run([op(1, 0, 10), kernel(7, 500, 1_000), kernel(7, 1_700, 300)])
    times = replay(build_graph(run))
    path = critical_path(times, last_node(times), 900)
    rows = Rows(run, times.graph)
    assert path.length_ns == 1_100
    parts = {part["cause"]: part["ns"] for part in by_cause(path, path_causes(path, rows))}
    assert parts == {"compute": 900, "residual": 200}
    late = critical_path(times, last_node(times), 1_600)  # within what the residual moved
    assert {part["cause"]: part["ns"] for part in by_cause(late, path_causes(late, rows))} == {
        "compute": 300,
        "residual": 100,
    }


def test_it_divides_a_step_into_parts() -> None:
    nccl = Event(NCCL, "kernel", ("stream", 9), 5_000, 10_000, {"device": 0, "stream": 9, "correlation": 2})
    copy = kernel(11, 16_000, 8_000, 3, "gpu_memcpy")
    run = make_run([*EVENTS, call(1, 20, 5, 2), call(1, 30, 5, 3), nccl, copy])
    whole, step = replay_run(run).report["breakdown"]
    assert (whole["step"], step["step"], step["rank"]) == (None, "ProfilerStep#3", 0)
    parts = {"exposed_compute_ns": 4_940, "exposed_communication_ns": 4_940, "overlapped_ns": 5_060}
    assert step["measured"] == step["predicted"] == {"total_ns": 20_000, **parts, "other_ns": 5_060}
    assert whole["measured"] == {"total_ns": 24_000 - 60, **parts, "other_ns": 24_000 - 15_000}


def test_parts_of_every_step_add_up(demo_files: list[Path]) -> None:
    report = replay_run(read_run(demo_files)).report
    assert len(report["breakdown"]) in (0, 12)  # per rank the device's span and five steps, where there is a device
    for line in report["breakdown"]:
        for mode in ("measured", "predicted"):
            total, *parts = line[mode].values()
            assert total == sum(parts)


def test_it_finds_the_parts_that_deepseek_tells(samples: Path) -> None:
    report = replay_run(read_run([samples / "deepseek" / "train.json.gz"])).report
    whole = report["breakdown"][0]["measured"]
    assert {name: round(ns / 1e6, 2) for name, ns in whole.items()} == {
        "total_ns": 129.01,
        "exposed_compute_ns": 15.06,  # 124.31 of computing, 109.25 of it beside communication
        "exposed_communication_ns": 4.19,
        "overlapped_ns": 109.25,
        "other_ns": 0.51,
    }


@pytest.mark.parametrize("name", ["hta/control", "hta/ns_resolution", "deepseek/train"])
def test_the_paths_of_samples_add_up(name: str, samples: Path) -> None:
    run = read_run([samples / f"{name}.json.gz"])
    graph = build_graph(run)
    report = predict(run, graph).report
    for mode in ("measured", "replayed"):
        path = report["critical_path"][mode]
        assert sum(part["ns"] for part in path["causes"]) == path["length_ns"]
        for step in path["steps"]:
            assert sum(part["ns"] for part in step["causes"]) == step["length_ns"]
    assert report["critical_path"]["measured"]["length_ns"] == graph.measured_ns[may_end(graph)].max()
