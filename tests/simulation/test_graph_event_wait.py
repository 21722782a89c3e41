"""Waits between streams: told, seen, by order; against the definition, slowly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.graph import Family, Rule, TaskGraph, build_graph, event_wait
from simulation.graph.awaited import NEVER_NS, DeviceQueues
from simulation.graph.event_wait import CHANCE, HELD_NS, NEAR_NS, NONE, RECORDS_BACK
from simulation.graph.tasks import Tasks
from simulation.replay import predict, replay
from simulation.run import Run
from tests.simulation import oracle
from tests.simulation.build import Event, call, kernel, make_run, op, sync_mark

US = 1_000
WAIT, RECORD = "cudaStreamWaitEvent", "cudaEventRecord"


def us(events: list[Event]) -> Run:
    """A run whose times are given in microseconds."""
    return make_run(
        [Event(e.name, e.category, e.where, e.start * US, (e.dur or 0) * US, e.args) for e in events]
    )  # fmt: skip


def waits(run: Run) -> tuple[TaskGraph, list[tuple[str, int, int]]]:
    """(rule, end in us of what is awaited, start in us of what waits) of each edge, by the latter."""
    graph = build_graph(run)
    edge = np.flatnonzero(graph.family == Family.EVENT_WAIT)
    target = np.searchsorted(graph.offsets, edge, side="right") - 1
    found = [
        (Rule(int(graph.rule[e])).name, int(graph.measured_ns[graph.source[e]]) // US, int(graph.measured_ns[t]) // US)
        for e, t in zip(edge, target, strict=True)
    ]
    return graph, sorted(found, key=lambda each: each[2])


COMPUTE = [call(1, 0, 5, 1), kernel(7, 6, 500, 1)]
"""A long kernel on stream 7; launches take 6 us."""


def test_it_sees_what_was_held_up_behind_a_wait() -> None:
    run = us([*COMPUTE, call(1, 20, 1, 0, RECORD), call(1, 22, 1, 0, WAIT), call(1, 30, 5, 2), kernel(20, 508, 50, 2)])
    graph, found = waits(run)
    assert found == [("EVENT_HELD", 506, 508)]
    assert graph.weight_ns[graph.family == Family.EVENT_WAIT].tolist() == [2 * US]
    table = run.traces[0]
    longer = predict(run, graph, np.where(table.is_device & (table.dur_ns == 500 * US), 700 * US, table.dur_ns))
    assert longer.start_ns[0][table.is_device].max() == 708 * US


def test_it_takes_the_last_of_two_ends_before_one_start() -> None:
    first = [call(1, 10, 5, 2), kernel(20, 16, 490, 2), call(1, 20, 1, 0, RECORD), call(1, 22, 1, 0, WAIT)]
    second = [call(1, 30, 5, 3), kernel(24, 36, 474, 3), call(1, 40, 1, 0, RECORD), call(1, 42, 1, 0, WAIT)]
    _, found = waits(us([op(1, 0, 5), *first, *second, call(1, 50, 5, 4), kernel(28, 512, 50, 4)]))
    assert [each for each in found if each[2] == 512] == [("EVENT_HELD", 510, 512)]


def test_it_calibrates_no_launch_behind_a_wait() -> None:
    waiting = [call(1, 20, 1, 0, RECORD), call(1, 22, 1, 0, WAIT), call(1, 30, 5, 2)]
    run = us([*COMPUTE, *waiting, kernel(20, 508, 50, 2, "gpu_memcpy")])
    graph = build_graph(run)
    assert graph.weight_ns[graph.family == Family.LAUNCH].tolist() == [6 * US, 6 * US]


def test_it_takes_the_launches_around_a_wait_where_nothing_is_seen() -> None:
    run = us([*COMPUTE, call(1, 22, 1, 0, WAIT), call(1, 800, 5, 2), kernel(20, 806, 50, 2)])
    assert waits(run)[1] == [("EVENT_ORDER", 506, 806)]


def test_it_finds_the_stream_that_a_thread_turns_to_later() -> None:
    first = [call(1, 0, 5, 1), kernel(20, 6, 4, 1)]
    more = [event for at in range(30, 90, 20) for event in (call(1, at, 5, at), kernel(7, at + 6, 5, at))]
    run = us([*first, *more, call(1, 100, 1, 0, WAIT), call(1, 110, 5, 8), kernel(7, 116, 5, 8), call(1, 130, 5, 9),
              kernel(20, 136, 5, 9)])  # fmt: skip
    assert waits(run)[1] == [("EVENT_ORDER", 81, 136)]


def test_it_hangs_a_collective_on_what_is_computed() -> None:
    first, second = (
        Event("ncclDevKernel_SendRecv", "kernel", ("stream", stream), at, 5, {"stream": stream, "correlation": number})
        for stream, at, number in ((32, 27, 2), (36, 836, 3))
    )
    events = [*COMPUTE, call(1, 21, 5, 2), first, call(1, 824, 1, 0, WAIT), call(1, 830, 5, 3), second]
    assert waits(us(events))[1] == [("EVENT_ORDER", 506, 836)]


def test_it_finds_what_another_thread_launched_behind_a_wait() -> None:
    other = [call(2, 60, 5, 3), kernel(20, 509, 5, 3)]
    assert waits(us([*COMPUTE, call(1, 22, 1, 0, WAIT), *other]))[1] == [("EVENT_HELD", 506, 509)]


def test_it_believes_what_the_trace_tells() -> None:
    told = sync_mark("Stream Wait Event", 6, 42, 1, stream=20, wait_on_stream=7, wait_on_cuda_event_record_corr_id=5)
    more = [call(1, 24, 5, 3), kernel(7, 507, 9, 3)]
    wait = [call(1, 42, 1, 6, WAIT), told, call(1, 600, 5, 2)]
    events = [*COMPUTE, call(1, 20, 1, 5, RECORD), *more, *wait, kernel(20, 606, 50, 2)]
    graph, found = waits(us(events))
    assert found == [("EVENT_TOLD", 506, 606)]
    early = [*events[:-1], kernel(20, 400, 50, 2)]
    graph, found = waits(us(early))
    assert found == [] and graph.quality.count("impossible_edges") >= 1


def test_it_takes_an_unknown_record_to_be_just_before_its_wait() -> None:
    told = sync_mark("Stream Wait Event", 6, 42, 1, stream=20, wait_on_stream=7, wait_on_cuda_event_record_corr_id=99)
    run = us([*COMPUTE, call(1, 42, 1, 6, WAIT), told, call(1, 600, 5, 2), kernel(20, 606, 50, 2)])
    assert waits(run)[1] == [("EVENT_TOLD", 506, 606)]


AUTOGRAD = [
    Event("forward", "cpu_op", 1, 0, 2, {"Sequence number": 1}),
    Event("backward", "cpu_op", 2, 200, 2, {"Sequence number": 1}),
    call(2, 210, 5, 2),
    kernel(20, 216, 5, 2),
    call(2, 230, 5, 3),
    kernel(24, 236, 5, 3),
]
"""Thread 1 rests while thread 2, which works for it, launches on streams 20 and 24."""


def test_it_finds_what_a_thread_launched_that_works_for_the_waiting_one() -> None:
    begin = [call(1, 3, 5, 1), kernel(7, 9, 5, 1)]
    end = [call(1, 300, 1, 0, WAIT), call(1, 310, 5, 4), kernel(7, 316, 5, 4)]
    assert waits(us([*begin, *AUTOGRAD, *end]))[1] == [("EVENT_ORDER", 241, 316)]
    strangers = [replace(event, args={}) if event.category == "cpu_op" else event for event in AUTOGRAD]
    assert waits(us([*begin, *strangers, *end]))[1] == []


def test_it_finds_what_is_awaited_behind_what_was_launched_ahead() -> None:
    """The gather for the next layer is launched before the work that waits for that of this layer."""
    gathers = [call(1, 0, 5, 1), kernel(22, 6, 50, 1), call(1, 10, 1, 0, RECORD)]
    ahead = [call(1, 40, 5, 2), kernel(22, 57, 500, 2), call(1, 50, 1, 0, RECORD)]
    work = [call(1, 60, 1, 0, WAIT), call(1, 64, 5, 3), kernel(7, 70, 50, 3)]
    for events in ([*gathers, *ahead, *work], [event for event in [*gathers, *ahead, *work] if event.name != RECORD]):
        assert waits(us(events))[1] == [("EVENT_ORDER", 56, 70)]


def test_it_needs_something_enqueued_after_the_wait() -> None:
    assert waits(us([*COMPUTE, call(1, 22, 1, 0, WAIT)]))[1] == []
    assert waits(us([call(1, 22, 1, 0, WAIT), call(1, 30, 5, 2), kernel(20, 508, 50, 2)]))[1] == []


def test_it_sees_what_was_held_up_without_a_wait() -> None:
    assert waits(us([*COMPUTE, call(1, 30, 5, 2), kernel(20, 508, 50, 2)]))[1] == [("STREAM_HELD", 506, 508)]


def test_it_sees_what_was_held_up_though_launched_before_the_recording() -> None:
    """A window cut out of a job whose queues are full: neither the launches are there nor the waits."""
    before = [kernel(7, 0, 50), kernel(20, 0, 500), kernel(7, 502, 50), kernel(20, 510, 900), kernel(7, 553, 900)]
    assert waits(us([op(1, 0, 5), *before]))[1] == [("STREAM_HELD", 500, 502)]


def test_it_does_not_take_chance_for_a_wait() -> None:
    busy = [event for at in range(40) for event in (call(1, at * 2, 1, at + 1), kernel(7, 100 + at * 10, 9, at + 1))]
    late = [call(1, 70, 1, 99), kernel(20, 320, 5, 99), call(1, 90, 1, 100), kernel(20, 700, 5, 100)]
    assert waits(us([*busy, *late]))[1] == []


launched = st.tuples(
    st.integers(0, 2), st.integers(0, 200), st.sampled_from([7, 20, 24]), st.integers(0, 200), st.integers(1, 120)
)
"""Thread, 0 of none; when; stream; how much later it runs; for how long."""

marks = st.tuples(st.integers(1, 2), st.integers(0, 200), st.sampled_from([WAIT, RECORD, WAIT]))


@given(st.lists(launched, min_size=1, max_size=9), st.lists(marks, max_size=5), st.booleans())
@settings(max_examples=150)
def test_it_resolves_waits_by_definition(
    works: list[tuple[int, int, int, int, int]], calls: list[tuple[int, int, str]], is_one: bool
) -> None:
    events = [call(thread, at, 1, 0, name) for thread, at, name in calls]
    for number, (thread, at, stream, after, dur) in enumerate(works, start=1):
        events += [call(thread, at, 1, number)] if thread else []
        events += [kernel(stream, at + after, dur, number)]
    tasks = Tasks.of(us(events))
    queues = DeviceQueues.of(tasks)
    ready_ns = queues.ready_ns(tasks, np.full(len(tasks), 6 * US))
    assert ready_ns.tolist() == slow_ready(tasks, queues)
    tracks = len(tasks.run.traces[0].tracks)
    flow = np.full(tracks, 1) if is_one else np.arange(tracks)
    found = event_wait.find(tasks, queues, ready_ns, flow)
    expected = slow_pairs(tasks, queues, ready_ns, flow.tolist())
    assert set(zip(found.source.tolist(), found.target.tolist(), strict=True)) == expected
    unseen = event_wait.unseen(tasks, queues, ready_ns)
    pairs = list(zip(unseen.source.tolist(), unseen.target.tolist(), strict=True))
    assert pairs == slow_unseen(tasks, queues, ready_ns.tolist())
    graph = build_graph(tasks.run)
    assert (replay(graph).node_ns == graph.measured_ns).all()


def streams_of(queues: DeviceQueues) -> list[list[int]]:
    return [list(range(a, b)) for a, b in zip(queues.offsets.tolist(), queues.offsets.tolist()[1:], strict=False)]


def slow_ready(tasks: Tasks, queues: DeviceQueues) -> list[int]:
    ready = {}
    for stream in streams_of(queues):
        for entry in stream:
            call_row = tasks.launch[queues.rows[entry]]
            ends = [int(tasks.end_ns[queues.rows[before]]) for before in stream if before < entry]
            launched_ns = int(tasks.start_ns[call_row]) + 6 * US if call_row >= 0 else None
            ready[entry] = max([NEVER_NS, *ends, *([launched_ns] if launched_ns is not None else [])])
    return [ready[entry] for entry in sorted(ready)]


def slow_pairs(tasks: Tasks, queues: DeviceQueues, ready_ns: np.ndarray, flow: list[int]) -> set[tuple[int, int]]:
    """The text of `event_wait`, read aloud."""
    streams = streams_of(queues)
    row = queues.rows.tolist()
    start = [int(tasks.start_ns[r]) for r in row]
    end = [int(tasks.end_ns[r]) for r in row]
    enqueued = [int(queues.enqueued_ns[r]) for r in row]
    stream_of = {entry: number for number, stream in enumerate(streams) for entry in stream}
    rows = oracle.rows_of(tasks.run)

    def split(stream: int, when: int) -> tuple[int | None, int | None]:
        """(first entry from which on all were enqueued then or later, the entry before)."""
        entries = streams[stream]
        after = [e for e in entries if all(enqueued[other] >= when for other in entries if other >= e)]
        first = after[0] if after else None
        before = [e for e in entries if first is None or e < first]
        return first, before[-1] if before else None

    def recorded(stream: int, until: int, wait: oracle.Row) -> int | None:
        own = [r for r in rows if r.name == RECORD and flow[r.track] == flow[wait.track]]
        own = [r for r in own if tasks.start_node[r.row] < tasks.start_node[wait.row]]
        moments = [r.start for r in sorted(own, key=lambda r: -int(tasks.start_node[r.row]))]
        for moment in moments[:RECORDS_BACK]:
            last = split(stream, moment)[1]
            if last is None:
                return None
            if end[last] <= until:
                return last
        if moments:
            return None
        last = split(stream, wait.start)[1]
        if last is not None:
            done = [e for e in streams[stream] if all(end[b] <= until for b in streams[stream] if b <= e)]
            last = min(last, done[-1]) if done else None
        return last if last is not None and end[last] <= until else None

    launches = sorted(
        (int(tasks.start_node[r.launch]), stream_of[row.index(r.row)], rows[r.launch].track)
        for r in rows
        if r.is_device and r.launch >= 0
    )
    pairs = set()
    for wait in (r for r in rows if r.name == WAIT):
        mine = [(at, s) for at, s, track in launches if flow[track] == flow[wait.track]]
        before = [s for at, s in mine if at < tasks.start_node[wait.row]]
        after = [s for at, s in mine if at > tasks.start_node[wait.row]]
        own = False
        for then in range(len(streams)):
            target = split(then, wait.start)[0]
            if target is None or start[target] - ready_ns[target] < HELD_NS:
                continue
            fits = []
            for other in range(len(streams)):
                source = recorded(other, start[target], wait) if other != then else None
                if source is not None and end[source] >= ready_ns[target] + HELD_NS:
                    fits.append((start[target] - end[source], other, source))
            if fits and min(fits)[0] <= NEAR_NS:
                pairs.add((min(fits)[2], target))
                own |= bool(after) and then == after[0]
        if own or not before or not after:
            continue
        then, other = after[0], before[-1]
        if then == other:
            ahead = next((i for i, s in enumerate(after) if s != then), None)
            behind = next((i for i, s in enumerate(reversed(before)) if s != then), None)
            if ahead is not None and (behind is None or ahead < behind):
                then = after[ahead]
            elif behind is None:
                continue
            else:
                other = before[-1 - behind]
        target = split(then, wait.start)[0]
        if target is not None:
            source = recorded(other, start[target], wait)
            if source is not None:
                pairs.add((source, target))
    return pairs


def slow_unseen(tasks: Tasks, queues: DeviceQueues, explained: list[int]) -> list[tuple[int, int]]:
    streams = streams_of(queues)
    start = [int(tasks.start_ns[r]) for r in queues.rows]
    end = [int(tasks.end_ns[r]) for r in queues.rows]
    enqueued = [int(queues.enqueued_ns[r]) for r in queues.rows]
    pairs = []
    for then in streams if len(streams) > 1 else []:
        for target in then:
            held, fits = start[target] - explained[target], []
            for other in streams:
                done = [e for e in other if all(end[b] <= start[target] for b in other if b <= e)]
                known = enqueued[target] != NEVER_NS
                until = enqueued[target] if known else NEVER_NS + 1  # then beside all that nobody here launched
                before = [e for e in other if not all(enqueued[x] >= until for x in other if x >= e)]
                if other is then or not done or not before or held < HELD_NS or explained[target] < 0:
                    continue
                last = done[-1]
                running = [max(end[b] for b in other if b <= e) for e in other]
                chances = sum(explained[target] <= ran for ran, e in zip(running, other, strict=True) if e <= last)
                likely = (known and last == before[-1]) or chances * NEAR_NS / held <= CHANCE
                near = start[target] - end[last] <= NEAR_NS and end[last] >= explained[target] + HELD_NS
                if likely and near and last <= before[-1] and chances:
                    fits.append((start[target] - end[last], streams.index(other), last))
            if fits:
                pairs.append((min(fits)[2], target))
    assert NONE == -1
    return pairs


def test_it_reads_marks_of_waits_without_device_work() -> None:
    place = {"wait_on_stream": 99, "wait_on_cuda_event_record_corr_id": 3}
    mark = sync_mark("Stream Wait Event", 1, 10 * US, US, 98, **place)
    graph, found = waits(make_run([call(1, 10 * US, US, 1, WAIT), mark]))
    assert found == [] and graph.nodes == 3
