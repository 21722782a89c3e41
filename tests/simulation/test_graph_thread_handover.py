"""Threads that wait for one another."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.graph import Family, Rule, TaskGraph, build_graph
from simulation.graph.polling import polling_tracks
from simulation.graph.thread_handover import _given
from simulation.replay import replay, replay_run
from simulation.run import Run
from tests.simulation.build import Event, call, make_run, op

US = 1_000


def us(events: list[Event]) -> Run:
    return make_run([Event(e.name, e.category, e.where, e.start * US, (e.dur or 0) * US, e.args) for e in events])


def numbered(thread: int, start: int, dur: int, sequence: int) -> Event:
    return Event("op", "cpu_op", thread, start, dur, {"Sequence number": sequence})


def frame(thread: int, start: int, dur: int) -> Event:
    return Event("backward", "user_annotation", thread, start, dur)


def handovers(graph: TaskGraph) -> list[tuple[str, int, int]]:
    edge = np.flatnonzero(graph.family == Family.THREAD_HANDOVER)
    target = np.searchsorted(graph.offsets, edge, side="right") - 1
    return [
        (Rule(int(graph.rule[e])).name, int(graph.measured_ns[graph.source[e]]) // US, int(graph.measured_ns[t]) // US)
        for e, t in zip(edge, target, strict=True)
    ]


def delayed(graph: TaskGraph, by_us: int) -> np.ndarray:
    """Measured order of nodes, in us, if the first slice of the run took longer."""
    weight = graph.weight_ns.copy()
    weight[np.flatnonzero(weight > 0)[0]] += by_us * US
    return replay(graph, weight_ns=weight).node_ns // US


BACKWARD = [numbered(1, 0, 300, 5), frame(1, 310, 2_000), numbered(2, 400, 1_500, 5), op(1, 2_000, 100)]
"""Thread 1 works to 310 us and again from 2,000; thread 2 from 400 to 1,900."""


def test_it_hands_work_to_another_thread_and_back() -> None:
    graph = build_graph(us(BACKWARD))
    assert handovers(graph) == [("HANDOVER_TOLD", 310, 400), ("HANDOVER_TOLD", 1900, 2000)]
    assert (replay(graph).node_ns == graph.measured_ns).all()


def test_it_moves_the_thread_that_takes_over() -> None:
    graph = build_graph(us(BACKWARD))
    assert (delayed(graph, 70)[1:] - graph.measured_ns[1:] // US).tolist() == [0, *[70] * (graph.nodes - 2)]


def test_it_guesses_where_autograd_says_nothing() -> None:
    graph = build_graph(us([op(1, 0, 300), op(2, 380, 100), op(1, 600, 50)]))
    assert handovers(graph) == [("HANDOVER_GAP", 300, 380), ("HANDOVER_GAP", 480, 600)]


def test_it_takes_work_within_an_operator_for_no_rest() -> None:
    assert handovers(build_graph(us([op(1, 0, 1_000), op(2, 380, 100)]))) == []


def test_it_takes_a_late_start_for_no_handover() -> None:
    assert handovers(build_graph(us([op(1, 0, 300), op(2, 2_000, 100)]))) == []


def test_it_leaves_polling_threads_alone() -> None:
    polls = [call(3, at, 2, 0, "cudaEventQuery") for at in range(350, 3_000, 500)]
    run = us([op(1, 0, 300), *polls])
    assert [track.tid for track, polls in zip(run.traces[0].tracks, polling_tracks(run), strict=True) if polls] == ["3"]
    assert handovers(build_graph(run)) == []


def test_a_polling_thread_does_not_end_the_run() -> None:
    polls = [call(3, at, 2, 0, "cudaEventQuery") for at in range(350, 9_000, 500)]
    report = replay_run(us([op(1, 0, 300), *polls])).report
    assert report["critical_path"]["measured"]["length_ns"] == 300 * US and report["gap_percent"] == 0
    assert report["measured_ns"] > 8_000 * US  # all that was replayed


rest = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 40), st.integers(0, 20), st.booleans())


@given(st.lists(rest, max_size=12))
def test_it_finds_givers_by_definition(drawn: list[tuple[int, int, int, int, bool]]) -> None:
    idle = sorted((trace, begin, begin + dur, 4 * trace + thread, gives) for trace, thread, begin, dur, gives in drawn)
    columns = [np.array([each[i] for each in idle], kind) for i, kind in enumerate((int, int, int, int, bool))]
    trace, begin, end, track, gives = columns
    found = _given(trace, track, gives, begin, end, 5)
    expected = []
    for taker, (group, since, until, thread, _) in enumerate(idle):
        fits = [
            giver
            for giver, (other, from_, to, owner, can) in enumerate(idle)
            if other == group and owner != thread and can and since < from_ <= until < to and from_ >= until - 5
        ]
        if fits:
            expected.append((max(fits), taker))
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected
