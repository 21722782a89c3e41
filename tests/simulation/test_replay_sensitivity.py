"""Sensitivity: groups, and gains against single replays."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from simulation.graph import TaskGraph, build_graph
from simulation.replay import replay
from simulation.replay.causes import Rows, all_causes
from simulation.replay.groups import NO_GROUP, Grouping, groupings
from simulation.replay.scenarios import may_end, scaled
from simulation.replay.sensitivity import sensitivity
from simulation.run import Run, read_run
from tests.simulation.build import Event, call, kernel, make_run, op
from tests.simulation.machine import Machine, Step
from tests.simulation.programs import programs

STEP = Event("ProfilerStep#1", "user_annotation", 1, 0, 20_000)
GEMM = Event("gemm", "kernel", ("stream", 7), 60, 10_000, {"device": 0, "stream": 7, "correlation": 1})
COPY = Event("Memcpy DtoH", "gpu_memcpy", ("stream", 7), 10_060, 1_000, {"device": 0, "stream": 7, "correlation": 2})
EVENTS = [
    STEP,
    op(1, 10, 40, "aten::mm"),
    call(1, 20, 10, 1),
    GEMM,
    call(1, 50, 10, 2, "cudaMemcpyAsync"),
    COPY,
    call(1, 100, 10_970, 3, "cudaDeviceSynchronize"),
]


def groups(run: Run) -> dict[str, Grouping]:
    rows = Rows(run, build_graph(run))
    return {grouping.kind: grouping for grouping in groupings(rows, all_causes(rows))}


def test_it_groups_what_the_device_did_by_kernel_and_operator() -> None:
    found = groups(make_run(EVENTS))
    assert set(found["kernel"].names) == {"gemm", "Memcpy DtoH"}
    assert found["operator"].names == ["aten::mm"]  # the copy was not called by an operator
    assert found["module"].names == [] and found["collective"].names == []
    assert {"cudaLaunchKernel", "aten::mm", "ProfilerStep#1"} <= set(found["host"].names)
    assert set(found["gap"].names) >= {"launch", "sync", "stream_gap", "host_gap"}


def test_work_and_gaps_make_up_all_edges() -> None:
    found = groups(make_run(EVENTS))
    taken = sum((found[kind].of_edge >= 0).astype(int) for kind in ("kernel", "host", "gap"))
    assert (taken == 1).all()


def test_it_groups_communication_by_process_group() -> None:
    args = {"device": 0, "stream": 9, "correlation": 4}
    told = args | {"Collective name": "allreduce", "Process Group Name": "3", "Process Group Ranks": "[0, 1]"}
    nccl = "ncclDevKernel_AllReduce_Sum_f32_RING_LL(ncclDevComm*)"
    events = [
        *EVENTS,
        Event(nccl, "kernel", ("stream", 9), 12_000, 500, told),
        Event(nccl, "kernel", ("stream", 9), 13_000, 500, args | {"correlation": 5}),
    ]
    assert set(groups(make_run(events))["collective"].names) == {"allreduce in 3 [0, 1]", NO_GROUP}


def test_it_groups_by_modules_where_they_are_recorded(samples: Path) -> None:
    found = groups(read_run([samples / "tracelens" / "h100" / "qwen1.5-0.5b.json.gz"]))
    assert "Qwen2Model_0.Qwen2DecoderLayer_0.Qwen2MLP_0" in found["module"].names


def single_gain(run: Run, graph: TaskGraph, entry: dict[str, Any], factor: float) -> tuple[int | None, int]:
    """(median gain of steps, gain of the run), by replays of their own."""
    rows = Rows(run, graph)
    grouping = next(one for one in groupings(rows, all_causes(rows)) if one.kind == entry["kind"])
    mine = grouping.of_edge == list(grouping.names).index(entry["name"])
    weight_ns = graph.weight_ns.copy()
    weight_ns[mine] = scaled(weight_ns[mine], np.array(factor))
    before, after = replay(graph).node_ns, replay(graph, weight_ns=weight_ns).node_ns
    ends = may_end(graph)
    steps = np.asarray(run.traces[0].sides["steps"]["row"])
    start, end = graph.start_node[steps], graph.end_node[steps]
    gains = sorted(((before[end] - before[start]) - (after[end] - after[start])).tolist())
    return (gains[(len(gains) - 1) // 2] if gains else None), int(before[ends].max() - after[ends].max())


def assert_gains(run: Run) -> None:
    graph = build_graph(run)
    for entry in sensitivity(run, graph)["entries"]:
        for factor, figure in ((0.99, "gain_ns_per_percent"), (0.0, "bound_ns")):
            step, whole = single_gain(run, graph, entry, factor)
            assert entry["run"][figure] == whole
            assert (entry["step"] and entry["step"][figure]) == step


@given(programs())
@settings(max_examples=10)
def test_its_gains_are_those_of_single_replays(program: list[list[Step]]) -> None:
    assert_gains(make_run(list(Machine(jitter_ns=500).run(program).values())))


def test_it_counts_steps_by_their_median() -> None:
    later = [
        Event(event.name, event.category, event.where, event.start + shift, event.dur, event.args | ids)
        for shift, base in ((30_000, 10), (70_000, 20))
        for event in EVENTS
        for ids in [{"correlation": base + event.args["correlation"]} if "correlation" in event.args else {}]
    ]
    run = make_run([*EVENTS, *later])
    assert_gains(run)
    figures = sensitivity(run, build_graph(run))
    assert (figures["steps"], figures["step_ns"]) == (3, 20_000)
    best = figures["entries"][0]
    assert (best["kind"], best["name"]) == ("kernel", "gemm")
    assert best["step"] == {
        "gain_ns_per_percent": 100,
        "gain_percent_per_percent": 0.5,
        "bound_ns": 10_060 - 90,  # then the copy starts as soon as its own call allows
        "bound_percent": 49.85,
    }
    table = run.traces[0]
    assert best["longest"]["trace"] == 0 and table.name_of(best["longest"]["row"]) == "gemm"
    assert next(entry for entry in figures["entries"] if entry["name"] == "host_gap")["longest"] is None
    assert (best["events"], best["total_ns"], best["share_percent"]) == (3, 30_000, round(100 * 30 / 33, 4))


def test_it_ranks_by_gain_and_counts_what_it_leaves_out() -> None:
    run = make_run(EVENTS)
    figures = sensitivity(run, build_graph(run), most=1)
    assert [entry["kind"] for entry in figures["entries"]].count("kernel") == 1
    kernels = next(kind for kind in figures["kinds"] if kind["kind"] == "kernel")
    assert kernels == {"kind": "kernel", "groups": 2, "left_out": 1, "left_out_most_ns": 1_000}
    gains = [entry["step"]["gain_ns_per_percent"] for entry in figures["entries"]]
    assert gains == sorted(gains, reverse=True)


def test_without_steps_the_run_ranks() -> None:
    run = make_run(EVENTS[1:])
    figures = sensitivity(run, build_graph(run))
    assert figures["step_ns"] is None and figures["run_ns"] == 11_060
    assert figures["entries"][0]["name"] == "gemm" and figures["entries"][0]["step"] is None


def test_a_run_of_one_instant_has_nothing_to_gain() -> None:
    run = make_run([Event("[memory]", "cpu_instant_event", 1, 5, None)])
    assert [entry["kind"] for entry in sensitivity(run, build_graph(run))["entries"]] in ([], ["gap"])


@pytest.mark.parametrize("name", ["hta/ns_resolution", "tracelens/h100/bert-small"])
def test_nothing_gains_more_than_it_costs(name: str, samples: Path) -> None:
    run = read_run([samples / f"{name}.json.gz"])
    graph = build_graph(run)
    rows = Rows(run, graph)
    edges = {
        (grouping.kind, name): int(np.count_nonzero(grouping.of_edge == group))
        for grouping in groupings(rows, all_causes(rows))
        for group, name in enumerate(grouping.names)
    }
    for entry in sensitivity(run, graph)["entries"]:
        assert entry["run"]["bound_ns"] <= entry["total_ns"]
        rounded_ns = edges[entry["kind"], entry["name"]]  # each edge is scaled to whole nanoseconds
        assert entry["run"]["gain_ns_per_percent"] <= 0.01 * entry["total_ns"] + rounded_ns


def test_what_ranks_do_together_counts_once_for_each() -> None:
    said = {"Collective name": "allreduce", "Process Group Name": "0", "Process Group Ranks": "[0, 1]"}

    def meet(start: int, dur: int) -> Event:
        event = kernel(20, start, dur)
        return replace(event, name="ncclDevKernel_AllReduce_Sum(args)", args={**event.args, **said})

    run = replace(make_run([op(1, 0, 10), meet(100, 900)], [op(1, 0, 10), meet(700, 350)]), clocks=(None, None))
    [entry] = [each for each in sensitivity(run, build_graph(run))["entries"] if each["kind"] == "kernel"]
    assert (entry["events"], entry["total_ns"]) == (2, 300 + 350)  # what is left after the later one has come
