"""Launches that find their queue full."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.graph import Family, Rule, build_graph
from simulation.graph.launch_queue import _ended
from simulation.replay import predict, replay
from simulation.run import Run
from tests.simulation.build import call, kernel, make_run

US = 1_000
DEPTH, KERNEL, CALL, LATENCY, OVERHEAD = 100, 50 * US, 2 * US, 6 * US, 1 * US


def full_queue(launches: int, kernel_ns: int = KERNEL) -> Run:
    """A thread that launches kernels as fast as a queue of DEPTH entries takes them."""
    events, ends, now, free = [], [], 0, 0
    for number in range(launches):
        start, back = now, now + CALL
        if number >= DEPTH and ends[number - DEPTH] > back:
            back = ends[number - DEPTH] + OVERHEAD
        begins = max(start + LATENCY, free)
        free = begins + kernel_ns
        ends.append(free)
        events += [call(1, start, back - start, number + 1), kernel(7, begins, kernel_ns, number + 1)]
        now = back + US
    return make_run(events)


@pytest.mark.parametrize("launches", [150, 700])
def test_it_infers_the_depth_of_a_queue(launches: int) -> None:
    """Of 700 launches nearly all are held up."""
    run = full_queue(launches)
    graph = build_graph(run)
    edge = np.flatnonzero(graph.family == Family.LAUNCH_QUEUE)
    rules = [Rule(int(rule)).name for rule in graph.rule[edge]]
    assert set(rules) <= {"QUEUE_HELD", "QUEUE_LIMIT"} and rules.count("QUEUE_HELD") >= 40
    assert (replay(graph).node_ns == graph.measured_ns).all()
    slower = predict(run, graph, np.where(run.traces[0].is_device, 2 * KERNEL, run.traces[0].dur_ns))
    truth = full_queue(launches, 2 * KERNEL).traces[0]
    assert abs(int(slower.start_ns[0].max()) - int(truth.start_ns.max())) <= 10 * US


def test_it_limits_launches_that_were_not_held_up_too() -> None:
    run = full_queue(260, kernel_ns=4 * US)  # at the rate of the host: the queue fills slowly
    assert not (build_graph(run).family == Family.LAUNCH_QUEUE).any()


def test_it_takes_a_slow_launch_for_no_full_queue() -> None:
    events = [
        event for at in range(90) for event in (call(1, at * 10, 5, at + 1), kernel(7, 2_000 + at * 10, 5, at + 1))
    ]
    assert not (build_graph(make_run([*events, call(1, 900, 100 * US, 99)])).family == Family.LAUNCH_QUEUE).any()


@given(st.lists(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 90)), min_size=1, max_size=8), max_size=3))
def test_it_counts_what_had_ended(streams: list[list[tuple[int, int]]]) -> None:
    entries = [entry for stream in streams for entry in stream]
    offsets = np.cumsum([0, *(len(stream) for stream in streams)])
    end, back = (np.array([entry[i] for entry in entries], np.int64) for i in (0, 1))
    end = np.concatenate(
        [np.zeros(0, np.int64), *(np.sort(end[a:b]) for a, b in zip(offsets, offsets[1:], strict=False))]
    )
    found = _ended(offsets, end, back).tolist()
    for begin, after in zip(offsets.tolist(), offsets.tolist()[1:], strict=False):
        for launch in range(begin, after):
            done = [other for other in range(begin, launch) if end[other] <= back[launch]]
            assert found[launch] == max(done, default=begin - 1)
