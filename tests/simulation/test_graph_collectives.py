"""Collectives and pairs in the graph: a member ends its transfer after the last arrival, whatever else changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.graph import Family, Rule, TaskGraph, build_graph
from simulation.replay import predict, replay, replay_run
from simulation.run import Run
from tests.simulation.build import Event, call, kernel, make_run, op
from tests.simulation.cluster import Cluster, Program, programs, traced

GROUP = {"Collective name": "allreduce", "Process Group Name": "0", "Process Group Ranks": "[0, 1]"}


def meet(start: int, dur: int, stream: int = 20, correlation: int = 0, **args: object) -> Event:
    event = kernel(stream, start, dur, correlation)
    return replace(event, name="ncclDevKernel_AllReduce_Sum(args)", args={**event.args, **GROUP, **args})


def send(start: int, dur: int, peer: int) -> Event:
    return meet(start, dur, **{"Collective name": "send", "Dst Rank": peer})


def receive(start: int, dur: int, peer: int) -> Event:
    return meet(start, dur, **{"Collective name": "recv", "Src Rank": peer})


def together(*traces: list[Event]) -> Run:
    """A run on one clock."""
    run = make_run(*traces)
    return replace(run, clocks=(None,) * len(traces))


def row_of(run: Run, trace: int, source: int) -> int:
    return int(run.row_base[trace] + np.flatnonzero(run.traces[trace].source_index == source)[0])


def span(graph: TaskGraph, row: int, times: np.ndarray) -> tuple[int, int]:
    return int(times[graph.start_node[row]]), int(times[graph.end_node[row]])


@given(programs())
@settings(max_examples=30, deadline=None)
def test_it_explains_all_of_ranks_that_meet(program: Program) -> None:
    run, _, _ = traced(Cluster(), program)
    graph = build_graph(run)
    assert graph.quality.counts() == {}
    assert not graph.residual_ns.any()
    assert (replay(graph, residuals=False).node_ns == graph.measured_ns).all()


@given(
    programs(), st.dictionaries(st.integers(0, 3), st.sampled_from([0.5, 2.0, 5.0])), st.sampled_from([0.5, 1.0, 3.0])
)
@settings(max_examples=120, deadline=None)
def test_it_equals_the_cluster_when_a_rank_or_the_network_changes(
    program: Program, slow: dict[int, float], transfer: float
) -> None:
    run, row, events = traced(Cluster(), program)
    changed = Cluster(slow, transfer).run(program.steps())
    graph = build_graph(run)
    durations = graph.durations_ns
    is_device = np.concatenate([table.is_device for table in run.traces])
    met = {row[key] for key, event in events.items() if "Collective name" in event.args}
    for key, at in row.items():
        if at in met:
            durations[at] = round(durations[at] * transfer)
        elif is_device[at]:
            durations[at] = changed[key].dur
    times = replay(graph, durations).node_ns
    for key, event in changed.items():
        if graph.start_node[row[key]] >= 0:
            assert span(graph, row[key], times) == (
                event.start - run_zero(run, graph),
                event.end - run_zero(run, graph),
            )


def run_zero(run: Run, graph: TaskGraph) -> int:
    """The cluster's time of the graph's zero; make_run keeps the files' times."""
    return graph.zero_ns + run.origin_ns


@given(programs())
@settings(max_examples=30, deadline=None)
def test_edges_grow_with_members_not_with_pairs_of_them(program: Program) -> None:
    run, _, events = traced(Cluster(), program)
    count = build_graph(run).edges_by_family()
    names = [event.args["Collective name"] for event in events.values() if "Collective name" in event.args]
    assert count["collective"] == 2 * names.count("allreduce")
    assert count["send_recv"] == 2 * (len(names) - names.count("allreduce"))


def test_a_member_ends_with_the_last_arrival_and_its_transfer() -> None:
    run = together([op(1, 0, 10), meet(100, 900)], [op(1, 0, 10), meet(700, 350)])
    graph = build_graph(run)
    early, late = row_of(run, 0, 1), row_of(run, 1, 1)
    assert graph.durations_ns[[early, late]].tolist() == [300, 350]
    weight = graph.weights(graph.durations_ns)
    assert (weight == graph.weight_ns).all()
    durations = graph.durations_ns
    durations[early] = 50
    times = replay(graph, durations).node_ns
    assert span(graph, early, times) == (100, 750)
    assert span(graph, late, times) == (700, 1050)


def test_a_wait_on_the_host_leaves_the_thread() -> None:
    def gloo(start: int, dur: int) -> Event:
        return Event("gloo:all_reduce", "user_annotation", 5, start, dur)

    run = together(
        [op(1, 0, 10), op(5, 0, 100), gloo(100, 900), op(5, 1000, 10)],
        [op(1, 0, 10), op(5, 0, 700), gloo(700, 350)],
    )
    graph = build_graph(run)
    busy = row_of(run, 1, 1)  # make the late rank early: what it does before is cut to 50 ns
    weight = graph.weight_ns.copy()
    into = slice(graph.offsets[graph.end_node[busy]], graph.offsets[graph.end_node[busy] + 1])
    weight[into] = 50
    times = replay(graph, weight_ns=weight).node_ns
    assert span(graph, row_of(run, 0, 2), times) == (100, 400)
    assert span(graph, row_of(run, 0, 3), times) == (400, 410)
    assert span(graph, row_of(run, 1, 2), times) == (50, 450)


def test_a_sender_whose_message_is_buffered_does_not_wait() -> None:
    run = together([op(1, 0, 10), send(20_000, 100, 1)], [op(1, 0, 10), receive(90_000, 300, 0)])
    graph = build_graph(run)
    sender, receiver = row_of(run, 0, 1), row_of(run, 1, 1)
    assert (graph.rule == Rule.PAIR_SENT).sum() == 1
    assert graph.durations_ns[[sender, receiver]].tolist() == [100, 300]
    weight = graph.weight_ns.copy()
    weight[graph.offsets[graph.start_node[sender]]] += 200_000  # now it comes after the receiver
    times = replay(graph, weight_ns=weight).node_ns
    assert span(graph, receiver, times)[1] == 220_000 + 300


def test_without_all_members_durations_are_kept_and_it_says_so() -> None:
    three = {"Process Group Ranks": "[0, 1, 2]"}
    run = together([op(1, 0, 10), meet(100, 900, **three)], [op(1, 0, 10), meet(700, 350, **three)])
    graph = build_graph(run)
    assert graph.edges_by_family()["collective"] == 0
    assert graph.durations_ns[row_of(run, 0, 1)] == 900
    report = replay_run(run).report
    assert (report["collectives"]["seen"], report["collectives"]["matched"]) == (1, 0)
    assert (report["collectives"]["absent"], report["collectives"]["wait_visible"]) == (1, 0)
    assert report["quality"] == []


def test_contradictions_are_counted_and_left_out() -> None:
    kept = [meet(100_000, 900, Seq=1)]
    for other, code in (
        ([meet(700_000, 350, Seq=1)], "collectives_apart"),
        ([meet(100_000, 900, Seq=2)], "collectives_missing"),
        ([meet(100_000, 900, Seq=1, **{"Collective name": "allgather"})], "collectives_differ"),
        ([op(1, 100_000, 900)], "collectives_missing"),
    ):
        run = together([op(1, 0, 10), *kept], [op(1, 0, 10), *other])
        graph = build_graph(run)
        assert set(graph.quality.counts()) == {code}
        assert graph.edges_by_family()["collective"] == 0
        assert replay_run(run).report["error_percent"] == 0


def test_arrivals_are_compared_on_aligned_clocks() -> None:
    skew = 50_000_000
    waits = [(1_000_000 * at + 100, 900) for at in range(5)]
    early = [op(1, 0, 10), *(meet(start, dur, Seq=at) for at, (start, dur) in enumerate(waits))]
    late = [
        op(1, skew, 10),
        *(meet(start + skew + 600, dur - 600, Seq=at) for at, (start, dur) in enumerate(waits)),
    ]
    run = make_run(early, late)
    graph = build_graph(run)
    durations = graph.durations_ns[[row_of(run, 0, at) for at in range(1, 6)]]
    assert durations.tolist() == [300] * 5
    prediction = replay_run(run)
    for table, start, dur in zip(run.traces, prediction.start_ns, prediction.dur_ns, strict=True):
        assert (start == table.start_ns).all() and (dur == table.dur_ns).all()
    assert prediction.report["collectives"]["waited_ns"] == {"measured": 3_000, "predicted": 3_000}


def test_a_saved_graph_keeps_its_meetings(tmp_path: Path) -> None:
    run = together([op(1, 0, 10), meet(100, 900)], [op(1, 0, 10), meet(700, 350)])
    graph = build_graph(run)
    graph.save(tmp_path)
    opened = TaskGraph.open(tmp_path)
    assert opened.durations_ns.tolist() == graph.durations_ns.tolist()
    assert opened.edges_by_family() == graph.edges_by_family()
    assert (replay(opened, opened.durations_ns * 2).node_ns == replay(graph, graph.durations_ns * 2).node_ns).all()


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)), min_size=2, max_size=6), st.integers(0, 9))
@settings(max_examples=100, deadline=None)
def test_it_reproduces_whatever_was_recorded(drawn: list[tuple[int, int]], shift: int) -> None:
    members = str(list(range(len(drawn))))
    traces = [
        [
            op(1, 0, 10),
            call(1, 20, 30, 1),
            meet(start * 10 + shift, dur, correlation=1, **{"Process Group Ranks": members}),
        ]
        for start, dur in drawn
    ]
    run = make_run(*traces)
    prediction = predict(run, build_graph(run))
    for table, start, dur in zip(run.traces, prediction.start_ns, prediction.dur_ns, strict=True):
        assert (start == table.start_ns).all() and (dur == table.dur_ns).all()
    assert Family.COLLECTIVE.name.lower() in prediction.report["edges"]
