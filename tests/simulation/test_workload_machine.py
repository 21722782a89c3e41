"""When generated things happen: against a slow machine, and against what can be worked out on paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.workload import DEVICES, Device, Host, Link, Workload, execution
from simulation.workload.costs import Costs
from simulation.workload.exchange import COMPUTE, Exchanges
from simulation.workload.execution import Execution, execute, run_programs
from simulation.workload.jobs import Jobs, who
from simulation.workload.labels import Channel, Label
from simulation.workload.layout import place
from simulation.workload.pipeline import write_pipeline
from simulation.workload.program import NOTHING, Program, Writer
from simulation.workload.schedule import BACKWARD, FORWARD, one_f_one_b
from simulation.workload.transformer import write_step
from tests.simulation.workload_machine import SlowMachine

SMALL = {"layers": 2, "hidden": 64, "heads": 4, "sequence": 32, "vocabulary": 256, "micro_batches": 2}
FREE = Link(0, 0)
AT_ONCE = Host(0, 0, 0, 0, 0, 0, 0, 0)


def assert_as_slow(spec: Workload) -> None:
    places = tuple(place(spec, rank) for rank in range(spec.ranks))
    first = spec.tp * spec.dp
    programs = tuple(write_step(spec, places[stage * first]) for stage in range(spec.pp))
    job = Jobs(spec, places, programs).take(spec.steps)
    slow = SlowMachine([programs[each.stage] for each in places], spec.steps, job)
    slow.run()
    fast = run_programs(spec, places, programs)
    for rank, times in enumerate(fast.times):
        assert slow.host_times[rank] == list(
            zip(times.do_start.ravel().tolist(), times.do_end.ravel().tolist(), strict=True)
        )  # fmt: skip
        assert [work.start for work in slow.works[rank]] == times.work_start.ravel().tolist()
        assert [work.end for work in slow.works[rank]] == times.work_end.ravel().tolist()


def test_it_agrees_with_a_machine_that_goes_moment_by_moment() -> None:
    assert_as_slow(Workload(**SMALL, dp=2, tp=2, pp=2, steps=2, jitter=0.3, straggler=5, seed=7, parting_us=3.0))


@settings(max_examples=12, deadline=None)
@given(
    dp=st.integers(1, 2),
    tp=st.sampled_from([1, 2]),
    pp=st.sampled_from([1, 2]),
    micro_batches=st.integers(1, 4),
    launch_us=st.floats(0, 50),
    jitter=st.floats(0, 1),
    alpha_us=st.floats(0, 500),
    parting_us=st.sampled_from([0.0, 5.0]),
    seed=st.integers(0, 100),
)
def test_it_agrees_whatever_is_fast_or_slow(
    dp: int, tp: int, pp: int, micro_batches: int, launch_us: float, jitter: float, alpha_us: float,
    parting_us: float, seed: int,
) -> None:  # fmt: skip
    device = Device(all_reduce=Link(alpha_us, 100), send_recv=Link(alpha_us, 100))
    sizes = {**SMALL, "micro_batches": micro_batches, "bucket_mib": 0.05, "device": device}
    disturbed = {"jitter": jitter, "parting_us": parting_us, "seed": seed}
    assert_as_slow(Workload(**sizes, **disturbed, dp=dp, tp=tp, pp=pp, steps=1, host=Host(launch_us=launch_us)))


def test_it_makes_no_difference_how_many_steps_are_run_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = Workload(**SMALL, steps=5, jitter=0.3, parting_us=2.0, straggler=1, host=Host(stream_gap_us=400.0))
    whole = execute(spec)
    a_step = sum(times.do_start.shape[1] for times in whole.times)
    monkeypatch.setattr(execution, "WINDOW_INSTRUCTIONS", 2 * a_step)
    monkeypatch.setattr(execution, "IN_MEMORY_BYTES", 0)
    parts = execute(spec)
    for one, other in zip(whole.times, parts.times, strict=True):
        for column in ("do_start", "do_end", "work_start", "work_end"):
            assert (getattr(one, column) == getattr(other, column)).all()


def test_ranks_leave_a_collective_a_little_apart() -> None:
    together, apart = (execute(Workload(**SMALL, steps=1, jitter=0, parting_us=us)) for us in (0.0, 2.0))
    program, first, second = apart.programs[0], apart.times[0], apart.times[1]
    reduces = [label.channel is Channel.TENSOR for label in program.labels]
    tensor = np.array(reduces)[program.work_label]
    away = (first.work_end - second.work_end)[0, tensor]
    assert 0 < np.abs(away).max() < 12_000 and len(set(away.tolist())) > 5
    assert not (together.times[0].work_end - together.times[1].work_end)[0, tensor].any()


class EqualStage:
    """One kernel forward, one backward."""

    def __init__(self, writer: Writer, forward_ns: int, backward_ns: int) -> None:
        self.writer, self.forward_ns, self.backward_ns = writer, forward_ns, backward_ns

    def forward(self, micro_batch: int) -> None:
        self.writer.launch(COMPUTE, Label("kernel", "forward"), self.forward_ns)

    def backward(self, micro_batch: int) -> None:
        self.writer.launch(COMPUTE, Label("kernel", "backward"), self.backward_ns)


def equal_stages(stages: int, micro_batches: int, forward_ns: int, backward_ns: int) -> Execution:
    device = Device(all_reduce=FREE, send_recv=FREE, network=FREE)
    spec = Workload(
        layers=stages, dp=1, tp=1, pp=stages, micro_batches=micro_batches, steps=1, jitter=0, device=device,
        host=AT_ONCE,
    )  # fmt: skip
    places = tuple(place(spec, rank) for rank in range(stages))
    programs: list[Program] = []
    for each in places:
        writer = Writer(spec.host)
        stage = EqualStage(writer, forward_ns, backward_ns)
        write_pipeline(stage, Exchanges(writer, Costs(spec), each), spec.tokens * spec.hidden)
        writer.sync()
        programs.append(writer.finished())
    return run_programs(spec, places, tuple(programs))


@pytest.mark.parametrize(("stages", "micro_batches"), [(1, 3), (2, 1), (2, 5), (4, 4), (4, 9), (8, 16), (5, 2)])
def test_it_fills_and_drains_a_pipeline_in_the_textbook_time(stages: int, micro_batches: int) -> None:
    forward_ns, backward_ns = 1_000_003, 2_000_011
    ran = equal_stages(stages, micro_batches, forward_ns, backward_ns)
    last_ns = max(int(times.work_end.max()) for times in ran.times)
    assert last_ns == (micro_batches + stages - 1) * (forward_ns + backward_ns)


def test_a_stage_holds_no_more_micro_batches_than_there_are_stages_behind_it() -> None:
    for stage in range(4):
        held, most = 0, 0
        for what, _ in one_f_one_b(stage, 4, 16):
            held += 1 if what == FORWARD else -1
            most = max(most, held)
        assert (held, most) == (0, 4 - stage)
    assert [order for order in one_f_one_b(1, 2, 2)] == [(FORWARD, 0), (BACKWARD, 0), (FORWARD, 1), (BACKWARD, 1)]


def test_everybody_leaves_a_collective_together() -> None:
    ran = execute(Workload(**SMALL, dp=2, tp=2, pp=2, steps=2, jitter=0.2, skew_us=1000, straggler=3))
    ends: dict[tuple[object, ...], set[int]] = {}
    members: dict[tuple[object, ...], int] = {}
    for each, times in zip(ran.places, ran.times, strict=True):
        program = ran.programs[each.stage]
        for work in np.flatnonzero(program.work_meeting != NOTHING).tolist():
            channel = program.labels[program.work_label[work]].channel
            assert channel is not None
            for step in range(2):
                key = (who(each, channel)[0], step, int(program.work_meeting[work]))
                ends.setdefault(key, set()).add(int(times.work_end[step, work]))
                members[key] = members.get(key, 0) + 1
    assert set(members.values()) == {2}
    assert all(len(found) == 1 for found in ends.values()) and len(ends) > 50


def test_gradients_are_reduced_beside_the_backward_pass() -> None:
    spec = Workload(layers=4, dp=8, tp=1, pp=1, micro_batches=1, steps=1, jitter=0)
    ran = execute(spec)
    program, times = ran.programs[0], ran.times[0]
    is_reduce = np.array([label.channel is Channel.DATA for label in program.labels])[program.work_label]
    starts, compute = times.work_start[0, is_reduce], program.work_stream == COMPUTE
    beside = [((times.work_start[0, compute] < s + 1000) & (times.work_end[0, compute] > s)).any() for s in starts]
    assert sum(beside) >= len(beside) - 2 and len(beside) > 4


def test_a_straggler_makes_its_partners_wait() -> None:
    sizes = {"layers": 2, "dp": 4, "tp": 1, "pp": 1, "steps": 1, "jitter": 0}  # large enough to be device-bound
    usual, slowed = execute(Workload(**sizes)), execute(Workload(**sizes, straggler=2, straggler_factor=3.0))
    meets = usual.programs[0].work_meeting != NOTHING

    def waits(ran: Execution, rank: int) -> int:
        times = ran.times[rank]
        return int((times.work_end - times.work_start)[0, meets].sum())

    assert waits(slowed, 0) > waits(usual, 0)
    assert waits(slowed, 2) <= waits(usual, 2)
    assert all(a.do_end.max() > b.do_end.max() for a, b in zip(slowed.times, usual.times, strict=True))


def test_equal_seeds_give_equal_runs() -> None:
    spec = Workload(**SMALL, steps=1, jitter=0.1, seed=3)
    one, two, other = (execute(each) for each in (spec, spec, Workload(**SMALL, steps=1, jitter=0.1, seed=4)))
    assert all((a.work_end == b.work_end).all() for a, b in zip(one.times, two.times, strict=True))
    assert (one.times[0].work_end != other.times[0].work_end).any()


def test_it_takes_no_longer_on_a_faster_device() -> None:
    ends = [
        max(int(t.do_end.max()) for t in execute(Workload(layers=2, steps=1, jitter=0, device=DEVICES[name])).times)
        for name in ("A100", "H100", "B200")
    ]
    assert ends == sorted(ends, reverse=True)
