"""Small runs from a few tuples, read by the real reader, for tests that want to know every number in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from simulation.events import EventTable
from simulation.formats import kineto
from simulation.formats.window import Window
from simulation.progress import silent
from simulation.run import Run


@dataclass(frozen=True)
class Event:
    """One entry of a trace; `where` is a thread's id, or ("stream", number) of device 0."""

    name: str
    category: str
    where: int | tuple[str, int]
    start: int  # ns
    dur: int | None  # ns; None for an instant
    args: dict[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return self.start + (self.dur or 0)

    def entry(self) -> dict[str, Any]:
        """As Kineto writes it: decimal microseconds, which three digits after the point make exact."""
        pid, tid = (0, self.where[1]) if isinstance(self.where, tuple) else (4711, self.where)
        lasts = {"ph": "X", "dur": self.dur / 1000} if self.dur is not None else {"ph": "i", "s": "t"}
        common = {"cat": self.category, "name": self.name, "pid": pid, "tid": tid, "ts": self.start / 1000}
        return {**lasts, **common, "args": self.args}


def op(thread: int, start: int, dur: int, name: str = "op") -> Event:
    return Event(name, "cpu_op", thread, start, dur)


def call(thread: int, start: int, dur: int, correlation: int = 0, name: str = "cudaLaunchKernel") -> Event:
    return Event(name, "cuda_runtime", thread, start, dur, {"correlation": correlation})


def kernel(stream: int, start: int, dur: int, correlation: int = 0, category: str = "kernel") -> Event:
    args = {"device": 0, "stream": stream, "correlation": correlation}
    return Event(category, category, ("stream", stream), start, dur, args)


def annotation(stream: int, start: int, dur: int) -> Event:
    return Event("forward", "gpu_user_annotation", ("stream", stream), start, dur)


def instant(thread: int, start: int) -> Event:
    return Event("[memory]", "cpu_instant_event", thread, start, None)


def sync_mark(kind: str, correlation: int, start: int, dur: int, stream: int = -1, **args: int) -> Event:
    """A `cuda_sync` event, on the track of its stream."""
    place = {"cuda_sync_kind": kind, "correlation": correlation, "stream": stream}
    return Event(kind, "cuda_sync", ("stream", max(stream, 0)), start, dur, {**place, **args})


def make_run(*traces: Sequence[Event]) -> Run:
    """A run of one trace per list of events, ranks in order."""
    return Run.of([make_table(events, rank) for rank, events in enumerate(traces)])


def make_table(events: Sequence[Event], rank: int = 0) -> EventTable:
    """The table of these events; `source_index` is their position in the list."""
    document = {"distributedInfo": {"rank": rank}, "traceEvents": [event.entry() for event in events]}
    text = json.dumps(document).encode()
    table = kineto.read(Window([text], len(text)), Path(f"rank{rank}.json"), silent)
    return replace(table, info=replace(table.info, source_sha256=f"sha-of-{hash(text)}"))
