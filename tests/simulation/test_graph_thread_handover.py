"""Threads that wait for one another."""

from __future__ import annotations

import dataclasses

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


ASKED = [
    numbered(1, 0, 300, 5),
    frame(1, 310, 2_000),
    numbered(2, 400, 700, 5),
    op(2, 1_101, 20),
    op(1, 1_110, 30),
    op(2, 1_130, 770),
    op(1, 2_000, 100),
]
"""As BACKWARD, but thread 1 does something at 1,110 us, while thread 2 works."""


def test_it_goes_on_when_its_helper_asks() -> None:
    graph = build_graph(us(ASKED))
    told = [("HANDOVER_TOLD", 310, 400), ("HANDOVER_ASKED", 1101, 1110), ("HANDOVER_TOLD", 1900, 2000)]
    assert handovers(graph) == told
    assert (replay(graph).node_ns == graph.measured_ns).all()
    assert (delayed(graph, 70)[1:] - graph.measured_ns[1:] // US).tolist() == [0, *[70] * (graph.nodes - 2)]


def test_only_a_known_helper_asks() -> None:
    strangers = [Event(e.name, e.category, e.where, e.start, e.dur) for e in ASKED]
    rules = [rule for rule, *_ in handovers(build_graph(us(strangers)))]
    assert rules == ["HANDOVER_GAP", "HANDOVER_GAP"]


def test_nobody_asks_who_rests() -> None:
    quiet = [event for event in ASKED if event.where == 1 or event.start < 1_000]
    longer = [
        dataclasses.replace(event, dur=200) if event.where == 2 else event for event in quiet
    ]  # at rest since 600 us
    assert [each for each in handovers(build_graph(us(longer))) if each[0] == "HANDOVER_ASKED"] == []


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


def test_it_waits_for_the_thread_it_gave_work_to() -> None:
    """Thread 3, a loader that works beside, comes to rest later than thread 2, which thread 1 waits for."""
    loader = [op(3, 150, 700), op(3, 2_000, 10)]
    graph = build_graph(us([op(1, 0, 300), op(2, 320, 480), *loader, op(1, 860, 50)]))
    assert handovers(graph) == [("HANDOVER_GAP", 300, 320), ("HANDOVER_GAP", 800, 860)]


def test_it_waits_for_the_thread_that_autograd_names() -> None:
    """Nothing was seen to give thread 2 its work: it was at it before thread 1 came to rest."""
    loader = [op(3, 150, 700), op(3, 2_000, 10)]
    graph = build_graph(us([numbered(1, 0, 300, 5), numbered(2, 200, 600, 5), *loader, op(1, 860, 50)]))
    assert handovers(graph) == [("HANDOVER_TOLD", 800, 860)]


rest = st.tuples(st.integers(0, 2), st.integers(0, 3), st.integers(0, 40), st.integers(0, 20), st.booleans())
Rest = tuple[int, int, int, int, bool]


def slow_given(idle: list[Rest], tied: set[tuple[int, int]]) -> dict[int, int]:
    """The giver of each taker by the module's text: takers as they go on, `owner` who gave a thread its work last."""
    found: dict[int, int] = {}
    owner: dict[int, int] = {}
    for taker in sorted(range(len(idle)), key=lambda at: (idle[at][2], at)):
        group, since, until, thread, _ = idle[taker]
        fits = [
            giver
            for giver, (other, from_, to, track, can) in enumerate(idle)
            if other == group and track != thread and can and since < from_ <= until < to and from_ >= until - 5
        ]
        if fits:
            of = [idle[giver][3] for giver in fits]
            ranked = zip(
                [(thread, track) in tied for track in of],
                [owner.get(track) == taker for track in of],
                fits,
                strict=True,
            )
            found[taker] = owner[thread] = max(ranked)[2]
    return found


@given(st.lists(rest, max_size=12), st.sets(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=5))
def test_it_finds_givers_by_definition(drawn: list[Rest], pairs: set[tuple[int, int]]) -> None:
    idle = sorted((trace, begin, begin + dur, 4 * trace + thread, gives) for trace, thread, begin, dur, gives in drawn)
    columns = [np.array([each[i] for each in idle], kind) for i, kind in enumerate((int, int, int, int, bool))]
    trace, begin, end, track, gives = columns
    tied = pairs | {(b, a) for a, b in pairs}
    giver, taker, knows = _given(trace, track, gives, begin, end, np.array(sorted(tied), np.int64).reshape(-1, 2), 5)
    assert dict(zip(taker.tolist(), giver.tolist(), strict=True)) == slow_given(idle, tied)
    assert knows.tolist() == [(track[a], track[b]) in tied for a, b in zip(giver, taker, strict=True)]
