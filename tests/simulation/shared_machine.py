"""A machine whose events slow each other down: rates as fractions, everything settled whenever something changes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from tests.simulation.build import Event, kernel
from tests.simulation.machine import GAP_NS, Machine, Step, Stream, Work

TALKS = 20
"""What runs on the stream of this number is communication."""

RANK = 1_000
"""Streams of rank r are numbered from r * RANK on."""


@dataclass(eq=False)
class Going:
    stream: Stream
    work: Work
    left: Fraction
    version: int = 0

    @property
    def kind(self) -> str:
        if self.work.category == "gpu_memcpy":
            return "copy"
        return "communication" if self.stream.number % RANK == TALKS else "compute"

    @property
    def rank(self) -> int:
        return self.stream.number // RANK


class SharedMachine(Machine):
    """`slow` as Rates.overlap_slowdown, `carries` as Rates.shared_bandwidth with a demand of 1 each, `ranks` as
    Rates.ranks_per_link. Each rank has one device, on a clock that all share."""

    def __init__(
        self,
        slow: Mapping[str, float] | None = None,
        carries: Mapping[str, float] | None = None,
        ranks: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__()
        self.ranks = ranks or {}
        self.slow = {kind: Fraction(str(factor)) for kind, factor in (slow or {}).items()}
        self.carries = {kind: Fraction(str(number)) for kind, number in (carries or {}).items()}
        self.going: list[Going] = []
        self.since = 0

    def rate(self, going: Going) -> Fraction:
        kinds = [other.kind for other in self.going if other.rank == going.rank]
        beside = {"compute": "communication", "communication": "compute"}.get(going.kind)
        rate = 1 / self.slow.get(going.kind, Fraction(1)) if beside in kinds else Fraction(1)
        if going.kind in self.carries:
            count = self.ranks.get(going.kind, 1)
            link = [other for other in self.going if other.rank // count == going.rank // count]
            rate *= min(Fraction(1), self.carries[going.kind] / [other.kind for other in link].count(going.kind))
        return rate

    def settle(self) -> None:
        rates = [self.rate(going) for going in self.going]
        for going, rate in zip(self.going, rates, strict=True):
            going.left -= rate * (self.now - self.since)
        self.since = self.now

    def foresee(self) -> None:
        for going in self.going:
            going.version += 1
            self.at(self.now + math.ceil(max(going.left, 0) / self.rate(going)), self.ending(going, going.version))

    def pump(self, stream: Stream) -> None:
        if stream.busy or stream.done == len(stream.queue):
            return
        stream.busy = True
        work = stream.queue[stream.done]
        work.start = max(work.ready, stream.free, self.now)

        def begin() -> None:
            self.settle()
            self.going.append(Going(stream, work, Fraction(work.dur)))
            self.foresee()

        self.at(work.start, begin)

    def ending(self, going: Going, version: int):  # type: ignore[no-untyped-def]
        def end() -> None:
            if going.version != version:
                return
            self.settle()
            going.version += 1
            self.going.remove(going)
            self.foresee()
            stream, work = going.stream, going.work
            work.end, work.dur = self.now, self.now - work.start
            event = kernel(stream.number, work.start, work.dur, work.correlation, work.category)
            talks = going.kind == "communication"
            self.events[work.key] = replace(event, name="ncclDevKernel_AllReduce_Sum_f32(args)") if talks else event
            stream.done, stream.busy, stream.free = stream.done + 1, False, self.now + GAP_NS
            self.release()
            self.pump(stream)

        return end


def of_rank(program: Sequence[Sequence[Step]], rank: int) -> list[list[Step]]:
    """The program on the streams of a rank."""

    def moved(step: Step) -> Step:
        match step:
            case ("launch" | "copy" | "stream_sync", stream, *rest):
                return (step[0], stream + RANK * rank, *rest)
            case ("graph", members):
                return ("graph", [(stream + RANK * rank, dur) for stream, dur in members])
            case ("nest", inner):
                return ("nest", [moved(each) for each in inner])
        return step

    return [[moved(step) for step in steps] for steps in program]


def as_recorded(event: Event, rank: int) -> Event:
    """The event as its rank's profiler writes it: streams by their own numbers; communication within the rank alone."""
    args, where = dict(event.args), event.where
    if isinstance(where, tuple):
        where = (where[0], where[1] % RANK)
        args["stream"] = args["stream"] % RANK
    if event.name.startswith("nccl"):
        args |= {"Collective name": "allreduce", "Process Group Name": f"of {rank}"}
        args |= {"Process Group Ranks": f"[{rank}]", "Group size": 1}
    return replace(event, where=where, args=args)


@dataclass
class Part:
    """A work by itself, for `finish`."""

    begin: int
    needs: int
    device: int
    kind: int  # 0 compute, 1 communication, 2 copy
    demand: int


def finish(parts: Sequence[Part], beside: Sequence[int], carried: int, per: Sequence[int], alone: int) -> list[int]:
    """When each ends, one ns after another: what runs makes its rate, anew each time.

    `per`: by kind, how many devices share one of its links, each of which has the capacity `carried`; 0: it uses none.
    """
    left, end = [part.needs for part in parts], [-1] * len(parts)
    now = 0
    while -1 in end:
        running = [at for at, part in enumerate(parts) if part.begin <= now and end[at] < 0]
        for at in running:
            if left[at] <= 0:
                end[at] = now
        running = [at for at in running if end[at] < 0]
        for at in running:
            part, rate = parts[at], alone
            mates = [parts[other] for other in running if parts[other].device == part.device]
            if part.kind < 2 and any(mate.kind == 1 - part.kind for mate in mates):
                rate = beside[part.kind]
            if count := per[part.kind]:
                likes = [parts[other] for other in running if parts[other].kind == part.kind]
                load = sum(like.demand for like in likes if like.device // count == part.device // count)
                rate = rate * carried // load if load > carried else rate
            left[at] -= max(rate, 1)
        now += 1
    return end
