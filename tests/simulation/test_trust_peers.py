"""Meetings with ranks that are not in the run: against the definition, and a peer that decides when a step ends."""

from __future__ import annotations

from statistics import fmean, median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.graph import Certainty, Family, Rule, build_graph
from simulation.graph.edges import Edges
from simulation.run import Run
from simulation.trust import steps_from_others
from simulation.trust.alike import Alike
from simulation.trust.edited import more
from simulation.trust.marks import Marks
from simulation.trust.peers import SEEN_LEAST, Peers
from simulation.trust.steps_from_others import predict_steps
from tests.simulation.build import Event, call, kernel, make_run, op

US = 1_000
TOLD = {"Collective name": "allreduce", "Process Group Name": "0", "Process Group Ranks": "[0, 1]", "Group size": 2}

Meeting = tuple[int, int, int]
"""(us that this rank takes before it, us after the meeting before at which the other rank comes, us of the transfer)"""


def stepped(steps: list[list[Meeting]]) -> tuple[Run, list[list[tuple[int, int]]]]:
    """Rank 0 of two; it waits for the device at the end of each step. (run, start and end in us of each meeting)."""
    events: list[Event] = [op(1, 0, 50)]
    at, met, number, found = 100, 100, 0, []
    for step, meetings in enumerate(steps):
        begin, place, times = at, len(events), []
        for host, peer, transfer in meetings:
            number += 1
            start = max(at + host + 6, met + 1)
            events += [op(1, at, host), call(1, at + host, 5, number)]
            end = max(start, met + peer) + transfer
            args = kernel(20, 0, 0, number).args | TOLD
            events.append(Event("ncclDevKernel_AllReduce_Sum_f32", "kernel", ("stream", 20), start, end - start, args))
            times.append((start, end))
            at, met = at + host + 5, end
        until = max(at + 10, met) + 3
        events.append(call(1, at + 5, until - at - 5, 100_000 + step, "cudaDeviceSynchronize"))
        events.insert(place, Event(f"ProfilerStep#{step}", "user_annotation", 1, begin, until + 5 - begin))
        at = until + 20
        found.append(times)
    run = make_run([Event(e.name, e.category, e.where, e.start * US, (e.dur or 0) * US, e.args) for e in events])
    return run, found


def expected(times: list[list[tuple[int, int]]], step: int) -> list[tuple[int, int]]:
    """(us since the meeting before, us of the transfer) of each that borrows its end, slowly."""
    order = [(s, m) for s, each in enumerate(times) for m in range(len(each))]
    end = {at: times[at[0]][at[1]][1] for at in order}
    seen = {}
    for turn in range(len(times[step])):
        at = order.index((step, turn))
        if at == 0:
            continue
        back = step - order[at - 1][0], order[at - 1][1]
        others = [(s, (s - back[0], back[1])) for s in range(len(times)) if s != step and s - back[0] not in (-1, step)]
        seen[turn] = {s: (end[s, turn] - times[s][turn][0], end[s, turn] - end[before]) for s, before in others}
    seen = {turn: each for turn, each in seen.items() if len(each) >= SEEN_LEAST}

    def spread(kind: int) -> float:
        values = [[each[kind] for each in told.values()] for told in seen.values()]
        return sum(fmean(abs(v - median(row)) for v in row) for row in values)

    if not seen or spread(1) > spread(0):
        return []
    typical = {turn: median(each[1] for each in told.values()) for turn, told in seen.items()}
    ratios = []
    for s in range(len(times)):
        if said := sum(typical[turn] for turn, told in seen.items() if s in told):
            ratios.append(sum(told[s][1] for told in seen.values() if s in told) / said)
    factor = median(ratios)
    return [(round(typical[turn] * factor * US), min(each[0] for each in told.values()) * US)
            for turn, told in seen.items()]  # fmt: skip


meetings = st.lists(st.tuples(st.integers(5, 300), st.integers(5, 400), st.integers(10, 60)), min_size=2, max_size=2)


@given(st.lists(meetings, min_size=3, max_size=6))
@settings(max_examples=60)
def test_it_borrows_what_varies_less(steps: list[list[Meeting]]) -> None:
    run, times = stepped(steps)
    graph = build_graph(run)
    peers, alike = Peers.of(run, graph), Alike.of(run, graph, Marks.of(run))
    assert len(peers.end) == 2 * len(steps) - 1
    for step in range(len(steps)):
        others = np.array([other for other in range(len(steps)) if other != step])
        edges, work, transfer_ns = peers.borrowed(graph, alike, step, others)
        found = list(zip(edges.weight_ns.tolist(), transfer_ns.tolist(), strict=True))
        assert len(found) == len(expected(times, step))
        for one, two in zip(found, expected(times, step), strict=True):
            assert one == pytest.approx(two, abs=1)  # a half is rounded either way
        assert (graph.family[work] == Family.DEVICE_WORK).all()
        assert (np.searchsorted(graph.offsets, work, side="right") - 1 == edges.target).all()


HOSTS = [(300, 20), (20, 300), (20, 20), (300, 300), (20, 20), (300, 20), (20, 300)]
"""How long this rank takes before each of two meetings; the other rank always comes 500 us after the last."""


def test_a_peer_that_comes_last_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    run, _ = stepped([[(first, 500, 50), (second, 500, 50)] for first, second in HOSTS])
    graph = build_graph(run)
    found = predict_steps(run, graph)
    assert len(found["steps"]) == len(HOSTS)
    assert found["mean_error_percent"] < found["naive_mean_error_percent"] + 0.5

    def nothing(*_: object) -> tuple[Edges, np.ndarray, np.ndarray]:
        return Edges.empty(0), np.zeros(0, np.int64), np.zeros(0, np.int64)

    monkeypatch.setattr(steps_from_others.Peers, "borrowed", nothing)
    assert predict_steps(run, graph)["mean_error_percent"] > 5


def test_it_leaves_meetings_as_they_last_where_this_rank_comes_last() -> None:
    """The other rank is always there before: what is the same in all steps is how long they last."""
    run, _ = stepped([[(first, 5, 50), (second, 5, 50)] for first, second in HOSTS])
    graph = build_graph(run)
    peers, alike = Peers.of(run, graph), Alike.of(run, graph, Marks.of(run))
    for step in range(len(HOSTS)):
        edges, _, _ = peers.borrowed(graph, alike, step, np.delete(np.arange(len(HOSTS)), step))
        assert len(edges.source) == 0


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(-50, 50)), max_size=12))
@settings(max_examples=40)
def test_more_adds_edges_that_point_forward(added: list[tuple[int, int, int]]) -> None:
    graph = build_graph(stepped([[(20, 50, 50), (20, 50, 50)]])[0])
    added = [(a % graph.nodes, b % graph.nodes, weight_ns) for a, b, weight_ns in added]
    source, target, weight_ns = (np.array([each[column] for each in added], np.int64) for column in range(3))
    rule, certainty = Rule.TRANSFER, Certainty.GUESSED
    grown = more(graph, Edges.of(Family.COLLECTIVE, source, target, weight_ns, rule, certainty))
    for node in range(graph.nodes):
        mine = slice(graph.offsets[node], graph.offsets[node + 1])
        before = list(zip(graph.source[mine].tolist(), graph.weight_ns[mine].tolist(), strict=True))
        now = slice(grown.offsets[node], grown.offsets[node + 1])
        after = list(zip(grown.source[now].tolist(), grown.weight_ns[now].tolist(), strict=True))
        assert after == before + [(a, w) for a, b, w in added if b == node and a < b]
