"""The backward pass: against trying out, on random graphs and on a machine's programs."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.csr import forward
from simulation.graph import build_graph
from simulation.replay import replay
from simulation.replay.scenarios import may_end
from simulation.replay.slack import UNBOUNDED, _backward, row_slack, run_slack, step_slack
from tests.simulation.build import Event, call, kernel, make_run, op
from tests.simulation.machine import Machine, Step
from tests.simulation.programs import programs
from tests.simulation.test_replay_forward import Graph, graphs


def slow_latest(graph: Graph, limit: list[int]) -> list[int]:
    latest = list(limit)
    for node in reversed(range(len(latest))):
        for edge in range(graph.offsets[node], graph.offsets[node + 1]):
            weight, before = int(graph.weight_ns[edge]), graph.source[edge]
            takes = max(weight + int(graph.residual_ns[node]), min(weight, 0))
            if latest[node] != UNBOUNDED:
                latest[before] = min(latest[before], latest[node] - takes)
    return latest


@given(graphs(), st.data())
def test_it_equals_the_slow_backward_pass(graph: Graph, data: st.DataObject) -> None:
    nodes = len(graph.offsets) - 1
    some = st.one_of(st.integers(0, 3_000), st.just(UNBOUNDED))
    limit = data.draw(st.lists(some, min_size=nodes, max_size=nodes))
    latest = np.array(limit, np.int64)
    _backward(graph.offsets, graph.source, graph.weight_ns, graph.residual_ns, latest)
    assert latest.tolist() == slow_latest(graph, limit)


@given(graphs(), st.data())
def test_using_up_the_slack_moves_nothing_and_more_does(graph: Graph, data: st.DataObject) -> None:
    times, _ = forward(graph.offsets, graph.source, graph.weight_ns, graph.residual_ns)
    latest = np.full(len(times), UNBOUNDED)
    latest[-1] = times[-1]
    _backward(graph.offsets, graph.source, graph.weight_ns, graph.residual_ns, latest)
    node = data.draw(st.integers(0, len(times) - 1))
    late = 10**6 if latest[node] == UNBOUNDED else int(latest[node] - times[node])
    assert late >= 0
    assert end_if_late(graph, node, late) == times[-1]
    if latest[node] != UNBOUNDED:
        assert end_if_late(graph, node, late + 1) == times[-1] + 1


def end_if_late(graph: Graph, late_node: int, by_ns: int) -> int:
    times: list[int] = []
    for node in range(len(graph.offsets) - 1):
        edges = range(graph.offsets[node], graph.offsets[node + 1])
        causes = [(times[graph.source[edge]], int(graph.weight_ns[edge])) for edge in edges]
        allowed = max((time + weight for time, weight in causes), default=0)
        floor = max((time + min(weight, 0) for time, weight in causes), default=0)
        time = max(allowed + int(graph.residual_ns[node]), floor) if causes else 0
        times.append(time + by_ns * (node == late_node))
    return times[-1]


@given(programs(), st.integers(0, 1_000))
@settings(max_examples=25)
def test_a_kernel_may_last_longer_by_its_slack(program: list[list[Step]], pick: int) -> None:
    run = make_run(list(Machine(jitter_ns=500).run(program).values()))
    graph = build_graph(run)
    times, ends = replay(graph), may_end(graph)
    slack = row_slack(times, run_slack(times, ends))
    device = np.flatnonzero(run.traces[0].is_device)
    row = device[pick % len(device)]
    for more in (0, 1):
        durations = run.traces[0].dur_ns.copy()
        durations[row] += slack[row] + more
        assert replay(graph, durations).node_ns[ends].max() == times.node_ns[ends].max() + more


def test_a_step_has_less_slack_than_the_run() -> None:
    step = Event("ProfilerStep#1", "user_annotation", 1, 0, 1_000)
    events = [step, op(1, 100, 50), op(2, 0, 400), op(1, 2_000, 10), kernel(7, 300, 50, 9), call(2, 20, 5, 9)]
    run = make_run(events)
    graph = build_graph(run)
    times, ends, table = replay(graph), may_end(graph), run.traces[0]
    row = {table.source_index[row]: row for row in range(len(table))}
    in_run = row_slack(times, run_slack(times, ends))
    in_step = row_slack(times, step_slack(times, graph.end_node[[row[0]]], ends))
    assert in_run[row[0]] == in_run[row[1]] == in_run[row[3]] == 0
    assert in_run[row[2]] == in_step[row[2]] == 2_010 - 400
    assert in_step[row[4]] == 2_010 - 350
    other = make_run([step, op(2, 0, 1_500)])
    graph = build_graph(other)
    times = replay(graph)
    end = graph.end_node[np.asarray(other.traces[0].sides["steps"]["row"])]
    assert run_slack(times, may_end(graph))[end] == 500
    assert step_slack(times, end, may_end(graph))[end] == 0


def test_what_nothing_depends_on_has_no_bound() -> None:
    run = make_run([op(1, 0, 10)])
    graph = build_graph(run)
    times = replay(graph)
    assert (run_slack(times, np.zeros(graph.nodes, bool)) == UNBOUNDED).all()
