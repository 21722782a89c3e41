"""A job: the programs of its ranks, disturbed, and run by the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.workload import machine
from simulation.workload.labels import Channel
from simulation.workload.layout import Place, place
from simulation.workload.program import NOTHING, Program
from simulation.workload.spec import Workload
from simulation.workload.transformer import write_step


@dataclass(frozen=True)
class Times:
    """When things happen on one rank, without its clock's skew: ns since the run began, i64 [steps, ...]."""

    do_start: np.ndarray  # of instructions
    do_end: np.ndarray
    work_start: np.ndarray
    work_end: np.ndarray


@dataclass(frozen=True)
class Execution:
    """What happened: per rank its place, program and times."""

    spec: Workload
    places: tuple[Place, ...]
    programs: tuple[Program, ...]  # by stage
    times: tuple[Times, ...]


def execute(spec: Workload) -> Execution:
    """Run the whole job. Costs about 50 ns and 60 bytes per instruction of all ranks and steps."""
    places = tuple(place(spec, rank) for rank in range(spec.ranks))
    return run_programs(spec, places, tuple(write_step(spec, place(spec, _first(spec, s))) for s in range(spec.pp)))


def run_programs(spec: Workload, places: tuple[Place, ...], programs: tuple[Program, ...]) -> Execution:
    """Run one program per stage on all of its ranks."""
    stage = np.array([each.stage for each in places])
    job = _job(spec, places, programs, stage)
    state, ended = machine.run(_script(programs), job)
    if not ended:
        raise RuntimeError("the ranks wait for one another: their programs do not fit together")
    found = (state.do_start, state.do_end, state.work_start, state.work_end)
    cuts = (job.rank_do, job.rank_do, job.rank_work, job.rank_work)
    times = tuple(
        Times(*(column[cut[r] : cut[r + 1]].reshape(spec.steps, -1) for column, cut in zip(found, cuts, strict=True)))
        for r in range(len(places))
    )
    return Execution(spec, places, programs, times)


def _first(spec: Workload, stage: int) -> int:
    return stage * spec.tp * spec.dp


def _script(programs: Sequence[Program]) -> machine.Script:
    """All programs, one behind the other, as the machine reads them."""
    streams = max(program.streams for program in programs)
    counts = np.stack([np.bincount(program.work_stream, minlength=streams) for program in programs])
    firsts = np.concatenate([[0], np.cumsum(counts)])
    return machine.Script(
        streams=streams,
        first_do=np.cumsum([0, *(len(program.do) for program in programs)]),
        do=np.concatenate([program.do for program in programs]),
        stream=np.concatenate([program.stream for program in programs]),
        target=np.concatenate([program.target for program in programs]),
        first_work=np.cumsum([0, *(len(program.work_ns) for program in programs)]),
        after_first=np.cumsum(np.concatenate([[0], *(np.diff(program.after_first) for program in programs)])),
        after=np.concatenate([program.after for program in programs]),
        queue=np.concatenate([np.argsort(program.work_stream, kind="stable") for program in programs]),
        queue_first=np.stack([firsts[p * streams : (p + 1) * streams + 1] for p in range(len(programs))]),
    )


def _job(spec: Workload, places: Sequence[Place], programs: Sequence[Program], stage: np.ndarray) -> machine.Job:
    """How long everything takes on every rank."""
    noise, meetings = [_Noise(spec, each, programs[each.stage]) for each in places], _Meetings(spec, places, programs)
    dos = np.array([len(program.do) for program in programs])[stage] * spec.steps
    works = np.array([len(program.work_ns) for program in programs])[stage] * spec.steps
    return machine.Job(
        program=stage,
        rank_do=np.concatenate([[0], np.cumsum(dos)]),
        before_ns=np.concatenate([each.before_ns for each in noise]),
        takes_ns=np.concatenate([each.takes_ns for each in noise]),
        rank_work=np.concatenate([[0], np.cumsum(works)]),
        latency_ns=np.concatenate([each.latency_ns for each in noise]),
        work_ns=np.concatenate([each.work_ns for each in noise]),
        meeting=meetings.of_works(),
        members=meetings.members,
        transfer_ns=meetings.transfer_ns(),
        gap_ns=round(spec.host.stream_gap_us * 1000),
    )


class _Meetings:
    """Exchanges of the whole job, numbered: those of a channel between the same ranks lie together."""

    def __init__(self, spec: Workload, places: Sequence[Place], programs: Sequence[Program]) -> None:
        self.spec, self.places, self.programs = spec, places, programs
        per_step = [program.meetings() for program in programs]
        self.first: dict[tuple[object, ...], int] = {}
        sizes: list[tuple[int, int]] = []  # meetings, members
        total = 0
        for each in places:
            for channel, count in per_step[each.stage].items():
                key, members = _who(each, channel)
                if key not in self.first:
                    self.first[key] = total
                    sizes.append((count * spec.steps, members))
                    total += count * spec.steps
        self.per_step = per_step
        self.members = np.repeat([size for _, size in sizes], [n for n, _ in sizes]).astype(np.int64)

    def of_works(self) -> np.ndarray:
        """The meeting of each work of each rank and step, NOTHING none: i64."""
        return np.concatenate([self._of_rank(each).ravel() for each in self.places])

    def transfer_ns(self) -> np.ndarray:
        """How long each takes once all have come: i64 per meeting."""
        took = np.zeros(len(self.members), np.int64)
        for each in self.places:
            program, meeting = self.programs[each.stage], self._of_rank(each)
            meets = program.work_meeting != NOTHING
            took[meeting[:, meets]] = program.work_ns[meets]
        return _disturbed(np.random.default_rng([self.spec.seed, 2]), took, self.spec.jitter)

    def _of_rank(self, each: Place) -> np.ndarray:
        program, steps = self.programs[each.stage], np.arange(self.spec.steps)[:, None]
        meeting = np.full((self.spec.steps, len(program.work_ns)), NOTHING)
        for channel, count in self.per_step[each.stage].items():
            key, _ = _who(each, channel)
            label_is = np.array([label.channel is channel for label in program.labels])
            mine = np.flatnonzero(label_is[program.work_label])
            meeting[:, mine] = self.first[key] + steps * count + program.work_meeting[mine]
        return meeting


def _who(each: Place, channel: Channel) -> tuple[tuple[object, ...], int]:
    """(what tells the channel's meetings from others, how many take part)."""
    if channel in (Channel.TENSOR, Channel.DATA):
        group = each.groups[channel.group]
        return (group.name,), len(group.ranks)
    return peers(each, channel), 2


def peers(each: Place, channel: Channel) -> tuple[int, int]:
    """(sender, receiver) of a point-to-point channel of this rank; each pair and direction is one channel."""
    ranks = each.groups[channel.group].ranks
    ahead = channel in (Channel.FORWARD_OUT, Channel.BACKWARD_IN)
    peer = ranks[each.stage + (1 if ahead else -1)]
    sends = channel in (Channel.FORWARD_OUT, Channel.BACKWARD_OUT)
    return (each.rank, peer) if sends else (peer, each.rank)


class _Noise:
    """One rank's durations, of all steps, with jitter, and the straggler's factor."""

    def __init__(self, spec: Workload, each: Place, program: Program) -> None:
        rng = np.random.default_rng([spec.seed, 3, each.rank])
        slow = spec.straggler_factor if spec.straggler == each.rank else 1.0
        latency_ns = np.full(len(program.work_ns), round(spec.host.latency_us * 1000))

        def drawn(base_ns: np.ndarray) -> np.ndarray:
            return _disturbed(rng, np.tile(base_ns, spec.steps), spec.jitter)

        self.before_ns, self.takes_ns = drawn(program.before_ns), drawn(program.takes_ns)
        self.latency_ns = drawn(latency_ns)
        self.work_ns = drawn(np.rint(program.work_ns * slow).astype(np.int64))


def _disturbed(rng: np.random.Generator, base_ns: np.ndarray, sigma: float) -> np.ndarray:
    """Times a log-normal factor; as they are without jitter."""
    if not sigma:
        return base_ns
    factor = np.exp(sigma * rng.standard_normal(len(base_ns), np.float32))
    return np.asarray(np.rint(base_ns * factor).astype(np.int64))
