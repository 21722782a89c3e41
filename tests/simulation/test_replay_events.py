"""Replay event by event: equal to the forward pass where that is exact, and to the machine where the order changes."""

from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from simulation.csr import forward
from simulation.graph import Family, TaskGraph, build_graph
from simulation.replay import Times, critical_path, last_node, predict, replay
from simulation.replay.event_driven import executed
from simulation.replay.prediction import row_times
from simulation.replay.schedule import Schedule, streams_of
from simulation.run import Run, read_run
from tests.simulation.build import Event, call, kernel, make_run, op
from tests.simulation.machine import Key, Machine, Step, warm_up
from tests.simulation.programs import programs
from tests.simulation.test_replay_programs import replayed, traced


def prepared(run: Run) -> tuple[TaskGraph, Schedule]:
    graph = build_graph(run)
    return graph, Schedule.of(graph, streams_of(run))


def assert_same_rows(run: Run, one: Times, other: Times) -> None:
    """The same start and end of every row, whatever the nodes' numbers."""
    for mine, its in zip(row_times(run, one), row_times(run, other), strict=True):
        assert (mine == its).all()


@given(programs(), st.floats(0, 4), st.integers(0, 3_000))
@settings(max_examples=60)
def test_it_equals_the_forward_pass_while_the_order_stays(
    program: list[list[Step]], factor: float, jitter_ns: int
) -> None:
    run, _ = traced(Machine(jitter_ns=jitter_ns), program)
    graph, schedule = prepared(run)
    durations = (run.traces[0].dur_ns * factor).astype(np.int64)
    fast = replay(graph, durations)
    assume(schedule.holds(graph, fast.node_ns))
    assert replay(graph, durations, schedule=schedule).graph is graph
    assert_same_rows(run, fast, replay(graph, durations, schedule=schedule, mode="events"))


@given(programs(), st.integers(0, 3_000))
@settings(max_examples=40)
def test_the_measured_order_holds_in_the_measurement(program: list[list[Step]], jitter_ns: int) -> None:
    run, _ = traced(Machine(jitter_ns=jitter_ns), program)
    graph, schedule = prepared(run)
    assert schedule.holds(graph, graph.measured_ns)
    times = replay(graph, schedule=schedule, mode="events")
    assert_same_rows(run, replay(graph), times)


WARM_NS, LATER_NS = 20_000, 140_333
"""What the first thread rests after it has shown what launches and hand-overs cost; when the second begins."""


def contending(first: list[Step], rest_ns: int) -> st.SearchStrategy[list[Step]]:
    step = st.one_of(
        st.tuples(st.just("launch"), st.just(7), st.integers(5_000, 60_000)),
        st.tuples(st.just("work"), st.integers(1, 20_000)),
        st.just(("stream_sync", 7)),
        st.just(("device_sync",)),
        st.tuples(st.just("copy"), st.just(7), st.integers(1_000, 20_000)),
    )
    return st.lists(step, min_size=6, max_size=16).map(lambda drawn: [*first, ("gap", rest_ns), *drawn])


shared = st.tuples(contending(warm_up([7]), WARM_NS), contending([], LATER_NS)).map(list)
"""Two threads that launch into one stream, and wait for it: who comes first depends on durations."""


def calls_at(events: dict[Key, Event]) -> list[int]:
    return [event.start for key, event in events.items() if key[2] < 0 and event.category == "cuda_runtime"]


@given(shared, st.sampled_from([{"kernel": 0.1}, {"kernel": 0.5}, {"kernel": 3.0}, {"gpu_memcpy": 4.0}]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_it_equals_the_machine_when_the_order_changes(program: list[list[Step]], factor: dict[str, float]) -> None:
    run, row_of = traced(Machine(), program)
    changed = Machine(factor).run(program)
    # Calls at one moment have no order that a trace could tell.
    assume(all(len(set(starts)) == len(starts) for starts in (calls_at(changed), calls_at(Machine().run(program)))))
    # The machine's threads rest as they please: that one of them goes on as the other comes to rest is chance.
    graph = build_graph(run, never_found=(Family.THREAD_HANDOVER,))
    schedule = Schedule.of(graph, streams_of(run))
    assume(not graph.residual_ns.any())
    assume(Family.THREAD_HANDOVER not in graph.family)  # guessed where one begins as the other happens to come to rest
    durations = run.traces[0].dur_ns.copy()
    for key, event in changed.items():
        if run.traces[0].is_device[row_of[key]]:
            durations[row_of[key]] = event.dur
    times = replay(graph, durations, schedule=schedule)
    hypothesis.event("order", "changed" if times.graph is not graph else "stayed")
    for key, event in changed.items():
        if times.graph.start_node[row_of[key]] >= 0:
            assert replayed(times.graph, row_of[key], times.node_ns) == (event.start, event.end), key


OVERTAKING = [
    call(1, 0, 1_000, 1),
    kernel(7, 5_000, 20_000, 1),
    call(1, 1_000, 25_500, 2, "cudaStreamSynchronize"),
    call(1, 26_500, 1_000, 3),
    kernel(7, 31_500, 100, 3),
    call(2, 20_000, 1_000, 4),
    kernel(7, 25_000, 1_400, 4),
]
"""Thread 1 waits for its kernel and then launches; thread 2 launches before that, unless the kernel gets faster."""


def test_a_call_that_comes_earlier_enqueues_earlier() -> None:
    run = make_run(OVERTAKING)
    graph, schedule = prepared(run)
    durations = run.traces[0].dur_ns.copy()
    first, third, fourth = np.flatnonzero(run.traces[0].is_device)
    durations[first] = 2_000
    times = replay(graph, durations, schedule=schedule)
    assert times.graph is not graph
    start, _ = row_times(run, times)
    kept, _ = row_times(run, replay(graph, durations))
    by_call = {int(run.traces[0].correlation[row]): row for row in (first, third, fourth)}
    assert kept[by_call[4]] < kept[by_call[3]]  # the forward pass keeps the order
    assert start[by_call[3]] < start[by_call[4]]


def test_a_prediction_may_change_the_order() -> None:
    run = make_run(OVERTAKING)
    graph, schedule = prepared(run)
    table = run.traces[0]
    durations = table.dur_ns.copy()
    first = int(np.flatnonzero(table.correlation * table.is_device == 1)[0])
    durations[first] = 2_000
    kept, changed = predict(run, graph, durations), predict(run, graph, durations, schedule)
    assert (kept.start_ns[0] != changed.start_ns[0]).any()
    for prediction in (kept, changed):
        path = prediction.report["critical_path"]
        assert path["measured"]["length_ns"] == prediction.report["measured_ns"]
        assert path["replayed"]["length_ns"] == prediction.report["predicted_ns"]
        assert sum(part["ns"] for part in path["replayed"]["causes"]) == path["replayed"]["length_ns"]
    waits = int(np.flatnonzero(table.correlation * ~table.is_device == 2)[0])
    assert kept.slack_ns[0][waits] >= 0 and changed.slack_ns[0][waits] >= 0


def test_what_it_executed_is_a_graph_like_any_other(tmp_path: Path) -> None:
    run = make_run(OVERTAKING)
    graph, schedule = prepared(run)
    weights = graph.weights(np.where(run.traces[0].is_device, 2_000, 0))
    changed = executed(graph, schedule, weights, graph.residual_ns)
    assert (changed.source < np.repeat(np.arange(changed.nodes), np.diff(changed.offsets))).all()
    assert changed.edges_by_family()["device_work"] == 3
    changed.save(tmp_path)
    opened = TaskGraph.open(tmp_path)
    times = replay(opened)
    path = critical_path(times, last_node(times))
    assert path.nodes[0] == 0 and path.length_ns == times.node_ns.max()


@given(programs(), st.integers(0, 2_000))
@settings(max_examples=25)
def test_its_times_are_those_of_its_graph(program: list[list[Step]], jitter_ns: int) -> None:
    """Nodes happen in order of time, each as soon as its edges allow: that is what the loop says it does."""
    run, _ = traced(Machine(jitter_ns=jitter_ns), program)
    graph, schedule = prepared(run)
    changed = executed(graph, schedule, graph.weight_ns, graph.residual_ns)
    times, _ = forward(changed.offsets, changed.source, changed.weight_ns, changed.residual_ns)
    assert (np.diff(times) >= 0).all()


def queueing(launches: int, dur: int) -> list[Event]:
    events = []
    for number in range(launches):
        events += [call(1, 2_000 * number, 1_000, number + 1)]
        events += [kernel(7, max(5_000, 5_000 + dur * number), dur, number + 1)]
    return [*events, op(1, 2_000 * launches, 10)]


def test_a_full_queue_holds_the_host_up() -> None:
    run = make_run(queueing(8, 10_000))
    graph, schedule = prepared(run)
    table = run.traces[0]
    last = int(np.flatnonzero(table.category_mask(frozenset({"cpu_op"})))[0])
    free = replay(graph, schedule=schedule)
    held = replay(graph, schedule=schedule, queue_limit=3)
    assert free.graph is graph and free.node_ns[graph.start_node[last]] == 16_000
    # The call of the eighth comes back when the fifth has started, and 1,000 ns later the operator begins.
    fifth = int(np.flatnonzero(table.is_device)[4])
    start, _ = row_times(run, held)
    assert start[fifth] == 45_000
    assert start[last] == 45_000 + 1_000
    assert held.graph.edges_by_family()["host_sync"] == 5
    roomy = replay(graph, schedule=schedule, queue_limit=8)
    assert_same_rows(run, free, roomy)
    assert roomy.graph is graph
    with pytest.raises(ValueError, match="schedule"):
        replay(graph, queue_limit=3)


@given(programs(), st.integers(1, 6), st.floats(0, 4))
@settings(max_examples=60, deadline=None)
def test_the_forward_pass_is_used_only_while_there_is_room(
    program: list[list[Step]], queue_limit: int, factor: float
) -> None:
    run, _ = traced(Machine(), program)
    graph, schedule = prepared(run)
    durations = (run.traces[0].dur_ns * factor).astype(np.int64)
    times = replay(graph, durations, schedule=schedule, queue_limit=queue_limit)
    hypothesis.event("room" if times.graph is graph else "full")
    again = replay(graph, durations, schedule=schedule, queue_limit=queue_limit, mode="events")
    assert_same_rows(run, times, again)


@pytest.mark.parametrize(
    "name", ["hta/nccl_data", "hta/test", "hta/alexnet", "deepseek/train", "tracelens/h100/qwen1.5-0.5b"]
)
def test_samples_come_out_the_same_either_way(name: str, samples: Path) -> None:
    run = read_run([samples / f"{name}.json.gz"])
    graph, schedule = prepared(run)
    assert schedule.holds(graph, graph.measured_ns)
    assert_same_rows(run, replay(graph), replay(graph, schedule=schedule, mode="events"))


def test_a_run_without_a_device_has_no_schedule() -> None:
    run = make_run([op(1, 0, 10), op(1, 20, 10)])
    graph, schedule = prepared(run)
    assert len(schedule) == 0 and Family.LAUNCH not in graph.family
    assert_same_rows(run, replay(graph), replay(graph, schedule=schedule, mode="events"))
