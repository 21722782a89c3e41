"""Each family's edges against their definition, on random programs and on random events."""

from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.graph import Family, TaskGraph, build_graph
from simulation.replay import replay_run
from simulation.run import Run
from tests.simulation import oracle
from tests.simulation.build import Event, annotation, call, instant, kernel, make_run, op
from tests.simulation.machine import Machine, Step
from tests.simulation.programs import programs

moment = st.integers(0, 400)
length = st.one_of(st.integers(0, 5), st.integers(0, 300))
correlation = st.integers(0, 6)
thread, stream = st.integers(1, 2), st.sampled_from([7, 20])
sync_name = st.sampled_from(["cudaDeviceSynchronize", "cudaStreamSynchronize", "cudaEventSynchronize", "cudaFree"])

CALLS = st.sampled_from(["cudaStreamWaitEvent", "cudaEventRecord", "cudaEventQuery"])
events = st.one_of(
    st.builds(op, thread, moment, length),
    st.builds(call, thread, moment, length, correlation),
    st.builds(call, thread, moment, length, st.just(0), sync_name),
    st.builds(call, thread, moment, length, st.just(0), CALLS),
    st.builds(kernel, stream, moment, length, correlation),
    st.builds(kernel, stream, moment, length, correlation, st.just("gpu_memcpy")),
    st.builds(instant, thread, moment),
    st.builds(annotation, stream, moment, length),
)
"""Anything at any time: overlaps, ties, device events before their launch."""

some_slice = st.builds(op, thread, moment, length)
traces = st.tuples(some_slice, st.lists(events, max_size=10)).map(lambda drawn: [drawn[0], *drawn[1]])


def built(trace: list[Event]) -> tuple[Run, TaskGraph, list[oracle.Row]]:
    run = make_run(trace)
    return run, build_graph(run), oracle.rows_of(run)


@given(traces)
@settings(max_examples=200)
def test_it_reproduces_any_trace(trace: list[Event]) -> None:
    run = make_run(trace)
    prediction = replay_run(run)
    assert prediction.start_ns[0].tolist() == run.traces[0].start_ns.tolist()
    assert prediction.dur_ns[0].tolist() == run.traces[0].dur_ns.tolist()


@given(traces)
@settings(max_examples=200)
def test_it_chains_the_boundaries_of_a_thread(trace: list[Event]) -> None:
    _, graph, rows = built(trace)
    edges, expected = oracle.found(graph, Family.THREAD_ORDER), oracle.thread_order(rows)
    assert edges.keys() == expected.keys()
    waits = {target for _, target in oracle.found(graph, Family.HOST_SYNC)}
    assert {pair: weight for pair, weight in edges.items() if pair[1] not in waits} == {
        pair: weight for pair, weight in expected.items() if pair[1] not in waits
    }
    assert all(0 <= weight <= max(expected[pair], 0) or expected[pair] < 0 for pair, weight in edges.items())


@given(traces)
@settings(max_examples=200)
def test_it_orders_the_events_of_a_stream(trace: list[Event]) -> None:
    _, graph, rows = built(trace)
    assert set(oracle.found(graph, Family.STREAM_ORDER)) == oracle.stream_order(rows)


@given(traces)
@settings(max_examples=100)
def test_it_keeps_whatever_came_before_in_a_stream(trace: list[Event]) -> None:
    _, graph, rows = built(trace)
    edges = set(oracle.found(graph, Family.STREAM_ORDER))
    device = [row for row in rows if row.is_device]
    for row in device:
        for other in device:
            before = other.track == row.track and (other.start, other.row) < (row.start, row.row)
            if before and other.end <= row.start and (other.lane == row.lane or other.end > other.start):
                assert oracle.follows(edges, rows, ("end", other.row), ("start", row.row))
            elif before:
                assert oracle.follows(edges, rows, ("start", other.row), ("start", row.row))


@given(programs())
@settings(max_examples=30)
def test_it_ties_device_events_to_their_launch(program: list[list[Step]]) -> None:
    _, graph, rows = built(list(Machine(jitter_ns=2_000).run(program).values()))
    assert set(oracle.found(graph, Family.LAUNCH)) == oracle.launch(rows)


@given(programs())
@settings(max_examples=30)
def test_it_finds_what_named_calls_wait_for(program: list[list[Step]]) -> None:
    events = [event for event in Machine(jitter_ns=2_000).run(program).values() if event.category != "cuda_sync"]
    _, graph, rows = built([event for event in events if event.name != "cudaMemcpyAsync"])
    edges = {(source[1], target[1]) for source, target in oracle.found(graph, Family.HOST_SYNC)}
    named = {row.row for row in rows if row.name.endswith("Synchronize")}
    assert {edge for edge in edges if edge[1] in named} == oracle.host_sync(rows)


@given(traces)
@settings(max_examples=200)
def test_it_leaves_no_edge_that_the_measurement_contradicts(trace: list[Event]) -> None:
    _, graph, _ = built(trace)
    for node in range(graph.nodes):
        for edge in range(int(graph.offsets[node]), int(graph.offsets[node + 1])):
            source = int(graph.source[edge])
            assert source < node
            assert graph.measured_ns[node] >= graph.measured_ns[source] + min(int(graph.weight_ns[edge]), 0)
