"""Waits that other steps refute: against the definition, and what they would do to a prediction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.graph import Family, Rule, TaskGraph, build_graph
from simulation.run import Run
from simulation.trust.alike import Alike
from simulation.trust.edited import only
from simulation.trust.marks import Marks
from simulation.trust.refuted import RESOLUTION_NS, refuted
from simulation.trust.steps_from_others import predict_steps
from tests.simulation.build import Event, call, kernel, make_run, op

US = 1_000
WAIT = "cudaStreamWaitEvent"

Work = tuple[int, int, int]
"""(us that the host takes before it launches, us that the kernel starts late, us that it lasts)"""


def stepped(steps: list[list[Work]]) -> Run:
    """Steps that launch on streams 7 and 20 in turn, behind a wait each, and wait for the device at the end."""
    events: list[Event] = [op(1, 0, 50)]
    at, free, number = 100, {7: 0, 20: 0}, 0
    for step, works in enumerate(steps):
        begin, place = at, len(events)
        for turn, (host, late, lasts) in enumerate(works):
            stream = (7, 20)[turn % 2]
            number, start = number + 1, max(at + host + 6, free[stream]) + late
            free[stream] = start + lasts
            args = kernel(stream, 0, 0, number).args
            events += [call(1, at + host - 3, 1, 0, WAIT), call(1, at + host, 5, number)]
            events.append(Event(f"k{turn}", "kernel", ("stream", stream), start, lasts, args))
            at += host + 5
        until = max(at + 10, *free.values()) + 3
        events.append(call(1, at + 5, until - at - 5, 100_000 + step, "cudaDeviceSynchronize"))
        events.insert(place, Event(f"ProfilerStep#{step}", "user_annotation", 1, begin, until + 5 - begin))
        at = until + 20
    return make_run([Event(e.name, e.category, e.where, e.start * US, (e.dur or 0) * US, e.args) for e in events])


def expected(run: Run, graph: TaskGraph, step: int) -> set[int]:
    """The definition, slowly: which guessed waits of the step another refutes; a kernel is its turn in its step."""
    table = run.traces[0]
    rows = [r for r in range(len(table)) if table.category_of(r) == "kernel"]
    of = {r: (int(Marks.of(run).of_rows[r]), table.name_of(r)) for r in rows}
    row_of = {name: r for r, name in of.items()}
    steps = {number for number, _ in of.values()}
    start_of = {int(graph.start_node[r]): r for r in rows}
    end_of = {int(graph.end_node[r]): r for r in rows}
    found: dict[int, list[int]] = {}
    for target, (first, last) in enumerate(pairwise(graph.offsets.tolist())):
        for edge in range(first, last):
            if graph.family[edge] != Family.EVENT_WAIT or graph.rule[edge] == Rule.EVENT_TOLD:
                continue
            (at, waits), (before, awaited) = of[start_of[target]], of[end_of[int(graph.source[edge])]]
            for other in steps - {step}:
                a, b = row_of.get((other, waits)), row_of.get((other - step + before, awaited))
                if at != step or other - step + before == step or a is None or b is None:
                    continue
                if table.start_ns[a] < table.start_ns[b] + table.dur_ns[b] - RESOLUTION_NS:
                    found.setdefault(target, []).append(edge)
    return {edge for edges in found.values() for edge in edges}


works = st.lists(st.tuples(st.integers(10, 300), st.sampled_from([0, 0, 0, 40]), st.integers(5, 400)), min_size=5,
                 max_size=5)  # fmt: skip


@given(st.lists(works, min_size=2, max_size=4))
@settings(max_examples=60)
def test_it_finds_what_another_step_refutes(steps: list[list[Work]]) -> None:
    run = stepped(steps)
    graph = build_graph(run)
    alike = Alike.of(run, graph, Marks.of(run))
    for step in range(len(steps)):
        others = np.array([other for other in range(len(steps)) if other != step])
        assert set(refuted(graph, alike, step, others).tolist()) == expected(run, graph, step)


def test_a_step_does_not_wait_for_what_the_others_did_not() -> None:
    """In one step the first kernel is short, and the second seems to wait for it."""
    usual, odd = [(20, 0, 500), (30, 0, 300)], [(20, 0, 20), (30, 0, 300)]
    run = stepped([usual, usual, odd, usual])
    graph = build_graph(run)
    alike = Alike.of(run, graph, Marks.of(run))
    assert [len(refuted(graph, alike, step, np.delete(np.arange(4), step))) for step in range(4)] == [0, 0, 1, 0]
    line = predict_steps(run, graph)["steps"][2]
    assert line["measured_ns"] < 400 * US
    assert line["predicted_ns"] == pytest.approx(line["naive_ns"], abs=5 * US)  # not by 300 us longer


def test_a_wait_that_no_step_refutes_stays() -> None:
    """The second kernel starts when the first has ended, whenever that is."""
    run = stepped([[(20, 0, 500), (30, 470, 300)], [(20, 0, 400), (30, 370, 300)], [(20, 0, 450), (30, 420, 300)]])
    graph = build_graph(run)
    assert (graph.rule == Rule.EVENT_HELD).sum() == 3
    alike = Alike.of(run, graph, Marks.of(run))
    assert [len(refuted(graph, alike, step, np.delete(np.arange(3), step))) for step in range(3)] == [0, 0, 0]


def test_only_keeps_the_edges_of_a_mask() -> None:
    graph = build_graph(stepped([[(20, 0, 500), (30, 0, 300)]]))
    target = np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))
    kept = np.arange(graph.edges) % 3 != 1
    less = only(graph, kept)
    assert np.repeat(np.arange(less.nodes), np.diff(less.offsets)).tolist() == target[kept].tolist()
    assert less.source.tolist() == graph.source[kept].tolist()
    assert less.weight_ns.tolist() == graph.weight_ns[kept].tolist()
