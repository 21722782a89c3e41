"""How long everything takes on every rank, step by step: programs, disturbed, and who meets whom.

What is drawn for a step depends on the seed alone, not on how many steps are asked for at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulation.workload.labels import Channel
from simulation.workload.layout import Place
from simulation.workload.machine import Job
from simulation.workload.program import NOTHING, Program
from simulation.workload.spec import Workload

TRANSFERS, DURATIONS = 2, 3
"""Which of the seed's streams of random numbers: 1 is the clocks'."""


class Jobs:
    """The steps of a run, handed out in order, some at a time."""

    def __init__(self, spec: Workload, places: Sequence[Place], programs: Sequence[Program]) -> None:
        self.spec, self.meetings = spec, _Meetings(places, programs)
        self.stage = np.array([each.stage for each in places])
        self.dos = np.array([len(program.do) for program in programs])[self.stage]
        self.works = np.array([len(program.work_ns) for program in programs])[self.stage]
        self.durations = [_Durations(spec, each.rank, programs[each.stage]) for each in places]
        self.transfers = _Noise(spec.jitter, [spec.seed, TRANSFERS])

    def take(self, steps: int) -> Job:
        """The next steps."""
        taken = [each.take(steps) for each in self.durations]
        before_ns, takes_ns, latency_ns, work_ns = (np.concatenate(column) for column in zip(*taken, strict=True))
        return Job(
            program=self.stage,
            rank_do=np.concatenate([[0], np.cumsum(self.dos * steps)]),
            before_ns=before_ns,
            takes_ns=takes_ns,
            rank_work=np.concatenate([[0], np.cumsum(self.works * steps)]),
            latency_ns=latency_ns,
            work_ns=work_ns,
            meeting=np.concatenate([_repeated(each, steps, self.meetings.count) for each in self.meetings.of_works]),
            members=np.tile(self.meetings.members, steps),
            transfer_ns=self.transfers.on(np.tile(self.meetings.transfer_ns, steps)),
            gap_ns=round(self.spec.host.stream_gap_us * 1000),
        )


class _Meetings:
    """The exchanges of one step of the whole job, numbered."""

    def __init__(self, places: Sequence[Place], programs: Sequence[Program]) -> None:
        per_step = [program.meetings() for program in programs]
        first: dict[tuple[object, ...], int] = {}
        members: list[int] = []
        for each in places:
            for channel, count in per_step[each.stage].items():
                key, size = who(each, channel)
                if key not in first:
                    first[key] = len(members)
                    members += [size] * count
        self.count, self.members = len(members), np.array(members, np.int64)
        self.of_works = [_of_works(each, programs[each.stage], first) for each in places]
        self.transfer_ns = np.zeros(self.count, np.int64)
        for each, of_works in zip(places, self.of_works, strict=True):
            meets = of_works != NOTHING
            self.transfer_ns[of_works[meets]] = programs[each.stage].work_ns[meets]


def _of_works(each: Place, program: Program, first: dict[tuple[object, ...], int]) -> np.ndarray:
    """The meeting of each work of a rank in a step, NOTHING none: i64."""
    begins = [first[who(each, label.channel)[0]] if label.channel else 0 for label in program.labels]
    meets = program.work_meeting != NOTHING
    return np.where(meets, program.work_meeting + np.array(begins, np.int64)[program.work_label], NOTHING)


def _repeated(of_works: np.ndarray, steps: int, count: int) -> np.ndarray:
    """The meetings of some steps, `count` further on in each."""
    each = np.where(of_works == NOTHING, NOTHING, of_works + np.arange(steps)[:, None] * count)
    return np.asarray(each.ravel())


def who(each: Place, channel: Channel) -> tuple[tuple[object, ...], int]:
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


class _Durations:
    """One rank's durations, with jitter, and the straggler's factor."""

    def __init__(self, spec: Workload, rank: int, program: Program) -> None:
        slow = spec.straggler_factor if spec.straggler == rank else 1.0
        self.meets = np.flatnonzero(program.work_meeting != NOTHING)
        self.parting_us = spec.parting_us
        self.bases_ns = (
            program.before_ns,
            program.takes_ns,
            np.full(len(program.work_ns), round(spec.host.latency_us * 1000)),
            np.rint(program.work_ns * slow).astype(np.int64),
        )
        self.noises = [_Noise(spec.jitter, [spec.seed, DURATIONS, rank, kind]) for kind in range(len(self.bases_ns))]
        self.partings = _Noise(1.0, [spec.seed, DURATIONS, rank, len(self.bases_ns)])

    def take(self, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """(before_ns, takes_ns, latency_ns, work_ns) of the next steps, as in Job."""
        before_ns, takes_ns, latency_ns, work_ns = (
            noise.on(np.tile(base_ns, steps)) for noise, base_ns in zip(self.noises, self.bases_ns, strict=True)
        )
        works = len(self.bases_ns[-1])
        leaving = (np.arange(steps)[:, None] * works + self.meets).ravel()
        work_ns[leaving] = self.partings.after(self.parting_us, len(leaving))
        return before_ns, takes_ns, latency_ns, work_ns


class _Noise:
    """A stream of random numbers of its own: what is drawn next does not depend on how much was drawn at once."""

    def __init__(self, sigma: float, seed: Sequence[int]) -> None:
        self.sigma, self.rng = sigma, np.random.default_rng(seed)

    def on(self, base_ns: np.ndarray) -> np.ndarray:
        """Times a log-normal factor; as they are without jitter."""
        if not self.sigma:
            return base_ns
        factor = np.exp(self.sigma * self._normal(len(base_ns)))
        return np.asarray(np.rint(base_ns * factor).astype(np.int64))

    def after(self, sigma_us: float, n: int) -> np.ndarray:
        """Delays, half-normal: i64 ns."""
        if not sigma_us:
            return np.zeros(n, np.int64)
        return np.asarray(np.rint(np.abs(self._normal(n)) * (sigma_us * 1000)).astype(np.int64))

    def _normal(self, n: int) -> np.ndarray:
        return self.rng.standard_normal(n, np.float32)
