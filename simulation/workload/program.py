"""One step of one pipeline stage: what its host does, instruction by instruction, and what it enqueues.

The host is one flow of control: while the autograd thread runs backward, the main thread waits for it. So
instructions have one order, whichever thread they are of. Every rank of a stage runs the same program; steps repeat it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from simulation.workload import labels
from simulation.workload.labels import Channel, Label
from simulation.workload.spec import Host

MAIN, AUTOGRAD = 0, 1

NOTHING = -1


class Do(IntEnum):
    """What an instruction does."""

    OPEN = 0  # begin a slice
    CLOSE = 1  # end the innermost one
    LAUNCH = 2  # enqueue work `target` on `stream`
    RECORD = 3  # event `target` happens when the work enqueued on `stream` so far has ended
    WAIT = 4  # what is enqueued on `stream` from here on waits for event `target`
    SYNC = 5  # wait for all work on `stream`; NOTHING: on all streams


@dataclass(frozen=True)
class Program:
    """A finished program as columns. A slice, call or work is named by its place in its table."""

    labels: tuple[Label, ...]
    streams: int
    # instructions, columns i64 unless said
    do: np.ndarray  # u8
    thread: np.ndarray  # i64
    stream: np.ndarray  # i64
    target: np.ndarray  # i64
    before_ns: np.ndarray  # i64, host work before it
    takes_ns: np.ndarray  # i64, the instruction itself; of a SYNC after what it waited for
    # slices, in the order in which they begin
    slice_label: np.ndarray
    slice_open: np.ndarray  # instruction
    slice_close: np.ndarray
    slice_sequence: np.ndarray  # of autograd, NOTHING none
    slice_meeting: np.ndarray  # number within the label's channel, NOTHING none
    # calls, in order
    call_label: np.ndarray
    call_at: np.ndarray  # instruction
    call_slice: np.ndarray  # innermost open slice
    # device work, in the order in which it is enqueued
    work_label: np.ndarray
    work_stream: np.ndarray
    work_call: np.ndarray
    work_ns: np.ndarray  # i64; of collectives once all have come
    work_meeting: np.ndarray  # as slice_meeting
    after_first: np.ndarray  # works + 1: works that a work waits for beside its stream, a slice of `after`
    after: np.ndarray
    # (begin slice, end slice) of operators that autograd pairs, by sequence number
    pairs: np.ndarray  # i64, [n, 2]

    def meetings(self) -> dict[Channel, int]:
        """How many exchanges a step has, by channel."""
        channels = [self.labels[label].channel for label in self.work_label]
        return {channel: channels.count(channel) for channel in Channel if channel in channels}


class Writer:
    """Writes a program down. Host costs are added by what an instruction is; `pause` adds more."""

    def __init__(self, host: Host) -> None:
        self.host, self.thread = host, MAIN
        self._labels: dict[Label, int] = {}
        self._instructions: list[tuple[int, ...]] = []
        self._slices: list[list[int]] = []
        self._calls: list[tuple[int, ...]] = []
        self._works: list[tuple[int, ...]] = []
        self._after: list[list[int]] = []
        self._last: dict[int, int] = {}  # stream -> the last work on it
        self._events: list[int] = []  # the work that each event waits for
        self._pending: dict[int, set[int]] = {}  # stream -> works that its next one waits for
        self._met: dict[Channel, int] = {}
        self._open: list[int] = []
        self._begun: dict[int, int] = {}  # sequence number -> forward slice
        self._pairs: list[tuple[int, int]] = []
        self._pause_ns = self._sequences = 0
        self.streams = 0

    @contextmanager
    def slice(self, label: Label, sequence: int = NOTHING, meeting: int = NOTHING) -> Iterator[None]:
        """A slice around what is written within; the first of an autograd sequence number is the forward operator."""
        number = len(self._slices)
        opened = self._instruct(Do.OPEN, before_us=self.host.op_us)
        self._slices.append([self._code(label), opened, NOTHING, sequence, meeting])
        self._begun.setdefault(sequence, number)
        self._open.append(number)
        yield
        self._open.pop()
        self._slices[number][2] = self._instruct(Do.CLOSE, before_us=self.host.op_us / 4)

    def next_sequence(self) -> int:
        """A number for an operator that autograd will run backward."""
        self._sequences += 1
        return self._sequences - 1

    def pair(self, sequence: int) -> None:
        """The innermost open slice is the backward of the forward operator of this number."""
        self._pairs.append((self._begun[sequence], self._open[-1]))

    @contextmanager
    def on_autograd(self) -> Iterator[None]:
        """What is written within runs on the autograd thread."""
        self.thread = AUTOGRAD
        self.pause(self.host.gap_us)
        yield
        self.thread = MAIN
        self.pause(self.host.gap_us)

    def pause(self, us: float) -> None:
        """Host work outside of any instruction, before the next one."""
        self._pause_ns += round(us * 1000)

    def launch(self, stream: int, label: Label, work_ns: int, call: Label = labels.LAUNCH) -> int:
        """Enqueue work; its number."""
        work, at = len(self._works), self._call(call, Do.LAUNCH, stream, len(self._works), self.host.launch_us)
        meeting = self.meeting(label.channel) if label.channel else NOTHING
        if label.channel:
            self._met[label.channel] = meeting + 1
        self._works.append((self._code(label), stream, at, work_ns, meeting))
        self._after.append(sorted(self._pending.pop(stream, set())))
        self._last[stream] = work
        self.streams = max(self.streams, stream + 1)
        return work

    def meeting(self, channel: Channel) -> int:
        """The number that the next exchange in this channel will have."""
        return self._met.get(channel, 0)

    def order(self, first: int, then: int) -> None:
        """What is enqueued on stream `then` from here on waits for what is on stream `first` by now."""
        self.wait(then, self.record(first))

    def record(self, stream: int) -> int:
        """An event on the stream; its number."""
        event = len(self._events)
        self._call(labels.RECORD, Do.RECORD, stream, event, self.host.call_us)
        self._events.append(self._last.get(stream, NOTHING))
        return event

    def wait(self, stream: int, event: int) -> None:
        self._call(labels.WAIT, Do.WAIT, stream, event, self.host.call_us)
        if self._events[event] != NOTHING:
            self._pending.setdefault(stream, set()).add(self._events[event])

    def sync(self, stream: int = NOTHING) -> None:
        label = labels.DEVICE_SYNC if stream == NOTHING else labels.STREAM_SYNC
        self._call(label, Do.SYNC, stream, NOTHING, self.host.sync_us)

    def finished(self) -> Program:
        """The program. Whoever repeats it must have synchronized at its end: no dependency spans steps."""
        do, thread, stream, target, before_ns, takes_ns = _columns(self._instructions, 6)
        slice_label, slice_open, slice_close, slice_sequence, slice_meeting = _columns(self._slices, 5)
        call_label, call_at, call_slice = _columns(self._calls, 3)
        work_label, work_stream, work_call, work_ns, work_meeting = _columns(self._works, 5)
        return Program(
            tuple(self._labels), self.streams,
            do.astype(np.uint8), thread, stream, target, before_ns, takes_ns,
            slice_label, slice_open, slice_close, slice_sequence, slice_meeting,
            call_label, call_at, call_slice,
            work_label, work_stream, work_call, work_ns, work_meeting,
            np.cumsum([0, *(len(after) for after in self._after)]),
            np.array([work for after in self._after for work in after], np.int64),
            np.array(self._pairs, np.int64).reshape(-1, 2),
        )  # fmt: skip

    def _instruct(
        self, do: Do, stream: int = NOTHING, target: int = NOTHING, before_us: float = 0.0, takes_us: float = 0.0
    ) -> int:
        before_ns = self._pause_ns + round(before_us * 1000)
        self._pause_ns = 0
        self._instructions.append((do, self.thread, stream, target, before_ns, round(takes_us * 1000)))
        return len(self._instructions) - 1

    def _call(self, label: Label, do: Do, stream: int, target: int, takes_us: float) -> int:
        at = self._instruct(do, stream, target, self.host.op_us / 2, takes_us)
        self._calls.append((self._code(label), at, self._open[-1] if self._open else NOTHING))
        return len(self._calls) - 1

    def _code(self, label: Label) -> int:
        return self._labels.setdefault(label, len(self._labels))


def _columns(rows: Sequence[Sequence[int]], width: int) -> list[np.ndarray]:
    return list(np.array(rows, np.int64).reshape(-1, width).T.copy())
