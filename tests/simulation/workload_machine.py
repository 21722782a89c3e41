"""A job run moment by moment, in the order of time: the tests' own idea of what programs do.

Hosts are generators, streams are queues of works and waits, events are resolved when they are met. Slow and plain.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count

from simulation.workload.machine import Job
from simulation.workload.program import Do, Program


@dataclass(eq=False)
class Work:
    stream: Stream
    ready: int
    takes: int
    meeting: int
    start: int = -1
    end: int = -1


@dataclass(eq=False)
class Stream:
    queue: list[Work | Callable[[], bool]] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)
    free: int = -(10**18)
    busy: bool = False


class SlowMachine:
    """Runs `programs` (one per rank), `steps` times each; durations are those of the job.

    What is `ignored` does not hold anything up: "wait" between streams, "sync" of hosts, "meet" of ranks.
    """

    def __init__(
        self, programs: Sequence[Program], steps: int, job: Job, ignored: frozenset[str] = frozenset()
    ) -> None:
        self.programs, self.steps, self.job, self.ignored = programs, steps, job, ignored
        self.moments: list[tuple[int, int, Callable[[], None]]] = []
        self.order, self.now = count(), 0
        self.streams: dict[tuple[int, int], Stream] = defaultdict(Stream)
        self.waiting: list[tuple[int, int, Iterator[int | None]]] = []  # rank, stream, host
        self.come: dict[int, list[Work]] = defaultdict(list)
        self.host_times: list[list[tuple[int, int]]] = [[] for _ in programs]
        self.works: list[list[Work]] = [[] for _ in programs]

    def run(self) -> None:
        for rank in range(len(self.programs)):
            self.advance(self.host(rank), rank)
        while self.moments:
            self.now, _, happen = heapq.heappop(self.moments)
            happen()

    def at(self, when: int, happen: Callable[[], None]) -> None:
        heapq.heappush(self.moments, (when, next(self.order), happen))

    def advance(self, host: Iterator[int | None], rank: int) -> None:
        wish = next(host, "over")
        if isinstance(wish, int):
            self.at(self.now + wish, lambda: self.advance(host, rank))
        elif wish is None:
            self.waiting.append((rank, self.awaited, host))
            self.release()

    def release(self) -> None:
        for entry in list(self.waiting):
            rank, stream, host = entry
            streams = [queue for (r, s), queue in self.streams.items() if r == rank and stream in (s, -1)]
            if all(queue.works[-1].end >= 0 for queue in streams if queue.works):
                self.waiting.remove(entry)
                self.advance(host, rank)

    def host(self, rank: int) -> Iterator[int | None]:
        program, job = self.programs[rank], self.job
        first, first_work = int(job.rank_do[rank]), int(job.rank_work[rank])
        for step in range(self.steps):
            events: dict[int, Work | None] = {}
            base, works = first + step * len(program.do), first_work + step * len(program.work_ns)
            for i in range(len(program.do)):
                yield int(job.before_ns[base + i])
                start, what, stream = self.now, program.do[i], int(program.stream[i])
                target = int(program.target[i])
                if what == Do.LAUNCH:
                    self.enqueue(rank, stream, works + target)
                elif what == Do.RECORD:
                    before = self.streams[rank, stream].works
                    events[target] = before[-1] if before else None
                elif what == Do.WAIT:
                    awaited = events[target]
                    if awaited is not None and "wait" not in self.ignored:
                        self.streams[rank, stream].queue.append(lambda work=awaited: work.end >= 0)
                elif what == Do.SYNC and "sync" not in self.ignored:
                    self.awaited = stream
                    yield None
                yield int(job.takes_ns[base + i])
                self.host_times[rank].append((start, self.now))

    def enqueue(self, rank: int, stream: int, number: int) -> None:
        job = self.job
        queue, ready = self.streams[rank, stream], self.now + int(job.latency_ns[number])
        work = Work(queue, ready, int(job.work_ns[number]), int(job.meeting[number]))
        self.works[rank].append(work)
        queue.works.append(work)
        queue.queue.append(work)
        self.pump(queue)

    def pump(self, stream: Stream) -> None:
        while stream.queue and not stream.busy:
            head = stream.queue[0]
            if isinstance(head, Work):
                stream.busy = True
                stream.queue.pop(0)
                when = max(self.now, head.ready, stream.free + self.job.gap_ns)
                self.at(when, lambda work=head: self.begin(work))
            elif head():
                stream.queue.pop(0)
            else:
                return

    def begin(self, work: Work) -> None:
        work.start = self.now
        if work.meeting < 0:
            self.at(self.now + work.takes, lambda: self.end(work))
            return
        if "meet" in self.ignored:
            over = self.now + int(self.job.transfer_ns[work.meeting])
            self.at(over + work.takes, lambda: self.end(work))
            return
        come = self.come[work.meeting]
        come.append(work)
        if len(come) == self.job.members[work.meeting]:
            over = self.now + int(self.job.transfer_ns[work.meeting])
            for each in come:
                self.at(over + each.takes, lambda left=each: self.end(left))

    def end(self, work: Work) -> None:
        work.end = work.stream.free = self.now
        work.stream.busy = False
        for stream in self.streams.values():
            self.pump(stream)
        self.release()
