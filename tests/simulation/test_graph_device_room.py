"""Kernels that keep other streams off the device."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.graph import Family, Rule, TaskGraph, build_graph
from simulation.graph.device_room import COPY, STAMP_NS, WAVE, WAVES, WINDOW, _held_up
from simulation.graph.event_wait import HELD_NS, NEAR_NS, NONE
from simulation.replay import predict, replay
from simulation.run import Run
from tests.simulation.build import Event, call, kernel, make_run

US = 1_000
DEVICE = {"numSms": 10, "maxThreadsPerMultiprocessor": 2048, "regsPerMultiprocessor": 65536, "warpSize": 32}


def on_device(events: list[Event]) -> Run:
    """Times in microseconds, on a device of 10 multiprocessors: 20 blocks of 1,024 threads at once."""
    scaled = [Event(e.name, e.category, e.where, e.start * US, (e.dur or 0) * US, e.args) for e in events]
    run = make_run(scaled)
    info = replace(run.traces[0].info, metadata={"deviceProperties": [DEVICE]})
    return replace(run, traces=(replace(run.traces[0], info=info),))


def filling(stream: int, start: int, dur: int, correlation: int, blocks: int) -> Event:
    event = kernel(stream, start, dur, correlation)
    return replace(
        event, args={**event.args, "grid": [blocks, 1, 1], "block": [1024, 1, 1], "registers per thread": 16}
    )


def room(graph: TaskGraph) -> list[tuple[str, int, int]]:
    edge = np.flatnonzero(graph.family == Family.DEVICE_ROOM)
    target = np.searchsorted(graph.offsets, edge, side="right") - 1
    return [
        (Rule(int(graph.rule[e])).name, int(graph.measured_ns[graph.source[e]]) // US, int(graph.measured_ns[t]) // US)
        for e, t in zip(edge, target, strict=True)
    ]


def late(start: int, *, blocks: int) -> list[Event]:
    """A kernel of so many blocks on stream 7 from 6 to 1006 us, and one on stream 20 that was launched at 20 us."""
    return [call(1, 0, 5, 1), filling(7, 6, 1000, 1, blocks), call(1, 20, 5, 2), filling(20, start, 9, 2, 1)]


def test_it_lets_a_kernel_in_with_the_last_wave() -> None:
    run = on_device(late(960, blocks=400))  # 20 waves of 50 us
    graph = build_graph(run)
    assert room(graph) == [("ROOM_KERNEL", 1006, 960)]
    assert (replay(graph).node_ns == graph.measured_ns).all()
    table = run.traces[0]
    longer = predict(run, graph, np.where(table.dur_ns == 1000 * US, 2000 * US, table.dur_ns))
    assert longer.start_ns[0][table.is_device].max() == 1960 * US


def test_it_lets_a_kernel_in_when_a_single_wave_ends() -> None:
    assert room(build_graph(on_device(late(1003, blocks=18)))) == [("ROOM_KERNEL", 1006, 1003)]


def test_it_has_room_beside_a_small_kernel() -> None:
    assert room(build_graph(on_device(late(1003, blocks=5)))) == []


def test_it_takes_nothing_for_full_that_started_in_the_middle() -> None:
    assert room(build_graph(on_device(late(500, blocks=400)))) == []


def test_it_says_nothing_of_a_device_that_the_trace_does_not_describe() -> None:
    run = on_device(late(1003, blocks=400))
    info = replace(run.traces[0].info, metadata={})
    assert room(build_graph(replace(run, traces=(replace(run.traces[0], info=info),)))) == []


def test_it_queues_copies_of_all_streams_for_the_engine() -> None:
    first, second = (kernel(s, a, d, c, "gpu_memcpy") for s, a, d, c in ((7, 6, 500, 1), (20, 508, 9, 2)))
    events = [call(1, 0, 5, 1), first, call(1, 20, 5, 2), second]
    assert room(build_graph(on_device(events))) == [("ROOM_COPY", 506, 508)]


event = st.tuples(st.integers(0, 300), st.integers(0, 200), st.integers(0, 100), st.booleans(), st.integers(-1, 1))


@given(st.lists(st.lists(event, min_size=1, max_size=5), min_size=1, max_size=3))
def test_it_finds_who_held_whom(streams: list[list[tuple[int, int, int, bool, int]]]) -> None:
    entries = [(number, *entry) for number, stream in enumerate(streams) for entry in sorted(stream)]
    stream, start, dur, held, in_engine, fills = (np.array(column) for column in zip(*entries, strict=True))
    start, dur, held = start * US, dur * US, held * US
    fills = np.where(in_engine, COPY, fills)
    offsets = np.searchsorted(stream, np.arange(len(streams) + 1))
    every = np.full(len(streams), len(streams))
    end, wave = start + dur, dur // 3
    found = _held_up(offsets, np.zeros_like(every), every, start, end, start - held, in_engine, wave, fills, WINDOW)
    expected = []
    for target in range(len(entries)):
        fits = []
        for other in range(len(streams)):
            before = [e for e in range(len(entries)) if stream[e] == other and start[e] < start[target]]
            for source in reversed(before[-2:]):
                early = end[source] - start[target]
                opens = WINDOW[fills[source]] * wave[source] + STAMP_NS
                same_place = in_engine[source] == in_engine[target] and other != stream[target]
                explains = end[source] >= start[target] - held[target] + HELD_NS
                if fills[source] != NONE and same_place and explains and -NEAR_NS <= early <= opens:
                    fits.append((abs(early), other, -source))
        if fits and held[target] >= HELD_NS:
            expected.append((-min(fits)[2], target))
    assert list(zip(*(column.tolist() for column in found), strict=True)) == expected
    assert {WAVES, WAVE, COPY} == {0, 1, 2}
