"""What the profiler of one rank records: the entries of its file, step by step, as kinds and numbers.

Every step has the same entries: operators and annotations, arrows from forward to backward, calls and the arrows that
leave them, device work and the arrows that reach it, the step's mark on the device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from simulation.workload.exchange import COMPUTE
from simulation.workload.execution import Execution
from simulation.workload.labels import Number
from simulation.workload.program import NOTHING, Do, Program

BLOCK_ENTRIES = 100_000
START_NS = 1_234_567_890_123_456
"""From the base time to the begin of the run: as long as in Kineto's files."""

FIRST_STEP = 10


class Section(IntEnum):
    """Kinds of entries, in the order of the file within a step."""

    SLICE = 0
    FORWARD = 1  # arrow from a forward operator
    BACKWARD = 2  # to its backward
    CALL = 3
    LAUNCH = 4  # arrow from a call
    WORK = 5
    LAUNCHED = 6  # to the device work
    MARK = 7  # the step, on the device
    WAITED = 8  # a wait between streams, or of the host, as a `cuda_sync` event


ARROWS = frozenset({Section.FORWARD, Section.BACKWARD, Section.LAUNCH, Section.LAUNCHED})


@dataclass(frozen=True)
class Entry:
    """One kind of entry: what is the same in all of them."""

    section: Section
    label: int  # of the program
    place: int  # thread, of SLICE to LAUNCH; else stream, NOTHING all of them
    sequenced: bool  # has a number of autograd
    awaited: int  # of WAITED: the stream that is waited for, NOTHING none


@dataclass(frozen=True)
class Block:
    """Entries one behind the other: `entry` into the recording's entries, `numbers` i64 [Number, n]."""

    entry: np.ndarray
    numbers: np.ndarray

    def __len__(self) -> int:
        return len(self.entry)

    def __getitem__(self, number: Number) -> np.ndarray:
        return np.asarray(self.numbers[number.value])


class Recording:
    """One rank's recording of a job."""

    def __init__(self, execution: Execution, rank: int, step: Step | None = None) -> None:
        self.spec, self.place = execution.spec, execution.places[rank]
        self.program, self.times = execution.programs[self.place.stage], execution.times[rank]
        self.zero_ns = int(self.spec.clock_skew_ns()[rank]) + START_NS
        self._step = step or Step.of(self.program, self.spec.sync_events)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self._step.entries

    @property
    def streams(self) -> tuple[int, ...]:
        """Streams that have work."""
        return tuple(int(stream) for stream in np.unique(self.program.work_stream))

    @property
    def length(self) -> int:
        """Entries of all steps."""
        return len(self._step.entry) * self.spec.steps

    @property
    def events(self) -> int:
        """Rows of a table: all entries but arrows."""
        return self._step.events * self.spec.steps

    @cached_property
    def span_ns(self) -> tuple[int, int]:
        """Begin and end of the recording."""
        return self.zero_ns, self.zero_ns + int(max(self.times.do_end.max(), self.times.work_end.max()))

    def blocks(self) -> Iterator[Block]:
        """All entries, some steps at a time."""
        at_once = max(1, BLOCK_ENTRIES // len(self._step.entry))
        for first in range(0, self.spec.steps, at_once):
            yield self._block(first, min(first + at_once, self.spec.steps))

    def _block(self, first: int, end: int) -> Block:
        step, times = self._step, self.times
        begins = np.concatenate([times.do_start[first:end], times.work_start[first:end]], axis=1)
        ends = np.concatenate([times.do_end[first:end], times.work_end[first:end]], axis=1)
        numbers = step.base[:, None, :] + step.stride[:, None, :] * np.arange(first, end)[None, :, None]
        numbers[Number.START.value] = begins[:, step.start_of] + self.zero_ns
        numbers[Number.DURATION.value] = ends[:, step.end_of] - begins[:, step.start_of]
        return Block(np.tile(step.entry, end - first), numbers.reshape(len(Number), -1))


@dataclass(frozen=True)
class Step:
    """The entries of one step; the same on all ranks of a stage."""

    entries: tuple[Entry, ...]
    entry: np.ndarray  # i64, of each entry into `entries`
    start_of: np.ndarray  # i64 into instructions and, behind them, works
    end_of: np.ndarray
    base: np.ndarray  # i64 [Number, n], in step 0
    stride: np.ndarray  # i64 [Number, n], per step

    @property
    def events(self) -> int:
        """Entries but arrows."""
        is_arrow = np.array([entry.section in ARROWS for entry in self.entries])
        return int(np.count_nonzero(~is_arrow[self.entry]))

    @classmethod
    def of(cls, program: Program, sync_events: bool = False) -> Step:
        parts = _Parts(program)
        parts.slices()
        parts.arrows_to_backward()
        parts.calls()
        parts.works()
        if sync_events:
            parts.waits()
        keys = np.concatenate(parts.keys, axis=1)
        kinds, entry = np.unique(keys, axis=1, return_inverse=True)
        entries = tuple(Entry(Section(s), label, place, bool(q), w) for s, label, place, q, w in kinds.T.tolist())
        return cls(
            entries,
            entry.reshape(-1),
            np.concatenate(parts.start_of),
            np.concatenate(parts.end_of),
            np.concatenate(parts.base, axis=1),
            np.concatenate(parts.stride, axis=1),
        )


class _Parts:
    """The entries of a step, section by section."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.keys: list[np.ndarray] = []
        self.start_of: list[np.ndarray] = []
        self.end_of: list[np.ndarray] = []
        self.base: list[np.ndarray] = []
        self.stride: list[np.ndarray] = []
        meetings = program.meetings()
        self.per_step = np.array([meetings.get(each.channel, 0) if each.channel else 0 for each in program.labels])

    def slices(self) -> None:
        p = self.program
        number = np.arange(len(p.slice_label))
        self.add(
            Section.SLICE, p.slice_label, p.thread[p.slice_open], p.slice_open, p.slice_close,
            EXTERNAL=number + 1, FUNCTION=number, INDEX=number, SEQUENCE=p.slice_sequence, MEETING=p.slice_meeting,
        )  # fmt: skip

    def arrows_to_backward(self) -> None:
        p = self.program
        for section, number in ((Section.FORWARD, p.pairs[:, 0]), (Section.BACKWARD, p.pairs[:, 1])):
            at = p.slice_open[number]
            self.add(section, p.slice_label[number], p.thread[at], at, at, SEQUENCE=p.slice_sequence[number])

    def calls(self) -> None:
        p = self.program
        number = np.arange(len(p.call_label))
        place = p.thread[p.call_at]
        ids = {"EXTERNAL": p.call_slice + 1, "CORRELATION": number + 1}
        self.add(Section.CALL, p.call_label, place, p.call_at, p.call_at, **ids)
        at = p.work_call
        label, when = p.call_label[at], p.call_at[at]
        self.add(Section.LAUNCH, label, place[at], when, when, CORRELATION=at + 1)

    def works(self) -> None:
        p = self.program
        at = len(p.do) + np.arange(len(p.work_label))
        ids = {"EXTERNAL": p.call_slice[p.work_call] + 1, "CORRELATION": p.work_call + 1}
        self.add(Section.WORK, p.work_label, p.work_stream, at, at, **ids, MEETING=p.work_meeting)
        self.add(Section.LAUNCHED, p.work_label, p.work_stream, at, at, CORRELATION=p.work_call + 1)
        first, last = at[p.work_stream == COMPUTE][[0, -1]]
        outermost = p.slice_label[:1]
        self.add(Section.MARK, outermost, np.array([COMPUTE]), first[None], last[None], EXTERNAL=np.array([1]))

    def waits(self) -> None:
        """Of streams for events, and of the host; they last as long as their calls."""
        p = self.program
        do, target = p.do[p.call_at], p.target[p.call_at]
        records = np.flatnonzero(do == Do.RECORD)  # by event: they are numbered in the order of their calls
        calls = np.flatnonzero((do == Do.WAIT) | (do == Do.SYNC))
        record = np.where(do[calls] == Do.WAIT, records[target[calls]] if len(records) else 0, NOTHING)
        at = p.call_at[calls]
        ids = {"EXTERNAL": p.call_slice[calls] + 1, "CORRELATION": calls + 1, "RECORD": record + 1}
        awaited = np.where(record == NOTHING, NOTHING, p.stream[p.call_at[record]])
        self.add(Section.WAITED, p.call_label[calls], p.stream[at], at, at, awaited, **ids)

    def add(
        self,
        section: Section,
        label: np.ndarray,
        place: np.ndarray,
        start_of: np.ndarray,
        end_of: np.ndarray,
        awaited: np.ndarray | None = None,
        **numbers: np.ndarray,
    ) -> None:
        """A section; a number that is NOTHING in an entry is not used there."""
        p, n = self.program, len(label)
        sequence = numbers.get("SEQUENCE", np.full(n, NOTHING))
        awaited = np.full(n, NOTHING) if awaited is None else awaited
        self.keys.append(np.stack([np.full(n, section), label, place, sequence != NOTHING, awaited]))
        self.start_of.append(start_of)
        self.end_of.append(end_of)
        base, stride = np.zeros((len(Number), n), np.int64), np.zeros((len(Number), n), np.int64)
        slices, calls = len(p.slice_label), len(p.call_label)
        per_step = {"EXTERNAL": slices, "FUNCTION": slices, "INDEX": slices, "CORRELATION": calls, "RECORD": calls}
        for name, values in numbers.items():
            base[Number[name].value] = values
            stride[Number[name].value] = per_step.get(name, 0)
        stride[Number.SEQUENCE.value] = p.slice_sequence.max(initial=0) + 1
        stride[Number.MEETING.value] = self.per_step[label]
        base[Number.SEQUENCE.value] += 1
        base[Number.MEETING.value] += 1
        base[Number.STEP.value], stride[Number.STEP.value] = FIRST_STEP, 1
        self.base.append(base)
        self.stride.append(stride)
