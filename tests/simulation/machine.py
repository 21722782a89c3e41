"""A machine of threads and streams, run event by event: the tests' own idea of how a trace comes about.

It shares nothing with the engine: a heap of moments, threads as generators, streams as queues.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from tests.simulation.build import Event, call, kernel, op, sync_mark

Step = tuple[Any, ...]
"""("work", ns), ("gap", ns), ("nest", steps), ("launch", stream, ns), ("graph", [(stream, ns), ...]),
("copy", stream, ns), ("stream_sync", stream), ("device_sync",), ("query",)"""

LAUNCH_NS, GAP_NS, CALL_NS, OVERHEAD_NS = 5_000, 700, 2_000, 1_500

Key = tuple[int, int, int]
"""(thread, number of the step, number of the device event or -1): the same in every run of a program."""


@dataclass
class Work:
    """A device event on its way."""

    key: Key
    correlation: int
    category: str
    dur: int
    enqueued: int
    ready: int
    start: int = -1
    end: int = -1


@dataclass
class Stream:
    number: int
    queue: list[Work] = field(default_factory=list)
    done: int = 0  # how many of the queue have ended
    busy: bool = False
    free: int = 0


class Machine:
    """Runs programs, one per thread; `factor` scales device durations by category, `jitter_ns` disturbs costs."""

    def __init__(self, factor: Mapping[str, float] | None = None, jitter_ns: int = 0, seed: int = 0) -> None:
        self.factor, self.jitter_ns, self.random = factor or {}, jitter_ns, Random(seed)
        self.moments: list[tuple[int, int, Callable[[], None]]] = []
        self.order, self.correlations = count(), count(1)
        self.now = 0
        self.streams: dict[int, Stream] = {}
        self.events: dict[Key, Event] = {}
        self.waiting: list[tuple[list[Work], Iterator[Any]]] = []

    def run(self, programs: Sequence[Sequence[Step]]) -> dict[Key, Event]:
        """The events of all programs, by key; thread n begins at n us."""
        for thread, steps in enumerate(programs):
            self.at(1_000 * thread, self.advance(self.thread(thread, steps, count())))
        while self.moments:
            self.now, _, happen = heapq.heappop(self.moments)
            happen()
        return dict(sorted(self.events.items()))

    def at(self, when: int, happen: Callable[[], None]) -> None:
        heapq.heappush(self.moments, (when, next(self.order), happen))

    def advance(self, thread: Iterator[Any]) -> Callable[[], None]:
        def step() -> None:
            wish = next(thread, None)
            if isinstance(wish, int):
                self.at(self.now + wish, step)
            elif wish is not None:
                self.waiting.append((wish, thread))
                self.release()

        return step

    def release(self) -> None:
        """Let threads go whose awaited work has ended."""
        for entry in [entry for entry in self.waiting if all(work.end >= 0 for work in entry[0])]:
            self.waiting.remove(entry)
            self.at(self.now, self.advance(entry[1]))

    def thread(self, thread: int, steps: Sequence[Step], number: Iterator[int]) -> Iterator[Any]:
        for step in steps:
            key, start, correlation = (thread, next(number), -1), self.now, next(self.correlations)
            match step:
                case ("gap", dur):
                    yield dur
                case ("work", dur):
                    yield dur
                    self.events[key] = op(thread, start, dur)
                case ("nest", inner):
                    yield from self.thread(thread, inner, number)
                    self.events[key] = op(thread, start, self.now - start)
                case ("query",):
                    yield CALL_NS
                    self.events[key] = call(thread, start, CALL_NS, correlation, "cudaEventQuery")
                case ("launch", stream, dur):
                    self.enqueue(stream, Work((*key[:2], 0), correlation, "kernel", dur, start, 0))
                    yield CALL_NS
                    self.events[key] = call(thread, start, CALL_NS, correlation)
                case ("graph", members):
                    for at, (stream, dur) in enumerate(members):
                        self.enqueue(stream, Work((*key[:2], at), correlation, "kernel", dur, start, 0))
                    yield CALL_NS
                    self.events[key] = call(thread, start, CALL_NS, correlation, "cudaGraphLaunch")
                case ("copy", stream, dur):
                    copy = self.enqueue(stream, Work((*key[:2], 0), correlation, "gpu_memcpy", dur, start, 0))
                    yield [copy]
                    yield OVERHEAD_NS
                    self.events[key] = call(thread, start, self.now - start, correlation, "cudaMemcpyAsync")
                case ("stream_sync", stream):
                    yield self.pending([stream])
                    yield OVERHEAD_NS
                    dur = self.now - start
                    self.events[key] = call(thread, start, dur, correlation, "cudaStreamSynchronize")
                    self.events[(*key[:2], 0)] = sync_mark("Stream Sync", correlation, start, dur, stream)
                case ("device_sync",):
                    yield self.pending(list(self.streams))
                    yield OVERHEAD_NS
                    dur = self.now - start
                    self.events[key] = call(thread, start, dur, correlation, "cudaDeviceSynchronize")

    def pending(self, streams: Sequence[int]) -> list[Work]:
        """What was enqueued before now on these streams."""
        queues = [self.streams[stream].queue for stream in streams if stream in self.streams]
        return [work for queue in queues for work in queue if work.enqueued < self.now]

    def enqueue(self, stream: int, work: Work) -> Work:
        work.ready = self.now + LAUNCH_NS + self.random.randint(0, self.jitter_ns)
        work.dur = max(1, round(work.dur * self.factor.get(work.category, 1)))
        queue = self.streams.setdefault(stream, Stream(stream))
        queue.queue.append(work)
        self.pump(queue)
        return work

    def pump(self, stream: Stream) -> None:
        """Start the stream's next work as soon as it may."""
        if stream.busy or stream.done == len(stream.queue):
            return
        stream.busy = True
        work = stream.queue[stream.done]
        work.start = max(work.ready, stream.free, self.now)

        def end() -> None:
            work.end = self.now
            self.events[work.key] = kernel(stream.number, work.start, work.dur, work.correlation, work.category)
            stream.done, stream.busy = stream.done + 1, False
            stream.free = self.now + GAP_NS + self.random.randint(0, self.jitter_ns)
            self.release()
            self.pump(stream)

        self.at(work.start + work.dur, end)


def warm_up(streams: Sequence[int]) -> list[Step]:
    """Steps that show a launch onto an idle stream and a hand-over in a full queue, so that both can be calibrated."""
    steps: list[Step] = []
    for stream in streams:
        steps += [("launch", stream, 50_000), ("launch", stream, 50_000), ("launch", stream, 1_000)]
        steps += [("stream_sync", stream)]
    return steps
