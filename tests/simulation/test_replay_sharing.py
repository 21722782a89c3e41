"""Events that slow each other down: the kernel against stepping ns by ns, replay against a machine that does it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from simulation.errors import TraceError
from simulation.graph import Family, TaskGraph, build_graph
from simulation.replay import Rates, Schedule, Sharing, critical_path, last_node, predict, replay, streams_of
from simulation.replay import flow as flows
from simulation.replay.flow import ALONE, NEVER, NONE, Flow
from simulation.replay.links import Devices, Links
from simulation.replay.prediction import row_times
from simulation.replay.sharing import Events, new_flow
from simulation.run import Run, read_run
from tests.simulation.build import Event, call, kernel, make_run, op
from tests.simulation.machine import Key, Step
from tests.simulation.programs import programs, steps
from tests.simulation.shared_machine import Part, SharedMachine, as_recorded, finish, of_rank
from tests.simulation.test_replay_events import assert_same_rows, prepared
from tests.simulation.test_replay_programs import replayed, traced

parts = st.lists(
    st.builds(
        Part, begin=st.integers(0, 40), needs=st.integers(1, 30 * ALONE), device=st.integers(0, 3),
        kind=st.integers(0, 2), demand=st.integers(1, 3),
    ),
    max_size=10,
)  # fmt: skip
beside = st.tuples(st.integers(1, ALONE), st.integers(1, ALONE)).map(
    lambda pair: [max(rate, ALONE // 4) for rate in pair]
)


per_link = st.tuples(st.just(0), st.integers(1, 3), st.integers(1, 4))
"""So many devices share a link, by kind of work: compute has none."""


def flow_of(
    parts: list[Part], beside: list[int], carried: int, per: tuple[int, ...], lasts: list[int] | None = None
) -> Flow:
    """Links of copies and of communication, each of which carries as much, and is shared by so many devices."""
    column = {name: np.array([getattr(part, name) for part in parts], np.int64) for name in Part.__dataclass_fields__}
    devices = Devices(column["kind"], column["device"], np.where(column["kind"] == 0, NONE, 0), np.arange(4))
    links = Links.of(devices, {1: carried, 2: carried}, {1: per[1], 2: per[2]})
    left = np.zeros(len(parts), np.int64) if lasts else column["needs"]
    works = np.arange(len(parts))
    lasts_ns = np.array(lasts, np.int64) if lasts else np.full(len(parts), NONE)
    domain = links.domain[column["device"]]
    events = Events(column["kind"], column["device"], domain, links.link, column["demand"])
    return new_flow(works, works, left, lasts_ns, events, links.capacity, np.array(beside))


def run_through(flow: Flow, begins: list[int]) -> list[int]:
    """Begins and ends in order of time, ends first, as the event loop does."""
    waiting = sorted(range(len(begins)), key=lambda at: begins[at])
    while waiting or flow.next_ns[1] != NEVER:
        if flow.next_ns[1] != NEVER and (not waiting or flow.next_ns[1] <= begins[waiting[0]]):
            flows.end(flow)
        else:
            flows.begin(flow, waiting[0], begins[waiting.pop(0)])
    return flow.end_ns.tolist()


@given(parts, beside, st.integers(1, 4), per_link)
@settings(max_examples=200, deadline=None)
def test_it_equals_stepping_ns_by_ns(parts: list[Part], beside: list[int], carried: int, per: tuple[int, ...]) -> None:
    flow = flow_of(parts, beside, carried, per)
    assert run_through(flow, [part.begin for part in parts]) == finish(parts, beside, carried, per, ALONE)
    assert not flow.running.any() and not flow.load.any() and (flow.first == NONE).all()


@given(parts, beside, st.integers(1, 4), per_link, st.lists(st.integers(1, 40), min_size=10, max_size=10))
@settings(max_examples=100, deadline=None)
def test_what_was_made_takes_as_long_again(
    parts: list[Part], beside: list[int], carried: int, per: tuple[int, ...], lasts: list[int]
) -> None:
    """Works of known lengths tell their progress; that progress takes those lengths at the same rates."""
    begins, lasts = [part.begin for part in parts], lasts[: len(parts)]
    assume(parts)
    measured = flow_of(parts, beside, carried, per, lasts)
    ends = run_through(measured, begins)
    assert ends == [begin + last for begin, last in zip(begins, lasts, strict=True)]
    made = [Part(**{**vars(part), "needs": int(-left)}) for part, left in zip(parts, measured.left, strict=True)]
    assert run_through(flow_of(made, beside, carried, per), begins) == ends


SLOW = {"compute": 1.25, "communication": 1.1}
CARRIES = {"copy": 1, "communication": 1}


def shared(run: Run, graph: TaskGraph, rates: Rates, measured: Rates | None = None) -> Sharing:
    return Sharing.of(run, graph, rates, measured)


@given(programs(), st.sampled_from([(SLOW, {}), ({}, CARRIES), (SLOW, CARRIES), ({"compute": 2.0}, {"copy": 1.5})]))
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
def test_it_equals_the_machine_that_slows_down(
    program: list[list[Step]], what: tuple[dict[str, float], dict[str, float]]
) -> None:
    run, row_of = traced(SharedMachine(), program)
    changed = SharedMachine(*what).run(program)
    graph, schedule = prepared(run)
    assume(not graph.residual_ns.any())
    times = replay(graph, schedule=schedule, sharing=shared(run, graph, Rates(*what)))
    for key, happened in changed.items():
        if times.graph.start_node[row_of[key]] >= 0:
            assert replayed(times.graph, row_of[key], times.node_ns) == (happened.start, happened.end), key


two_ranks = st.lists(st.tuples(steps([7], False), steps([20, 21], False)).map(list), min_size=2, max_size=3)
"""Programs of two threads for each of two or three ranks."""


def traced_ranks(machine: SharedMachine, drawn: list[list[list[Step]]]) -> tuple[Run, dict[Key, int]]:
    """The run of a trace per rank that the machine makes, and the global row of each event."""
    events = machine.run([steps for rank, program in enumerate(drawn) for steps in of_rank(program, rank)])
    mine = [{key: as_recorded(event, rank) for key, event in events.items() if key[0] // 2 == rank}
            for rank in range(len(drawn))]  # fmt: skip
    run, row_of = make_run(*(list(each.values()) for each in mine)), {}
    for table, base, each in zip(run.traces, run.row_base, mine, strict=False):
        rows = np.argsort(table.source_index) + base
        row_of |= {key: int(rows[at]) for at, key in enumerate(each)}
    return run, row_of


@given(
    two_ranks,
    st.sampled_from([({}, {"communication": 1}), (SLOW, {"copy": 1, "communication": 1}), ({}, {"copy": 1.5})]),
    st.sampled_from([1, 2, 3]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_it_equals_the_machine_whose_ranks_share_links(
    drawn: list[list[list[Step]]], what: tuple[dict[str, float], dict[str, float]], count: int
) -> None:
    slow, carries = what
    ranks = dict.fromkeys(carries, count)
    run, row_of = traced_ranks(SharedMachine(), drawn)
    changed, _ = traced_ranks(SharedMachine(slow, carries, ranks), drawn)
    graph = build_graph(run, never_found=(Family.THREAD_HANDOVER,))
    schedule = Schedule.of(graph, streams_of(run))
    assume(not graph.residual_ns.any())
    sharing = shared(run, graph, Rates(slow, carries, ranks))
    times = replay(graph, schedule=schedule, sharing=sharing)
    event(f"{count} ranks a link, " + ("calm" if times.graph is graph else "shared"))
    happened = SharedMachine(slow, carries, ranks).run(
        [steps for rank, program in enumerate(drawn) for steps in of_rank(program, rank)]
    )
    for key, row in row_of.items():
        if times.graph.start_node[row] >= 0:
            expected = (happened[key].start, happened[key].end)
            assert replayed(times.graph, row, times.node_ns) == expected, key
    back = shared(changed, build_graph(changed), Rates(slow, carries, ranks), Rates(slow, carries, ranks))
    again = build_graph(changed)
    assert_same_rows(changed, replay(again), replay(again, sharing=back, mode="events"))


@given(programs())
@settings(max_examples=40, deadline=None)
def test_the_rates_of_the_measurement_give_it_back(program: list[list[Step]]) -> None:
    run, _ = traced(SharedMachine(SLOW, CARRIES), program)
    graph, schedule = prepared(run)
    rates = Rates(SLOW, CARRIES)
    for looked_up in (None, schedule):
        times = replay(graph, schedule=looked_up, sharing=shared(run, graph, rates, rates))
        assert_same_rows(run, replay(graph), times)


@given(programs())
@settings(max_examples=40, deadline=None)
def test_without_overlap_it_is_as_fast_as_alone(program: list[list[Step]]) -> None:
    """The slow-down of the measurement taken out: the machine without it, but for what the ends were rounded up."""
    run, row_of = traced(SharedMachine(SLOW), program)
    free = SharedMachine().run(program)
    graph, schedule = prepared(run)
    assume(not graph.residual_ns.any())
    times = replay(graph, schedule=schedule, sharing=shared(run, graph, Rates(), Rates(SLOW)))
    for key, happened in free.items():
        if times.graph.start_node[row_of[key]] >= 0:
            found = replayed(times.graph, row_of[key], times.node_ns)
            assert max(abs(found[0] - happened.start), abs(found[1] - happened.end)) <= len(free), key


@given(programs(), st.floats(0, 4))
@settings(max_examples=40, deadline=None)
def test_it_equals_the_forward_pass_where_nothing_slows_down(program: list[list[Step]], factor: float) -> None:
    run, _ = traced(SharedMachine(), program)
    graph, schedule = prepared(run)
    durations = (run.traces[0].dur_ns * factor).astype(np.int64)
    fast = replay(graph, durations)
    none = shared(run, graph, Rates({"compute": 1.0}))
    assert replay(graph, durations, sharing=none).graph is graph
    assert_same_rows(run, fast, replay(graph, durations, sharing=none, mode="events"))
    if schedule.holds(graph, fast.node_ns):
        assert_same_rows(run, fast, replay(graph, durations, schedule=schedule, sharing=none, mode="events"))


@given(
    programs(), st.sampled_from([SLOW, {}]), st.sampled_from([CARRIES, {}, {"copy": 2}]), st.sampled_from([SLOW, {}])
)
@settings(max_examples=60, deadline=None)
def test_the_forward_pass_is_used_only_where_it_is_exact(
    program: list[list[Step]], slow: dict[str, float], carries: dict[str, float], measured: dict[str, float]
) -> None:
    run, _ = traced(SharedMachine(), program)
    graph, schedule = prepared(run)
    sharing = shared(run, graph, Rates(slow, carries), Rates(measured))
    times = replay(graph, schedule=schedule, sharing=sharing)
    event(("passes" if times.graph is graph else "events") + (", slow when measured" if measured else ""))
    assert_same_rows(run, times, replay(graph, schedule=schedule, sharing=sharing, mode="events"))


def test_events_that_never_meet_need_no_event_loop() -> None:
    apart = beside_each_other()
    apart[1] = kernel(7, 5_000, 10_000, 1)  # ends as the communication begins
    run = make_run(apart)
    graph = build_graph(run)
    assert replay(graph, sharing=shared(run, graph, Rates(SLOW, CARRIES))).graph is graph
    run = make_run(beside_each_other())
    graph = build_graph(run)
    assert replay(graph, sharing=shared(run, graph, Rates(SLOW))).graph is not graph
    assert replay(graph, sharing=shared(run, graph, Rates({}, CARRIES))).graph is graph


def beside_each_other() -> list[Event]:
    """A kernel of 100 us and communication of 40 us that begins 10 us after it."""
    return [
        call(1, 0, 1_000, 1),
        kernel(7, 5_000, 100_000, 1),
        call(1, 10_000, 1_000, 2),
        Event("ncclKernel_AllReduce", "kernel", ("stream", 20), 15_000, 40_000,
              {"device": 0, "stream": 20, "correlation": 2}),
        op(1, 20_000, 10),
    ]  # fmt: skip


def durations_of(run: Run, sharing: Sharing, **options: np.ndarray) -> list[int]:
    """Of the kernel and of the communication, as replayed."""
    graph = build_graph(run)
    start, end = row_times(run, replay(graph, sharing=sharing, **options))  # type: ignore[arg-type]
    rows = np.flatnonzero(run.traces[0].is_device)
    return [int(end[row] - start[row]) for row in rows[np.argsort(run.traces[0].start_ns[rows])]]


def test_a_kernel_beside_communication_takes_longer() -> None:
    run = make_run(beside_each_other())
    graph = build_graph(run)
    # The communication lasts 40 * 1.1 = 44 us; the kernel makes 35.2 us of work in them, and 64.8 us alone.
    assert durations_of(run, shared(run, graph, Rates(SLOW))) == [10_000 + 44_000 + 54_800, 44_000]
    # Taken out again: 40 us at 1 / 1.1 are 36,364 ns; the kernel made 32,000 in 40,000, and 92,000 in all.
    assert durations_of(run, shared(run, graph, Rates(), Rates(SLOW))) == [92_000, 36_364]


def test_a_scenario_may_change_durations_too() -> None:
    run = make_run(beside_each_other())
    graph = build_graph(run)
    durations = graph.durations_ns
    durations[int(np.flatnonzero(run.traces[0].dur_ns == 40_000)[0])] = 20_000
    slowed = shared(run, graph, Rates(SLOW))
    assert durations_of(run, slowed, durations_ns=durations) == [10_000 + 22_000 + 72_400, 22_000]


def test_a_prediction_adds_up() -> None:
    run = make_run(beside_each_other())
    graph, schedule = prepared(run)
    prediction = predict(run, graph, None, schedule, shared(run, graph, Rates(SLOW)))
    figures = prediction.report
    assert figures["predicted_ns"] >= figures["measured_ns"]
    assert figures["critical_path"]["replayed"]["length_ns"] == figures["predicted_ns"]


def copies(*names: str) -> list[Event]:
    """Each 30 us long, on a stream of its own, launched at once."""
    events: list[Event] = []
    for number, name in enumerate(names):
        place = {"device": 0, "stream": 10 + number, "correlation": number + 1}
        events += [call(number, 0, 1_000, number + 1, "cudaMemcpyAsync")]
        events += [Event(name, "gpu_memcpy", ("stream", 10 + number), 5_000, 30_000, place)]
    return events


@pytest.mark.parametrize(
    ("names", "lasts"),
    [
        (
            ["Memcpy HtoD (Pinned -> Device)", "Memcpy HtoD (Pageable -> Device)", "Memcpy HtoD (Pinned -> Device)"],
            90_000,
        ),
        (["Memcpy HtoD (Pinned -> Device)", "Memcpy DtoH (Device -> Pinned)"], 30_000),
        (["Memcpy DtoD (Device -> Device)", "Memcpy DtoD (Device -> Device)"], 30_000),
    ],
)
def test_copies_share_the_link_of_their_direction(names: list[str], lasts: int) -> None:
    run = make_run(copies(*names))
    graph = build_graph(run)
    assert durations_of(run, shared(run, graph, Rates(shared_bandwidth={"copy": 1}))) == [lasts] * len(names)


def test_a_link_is_shared_by_what_each_asks_for() -> None:
    run = make_run(copies("Memcpy HtoD (a)", "Memcpy HtoD (b)"))
    graph = build_graph(run)
    demand = np.full(len(run.traces[0]), 12.0)  # GB/s each, of 16
    sharing = Sharing.of(run, graph, Rates(shared_bandwidth={"copy": 16.0}), demand=demand)
    assert durations_of(run, sharing) == [45_000, 45_000]


def member(rank: int, start: int, dur: int) -> list[Event]:
    said = {
        "Collective name": "allreduce", "Process Group Name": "0", "Process Group Ranks": "[0, 1]", "Seq": 0,
        "device": 0, "stream": 20, "correlation": 2,
    }  # fmt: skip
    return [
        call(1, 0, 1_000, 1),
        kernel(7, 5_000, 60_000, 1),
        call(1, start - 5_000, 1_000, 2),
        Event("ncclDevKernel_AllReduce_Sum_f32_RING_LL(args)", "kernel", ("stream", 20), start, dur, said),
    ]


def test_who_waits_for_others_slows_nothing_down() -> None:
    """The first rank waits 30 us for the other, then both transfer for 10: only those count."""
    run = make_run(member(0, 10_000, 40_000), member(1, 40_000, 10_000))
    graph = build_graph(run)
    assert graph.edges_by_family()["collective"] == 4
    slowed = shared(run, graph, Rates({"compute": 2.0, "communication": 2.0}))
    start, end = row_times(run, replay(graph, sharing=slowed))
    rows = np.concatenate([table.is_device for table in run.traces])
    found = sorted((end[rows] - start[rows]).tolist())
    assert found == [20_000, 50_000, 70_000, 70_000]
    again = shared(run, graph, slowed.rates, slowed.rates)
    assert_same_rows(run, replay(graph), replay(graph, sharing=again))


@pytest.mark.parametrize("said", [{"copy": 0}, {"kernel": 2}, {"copy": float("nan")}])
def test_rates_that_mean_nothing_are_refused(said: dict[str, float]) -> None:
    with pytest.raises(TraceError):
        Rates(shared_bandwidth=said)
    with pytest.raises(TraceError):
        Rates(overlap_slowdown={"compute": 0.5})


@pytest.mark.parametrize("name", ["hta/control", "hta/test", "deepseek/train"])
def test_samples_come_out_as_measured_at_their_own_rates(name: str, samples: Path) -> None:
    run = read_run([samples / f"{name}.json.gz"])
    graph = build_graph(run)
    schedule = Schedule.of(graph, streams_of(run))
    rates = Rates(SLOW, CARRIES)
    times = replay(graph, schedule=schedule, sharing=shared(run, graph, rates, rates))
    assert_same_rows(run, replay(graph), times)
    slower = replay(graph, schedule=schedule, sharing=shared(run, graph, rates))
    device = np.concatenate([table.is_device for table in run.traces])
    assert row_times(run, slower)[1][device].max() > row_times(run, times)[1][device].max()
    path = critical_path(slower, last_node(slower))
    assert path.length_ns == slower.node_ns[last_node(slower)]
