"""Replay against a machine that is simulated event by event: what is known exactly must come out exactly."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.events import Kind
from simulation.graph import Family, TaskGraph, build_graph
from simulation.replay import predict, replay, replay_run
from simulation.run import Run
from tests.simulation.build import make_run
from tests.simulation.machine import Key, Machine, Step
from tests.simulation.programs import programs


def traced(machine: Machine, program: list[list[Step]]) -> tuple[Run, dict[Key, int]]:
    """The run that a machine makes of a program, and the row of each of its events."""
    events = machine.run(program)
    run = make_run(list(events.values()))
    source = run.traces[0].source_index
    row_of = np.empty(len(source), np.int64)
    row_of[source] = np.arange(len(source))
    return run, {key: int(row_of[at]) for at, key in enumerate(events)}


def replayed(graph: TaskGraph, row: int, times: np.ndarray) -> tuple[int, int]:
    return int(times[graph.start_node[row]]), int(times[graph.end_node[row]])


@given(programs(), st.integers(0, 5_000), st.integers(0, 99))
@settings(max_examples=60)
def test_it_reproduces_every_measured_time(program: list[list[Step]], jitter_ns: int, seed: int) -> None:
    run, _ = traced(Machine(jitter_ns=jitter_ns, seed=seed), program)
    prediction = replay_run(run)
    assert (prediction.start_ns[0] == run.traces[0].start_ns).all()
    assert (prediction.dur_ns[0] == run.traces[0].dur_ns).all()
    assert prediction.report["error_percent"] == 0
    assert prediction.report["quality"] == []


@given(programs())
@settings(max_examples=60)
def test_it_explains_all_of_an_undisturbed_machine(program: list[list[Step]]) -> None:
    run, _ = traced(Machine(), program)
    graph = build_graph(run)
    assert not graph.residual_ns.any()
    assert (replay(graph, residuals=False).node_ns == graph.measured_ns).all()


@given(programs(), st.sampled_from([{"kernel": 2.0}, {"kernel": 0.5}, {"gpu_memcpy": 2.0}, {"kernel": 3.0}]))
@settings(max_examples=120)
def test_it_equals_the_machine_when_durations_change(program: list[list[Step]], factor: dict[str, float]) -> None:
    run, row_of = traced(Machine(), program)
    changed = Machine(factor).run(program)
    graph = build_graph(run, never_found=(Family.THREAD_HANDOVER,))  # the machine has none
    durations = run.traces[0].dur_ns.copy()
    for key, event in changed.items():
        if run.traces[0].is_device[row_of[key]]:
            durations[row_of[key]] = event.dur
    times = replay(graph, durations).node_ns
    for key, event in changed.items():
        row = row_of[key]
        if graph.start_node[row] >= 0:
            assert replayed(graph, row, times) == (event.start, event.end), key


@given(programs(), st.floats(0, 4), st.integers(0, 3_000))
@settings(max_examples=60)
def test_it_keeps_lanes_free_of_overlap(program: list[list[Step]], factor: float, jitter_ns: int) -> None:

    run, _ = traced(Machine(jitter_ns=jitter_ns), program)
    table = run.traces[0]
    durations = (table.dur_ns * factor).astype(np.int64)
    prediction = predict(run, build_graph(run), durations)
    start, end = prediction.start_ns[0], prediction.start_ns[0] + prediction.dur_ns[0]
    assert (prediction.dur_ns[0] >= 0).all()
    slices = table.kind == Kind.SLICE
    for begin, after in zip(table.lane_offsets[:-1], table.lane_offsets[1:], strict=True):
        rows = np.arange(begin, after)[slices[begin:after]]
        assert (end[rows[:-1]] <= start[rows[1:]]).all()
