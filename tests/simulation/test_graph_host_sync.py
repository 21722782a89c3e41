"""Waits, one by one, with every number known."""

import pytest

from simulation.graph import Family, Rule, TaskGraph, build_graph
from simulation.graph.polling import Wait, wait_of
from simulation.replay import replay
from simulation.run import Run
from tests.simulation.build import Event, call, kernel, make_run, op, sync_mark

SYNC, STREAM, EVENT = "cudaDeviceSynchronize", "cudaStreamSynchronize", "cudaEventSynchronize"

TWO_STREAMS = [
    call(1, 0, 10, 1), kernel(7, 20, 100_000, 1),
    call(1, 10, 10, 2), kernel(20, 30, 50_000, 2),
]  # fmt: skip


def waits(*events: Event) -> dict[tuple[int, int], tuple[int, Rule]]:
    """(position of the device event, position of the call) -> (overhead, rule), by position in the list of events."""
    run = make_run(events)
    graph, source = build_graph(run), run.traces[0].source_index
    row_of = {int(node): row for row, node in enumerate(graph.end_node) if node >= 0}
    found = {}
    for node in range(graph.nodes):
        for edge in range(int(graph.offsets[node]), int(graph.offsets[node + 1])):
            if graph.family[edge] == Family.HOST_SYNC:
                pair = int(source[row_of[int(graph.source[edge])]]), int(source[row_of[node]])
                found[pair] = int(graph.weight_ns[edge]), Rule(graph.rule[edge])
    return found


def stretched(run: Run, name: str, factor: int) -> tuple[TaskGraph, list[int]]:
    """The end of every row when device events of this name last longer."""
    graph, table = build_graph(run), run.traces[0]
    durations = table.dur_ns.copy()
    for row in range(len(table)):
        durations[row] *= factor if table.name_of(row) == name else 1
    return graph, replay(graph, durations).node_ns[graph.end_node].tolist()


@pytest.mark.parametrize(
    ("name", "wait"),
    [
        ("cudaDeviceSynchronize", Wait.DEVICE),
        ("hipDeviceSynchronize", Wait.DEVICE),
        ("cuCtxSynchronize", Wait.DEVICE),
        ("cudaStreamSynchronize", Wait.STREAM),
        ("hipEventSynchronize", Wait.SOMETHING),
        ("cudaFree", Wait.SOMETHING),
        ("cuMemFree_v2", Wait.SOMETHING),
        ("hipHostFree", Wait.SOMETHING),
        ("cudaFreeAsync", Wait.PERHAPS),
        ("cuMemFreeAsync", Wait.PERHAPS),
        ("cudaLaunchKernel", Wait.PERHAPS),
        ("cudaStreamWaitEvent", Wait.PERHAPS),
        ("cudaEventQuery", Wait.NEVER),
        ("hipStreamQuery", Wait.NEVER),
    ],
)
def test_it_knows_calls_by_their_name(name: str, wait: Wait) -> None:
    assert wait_of(name) == wait


def test_it_lets_a_device_sync_wait_for_every_stream() -> None:
    found = waits(*TWO_STREAMS, call(1, 30, 100_000, 3, SYNC))
    assert found == {(1, 4): (10, Rule.SYNC_NAMED), (3, 4): (10, Rule.SYNC_NAMED)}


def test_it_lets_an_event_sync_wait_for_what_ended_last() -> None:
    found = waits(*TWO_STREAMS, call(1, 30, 60_000, 3, EVENT))
    assert found == {(3, 4): (10_000, Rule.SYNC_NAMED)}


def test_it_lets_a_stream_sync_wait_for_its_threads_last_event_unless_another_explains_it_better() -> None:
    soon_after = waits(*TWO_STREAMS, call(1, 30, 50_100, 3, STREAM))
    assert soon_after == {(3, 4): (100, Rule.SYNC_NAMED)}
    long_after = waits(*TWO_STREAMS, call(1, 30, 100_000, 3, STREAM))
    assert long_after == {(1, 4): (10, Rule.SYNC_NAMED)}


def test_it_does_not_wait_for_what_was_enqueued_later_or_went_on() -> None:
    later = [call(2, 40, 10, 3), kernel(23, 60, 1_000, 3)]
    found = waits(*TWO_STREAMS, *later, call(1, 30, 60_000, 4, SYNC))
    assert found == {(3, 6): (10_000, Rule.SYNC_NAMED)}


def test_it_takes_the_stream_that_the_trace_names() -> None:
    told = sync_mark("Stream Sync", 3, 31, 60_000, stream=20)
    found = waits(*TWO_STREAMS, call(1, 30, 101_000, 3, STREAM), told)
    assert found == {(3, 4): (51_000, Rule.SYNC_TOLD)}


def test_it_takes_the_record_that_the_trace_names() -> None:
    record = call(1, 20, 5, 3, "cudaEventRecord")
    after = [call(1, 26, 5, 4), kernel(20, 50_031, 10_000, 4)]
    told = sync_mark("Event Sync", 5, 32, 50_000, wait_on_stream=20, wait_on_cuda_event_record_corr_id=3)
    found = waits(*TWO_STREAMS, record, *after, call(1, 32, 70_000, 5, EVENT), told)
    assert found == {(3, 7): (20_002, Rule.SYNC_TOLD)}


def test_it_sees_that_a_copy_was_waited_for() -> None:
    copy = kernel(7, 100, 5_000, 1, "gpu_memcpy")
    assert waits(call(1, 0, 6_000, 1, "cudaMemcpyAsync"), copy) == {(1, 0): (900, Rule.SYNC_COPY)}
    assert waits(call(1, 0, 50, 1, "cudaMemcpyAsync"), copy) == {}


def test_it_finds_a_call_that_was_held_up() -> None:
    usual = [call(1, 200_000 + at, 10, 0) for at in range(0, 100, 20)]
    held = call(1, 30, 101_000, 9)
    found = waits(*TWO_STREAMS, *usual, held)
    assert found == {(1, 9): (1_010, Rule.SYNC_BEHAVIOUR)}
    slow_but_alone = call(1, 110_000, 50_000, 9)
    assert waits(*TWO_STREAMS, *usual, slow_but_alone) == {}
    let_go_too_late = call(1, 30, 140_000, 9)
    assert waits(*TWO_STREAMS, *usual, let_go_too_late) == {}


def test_it_never_lets_a_polling_call_wait() -> None:
    assert waits(*TWO_STREAMS, call(1, 30, 100_000, 3, "cudaEventQuery")) == {}


def test_it_lets_the_inner_of_two_nested_calls_wait() -> None:
    outer, inner = call(1, 30, 100_100, 3, STREAM), call(1, 40, 100_050, 4, "cuStreamSynchronize")
    assert set(waits(*TWO_STREAMS, outer, inner)) == {(1, 5)}
    assert set(waits(*TWO_STREAMS, outer, inner, op(1, 35, 100_080))) == {(1, 5)}


def test_it_keeps_only_the_overhead_of_a_wait() -> None:
    run = make_run([*TWO_STREAMS, call(1, 30, 100_000, 3, SYNC), op(1, 100_050, 10)])
    graph, ends = stretched(run, "kernel", 2)
    last = int(run.traces[0].source_index.tolist().index(5))
    assert ends[last] == 20 + 200_000 + 10 + 20 + 10  # launch, work, overhead, gap, op
    assert graph.measured_ns[graph.end_node[last]] == 100_060


def test_it_waits_in_a_what_if_where_it_passed_in_the_measurement() -> None:
    events = [call(1, 0, 10, 1), kernel(7, 20, 100, 1), call(1, 500, 8, 2, SYNC)]
    graph, ends = stretched(make_run(events), "kernel", 10)
    assert ends[make_run(events).traces[0].source_index.tolist().index(2)] == 20 + 1_000 + 8


def test_it_places_marks_inside_a_sync_where_they_were() -> None:
    run = make_run([*TWO_STREAMS, call(1, 30, 100_000, 3, SYNC), op(1, 40, 10), op(1, 100_022, 3)])
    graph = build_graph(run)
    assert (replay(graph).node_ns == graph.measured_ns).all()


def test_it_takes_no_launch_of_a_kernel_for_a_wait() -> None:
    quick = [event for n in range(9) for event in (call(1, 200_000 * (n + 1), 5_000, n + 5),)]
    slow = call(1, 30, 100_100, 3, "cudaLaunchKernel")
    assert (1, len(TWO_STREAMS) + len(quick)) in waits(*TWO_STREAMS, *quick, slow)
    assert waits(*TWO_STREAMS, *quick, slow, kernel(7, 100_200, 100, 3)) == {}
