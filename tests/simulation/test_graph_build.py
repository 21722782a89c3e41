"""The graph of a run: calibration, what nothing explains, what contradicts itself, what is stored."""

from pathlib import Path

import numpy as np
import pytest

from simulation.errors import StoreError
from simulation.graph import Family, Rule, TaskGraph, build_graph
from simulation.graph.calibration import per_group
from simulation.replay import predict, replay
from simulation.run import Run
from tests.simulation.build import Event, annotation, call, instant, kernel, make_run, op, sync_mark


def positions(run: Run) -> np.ndarray:
    """Row of each event, by its position in the list."""
    return np.argsort(run.traces[0].source_index)


def weights(graph: TaskGraph, family: Family) -> list[int]:
    return graph.weight_ns[graph.family == family].tolist()


def predicted(events: list[Event], factor: int) -> list[tuple[int, int]]:
    """(start, duration) of each event when kernels last `factor` times as long."""
    run = make_run(events)
    table = run.traces[0]
    durations = np.where(table.is_device, table.dur_ns * factor, table.dur_ns)
    prediction = predict(run, build_graph(run), durations)
    rows = positions(run)
    return list(zip(prediction.start_ns[0][rows].tolist(), prediction.dur_ns[0][rows].tolist(), strict=True))


def test_it_takes_percentiles_that_occur() -> None:
    values, group = np.array([5, 1, 9, 7, 3]), np.array([0, 0, 0, 2, 0])
    assert per_group(values, group, 3, 0).tolist() == [1, -1, 7]
    assert per_group(values, group, 3, 50).tolist() == [5, -1, 7]
    assert per_group(values, group, 3, 100).tolist() == [9, -1, 7]
    assert per_group(values[:0], group[:0], 2, 50).tolist() == [-1, -1]


def test_it_calibrates_launches_on_idle_streams_only() -> None:
    events = [call(1, 0, 10, 1), kernel(7, 60, 10_000, 1), call(1, 100, 10, 2), kernel(7, 10_065, 10, 2)]
    assert weights(build_graph(make_run(events)), Family.LAUNCH) == [60, 60]


def test_a_launch_takes_no_longer_than_where_it_follows_a_wait() -> None:
    """The one launch that follows no wait was held up; those behind waits, of which most waited for nothing, say so."""
    waits = [call(1, 1_000 * at, 10, 0, "cudaStreamWaitEvent") for at in range(1, 6)]
    behind = [call(1, 1_000 * at + 20, 10, at) for at in range(1, 6)]
    run = [kernel(7, 1_000 * at + 20 + 60, 10, at) for at in range(1, 6)]
    copy = [call(1, 5_050, 10, 10), kernel(7, 5_400, 10, 10, "gpu_memcpy")]  # a kind that never found its stream idle
    graph = build_graph(make_run([call(1, 0, 10, 9), kernel(7, 900, 10, 9), *waits, *behind, *run, *copy]))
    assert set(weights(graph, Family.LAUNCH)) == {60}


def test_a_launch_takes_what_the_fastest_take_where_all_are_behind_waits() -> None:
    """As on a later stage of a pipeline, whose work waits for what comes in: five of eight waited for it."""
    waits = [call(1, 10_000 * at, 10, 0, "cudaStreamWaitEvent") for at in range(8)]
    launches = [call(1, 10_000 * at + 20, 10, at + 1) for at in range(8)]
    took = [60, 70, 65, 2_000, 3_000, 4_000, 5_000, 6_000]
    run = [kernel(7, 10_000 * at + 20 + took[at], 10, at + 1) for at in range(8)]
    assert set(weights(build_graph(make_run([*waits, *launches, *run])), Family.LAUNCH)) == {60}


def launched(lasting: list[int], after: list[int]) -> list[int]:
    """The weights of launches whose calls last that long, and whose kernels begin so long after they were called."""
    times = list(zip(lasting, after, strict=True))
    events = [call(1, 100_000 * n, dur, n + 1) for n, (dur, _) in enumerate(times)]
    events += [kernel(7, 100_000 * n + late, 10, n + 1) for n, (_, late) in enumerate(times)]
    return weights(build_graph(make_run(events)), Family.LAUNCH)


def test_what_makes_a_call_longer_makes_its_kernel_later_where_that_shows() -> None:
    lasting = [4_000, 5_000, 6_000, 30_000, 5_000, 9_000, 5_000, 4_000]
    assert launched(lasting, [dur + 1_000 for dur in lasting]) == [dur + 1_000 for dur in lasting]
    assert launched(lasting, [7_000] * 8) == [7_000] * 8  # a call goes on after it has handed over its work


def test_it_calibrates_gaps_on_full_queues_only() -> None:
    """From all but the gap itself."""
    full = [call(1, 0, 10, 1), kernel(7, 60, 1_000, 1), call(1, 100, 10, 2), kernel(7, 1_065, 1_000, 2)]
    full += [call(1, 200, 10, 3), kernel(7, 2_074, 10, 3)]
    idle = [call(1, 5_000, 10, 4), kernel(7, 5_060, 10, 4)]
    graph = build_graph(make_run([*full, *idle]))
    assert weights(graph, Family.STREAM_ORDER) == [9, 5, 7]


def test_it_calibrates_gaps_by_what_else_the_device_does() -> None:
    """While another stream copies, the way from one kernel to the next is longer."""
    gaps = [2_000] * 20 + [9_000] * 20
    starts = np.cumsum([1_000, *(100_000 + gap for gap in gaps)]).tolist()
    copy_ns = starts[20] + 50_000
    events = [call(1, 10 * n, 5, n + 1) for n in range(len(starts))]
    events += [kernel(7, start, 100_000, n + 1) for n, start in enumerate(starts)]
    events += [call(1, copy_ns - 100, 5, 99), kernel(8, copy_ns, starts[-1] - copy_ns, 99, "gpu_memcpy")]
    assert weights(build_graph(make_run(events)), Family.STREAM_ORDER) == gaps


def test_it_calibrates_each_trace_for_itself() -> None:
    first = [call(1, 0, 10, 1), kernel(7, 60, 10, 1)]
    second = [call(1, 0, 10, 1), kernel(7, 80, 10, 1)]
    assert sorted(weights(build_graph(make_run(first, second)), Family.LAUNCH)) == [60, 80]


def test_it_keeps_what_nothing_explains_as_a_signed_residual() -> None:
    launches = [
        event for at in range(40) for event in (call(1, at * 1_000, 10, at + 1), kernel(7, at * 1_000 + 60, 10, at + 1))
    ]
    late = [call(1, 50_000, 10, 99), kernel(7, 50_960, 10, 99)]
    early = [call(1, 60_000, 10, 98), kernel(7, 60_020, 10, 98)]
    run = make_run([*launches, *late, *early])
    graph = build_graph(run)
    rows = positions(run)
    residual = graph.residual_ns[graph.start_node[rows]]
    assert residual[-3] == 900 and residual[-1] == -40
    assert np.count_nonzero(residual) == 2


def test_it_fans_a_graph_launch_out() -> None:
    events = [call(1, 0, 10, 1, "cudaGraphLaunch"), kernel(7, 50, 10, 1), kernel(20, 70, 10, 1), kernel(7, 65, 10, 1)]
    graph = build_graph(make_run(events))
    assert (graph.rule == Rule.GRAPH_LAUNCH).sum() == 3
    assert set(weights(graph, Family.LAUNCH)) == {50}


def test_it_holds_events_without_a_cause_where_they_were() -> None:
    run = make_run([op(1, 0, 10), kernel(7, 500, 100), kernel(7, 700, 10)])
    graph = build_graph(run)
    assert graph.edges_by_family()["virtual_start"] == 1
    assert weights(graph, Family.VIRTUAL_START) == [500]
    assert predicted([op(1, 0, 10), kernel(7, 500, 100), kernel(7, 700, 10)], 3)[1:] == [(500, 300), (900, 30)]


def test_it_counts_launches_that_came_too_late_and_leaves_them_out() -> None:
    good = [
        event for at in range(40) for event in (call(1, at * 1_000, 10, at + 1), kernel(7, at * 1_000 + 60, 10, at + 1))
    ]
    run = make_run([*good, call(1, 50_000, 10, 99), kernel(7, 49_900, 10, 99)])
    graph = build_graph(run)
    assert graph.quality.counts() == {"impossible_edges": 1}
    assert graph.edges_by_family()["launch"] == 40
    assert predict(run, graph).report["quality"][0]["code"] == "impossible_edges"


def test_it_bears_with_clocks_that_differ_throughout() -> None:
    skewed = [
        event
        for at in range(1, 41)
        for event in (call(1, at * 1_000, 10, at), kernel(7, at * 1_000 - 200 + at % 3, 10, at))
    ]
    graph = build_graph(make_run(skewed))
    assert graph.edges_by_family()["launch"] == 40 and not len(graph.quality)
    assert set(weights(graph, Family.LAUNCH)) == {-200}
    assert (replay(graph).node_ns == graph.measured_ns).all()


def test_it_starts_overlapping_events_of_a_stream_in_order() -> None:
    events = [call(1, 0, 10, 1), kernel(7, 50, 100, 1), kernel(7, 120, 100), kernel(7, 300, 10)]
    first, second, third = predicted(events, 2)[1:]
    assert first == (50, 200) and second == (120, 200)  # 70 after the first, as a residual
    assert third[0] >= 50 + 200 and third[0] >= 120 + 200


def test_it_stretches_annotations_with_what_they_enclose() -> None:
    events = [call(1, 0, 10, 1), kernel(7, 50, 100, 1), kernel(7, 150, 100), annotation(7, 49, 202)]
    assert predicted(events, 3)[3] == (49, 602)


def test_it_moves_sync_marks_with_their_call() -> None:
    events = [
        call(1, 0, 10, 1),
        kernel(7, 50, 100, 1),
        call(1, 20, 140, 2, "cudaStreamSynchronize"),
        sync_mark("Stream Sync", 2, 22, 136, stream=7),
    ]
    assert predicted(events, 3)[2:] == [(20, 340), (22, 336)]


def test_it_places_lonely_marks_after_the_event_before() -> None:
    events = [call(1, 0, 10, 1), kernel(7, 50, 100, 1), annotation(7, 170, 20), annotation(9, 5, 3)]
    assert predicted(events, 3)[2:] == [(370, 20), (5, 3)]


def test_it_keeps_annotations_of_a_lane_apart() -> None:
    events = [
        call(1, 0, 10, 1),
        kernel(7, 50, 100, 1),
        kernel(7, 150, 100),
        annotation(7, 45, 105),
        annotation(7, 150, 100),
    ]
    (first, first_dur), (second, _) = predicted(events, 4)[3:]
    assert first + first_dur <= second


def test_it_keeps_instants_in_the_chain_of_their_thread() -> None:
    events = [call(1, 0, 10, 1), kernel(7, 50, 100, 1), call(1, 20, 140, 2, "cudaDeviceSynchronize"), instant(1, 200)]
    assert predicted(events, 2)[3] == (300, 0)


def test_it_leaves_the_profilers_window_where_it_was() -> None:
    window = Event("PyTorch Profiler (0)", "Trace", 3, 0, 9_000)
    events = [call(1, 100, 10, 1), kernel(7, 150, 100, 1), window]
    run = make_run(events)
    report = predict(run, build_graph(run)).report
    assert predicted(events, 2)[2] == (0, 9_000)
    assert report["measured_ns"] == 150 and report["events"] == 2


@pytest.mark.parametrize("events", [[instant(1, 5)], [op(1, 0, 0)], [kernel(7, 5, 5)]])
def test_it_takes_the_smallest_runs(events: list[Event]) -> None:
    run = make_run(events)
    prediction = predict(run, build_graph(run))
    assert prediction.start_ns[0].tolist() == run.traces[0].start_ns.tolist()
    assert prediction.report["error_percent"] == 0


def test_it_replays_a_stored_graph(tmp_path: Path) -> None:
    run = make_run([op(1, 0, 100), call(1, 10, 10, 1), kernel(7, 50, 100, 1), annotation(7, 50, 100)], [op(1, 0, 9)])
    graph = build_graph(run)
    graph.save(tmp_path)
    opened = TaskGraph.open(tmp_path)
    assert not opened.weight_ns.flags.writeable
    assert predict(run, opened).report == predict(run, graph).report
    durations = np.full(run.row_base[-1], 500)
    assert (replay(opened, durations).node_ns == replay(graph, durations).node_ns).all()


def test_it_refuses_a_graph_of_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    build_graph(make_run([op(1, 0, 100)])).save(tmp_path)
    monkeypatch.setattr("simulation.graph.taskgraph.GRAPH_VERSION", 99)
    with pytest.raises(StoreError, match=r"version \d+, not 99"):
        TaskGraph.open(tmp_path)
