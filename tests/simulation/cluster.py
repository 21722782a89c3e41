"""A machine of several ranks that meet, run event by event: the tests' own idea of collectives, sends and receives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from simulation.run import Run
from tests.simulation.build import Event, call, kernel, make_table
from tests.simulation.machine import CALL_NS, GAP_NS, Key, Machine, Step, Stream, Work, warm_up

RANK = 1_000
"""Stream s of rank r has the number r * RANK + s; a rank has one thread, of its own number."""


@dataclass
class Meeting:
    """Who meets, what each says of it, and how long each takes after the last has come."""

    transfer_ns: Mapping[int, int]  # by rank
    args: Mapping[int, dict[str, Any]]
    name: str = "ncclDevKernel_AllReduce_Sum_f32_RING_LL(args)"
    came: list[tuple[Stream, Work]] = field(default_factory=list)


class Cluster(Machine):
    """`slow` multiplies kernels of a rank, `transfer` what meetings take."""

    def __init__(self, slow: Mapping[int, float] | None = None, transfer: float = 1.0) -> None:
        super().__init__()
        self.slow, self.transfer = slow or {}, transfer
        self.meetings: dict[Key, Meeting] = {}

    def thread(self, thread: int, steps: Sequence[Step], number: Iterator[int]) -> Iterator[Any]:
        for step in steps:
            match step:
                case ("meet", stream, meeting):
                    key, start, correlation = (thread, next(number), -1), self.now, next(self.correlations)
                    work = Work((*key[:2], 0), correlation, "kernel", 0, start, 0)
                    self.meetings[work.key] = meeting
                    self.enqueue(RANK * thread + stream, work)
                    yield CALL_NS
                    self.events[key] = call(thread, start, CALL_NS, correlation)
                case ("launch", stream, dur):
                    slowed = round(dur * self.slow.get(thread, 1))
                    yield from super().thread(thread, [("launch", RANK * thread + stream, slowed)], number)
                case ("stream_sync", stream):
                    yield from super().thread(thread, [("stream_sync", RANK * thread + stream)], number)
                case _:
                    yield from super().thread(thread, [step], number)

    def pump(self, stream: Stream) -> None:
        if stream.busy or stream.done == len(stream.queue):
            return
        work = stream.queue[stream.done]
        if work.key not in self.meetings:
            super().pump(stream)
            return
        stream.busy = True
        work.start = max(work.ready, stream.free, self.now)
        meeting = self.meetings[work.key]

        def come() -> None:
            meeting.came.append((stream, work))
            if len(meeting.came) == len(meeting.transfer_ns):
                for place, member in meeting.came:
                    rank = member.key[0]
                    self.at(self.now + round(meeting.transfer_ns[rank] * self.transfer), self.leaving(place, member))

        self.at(work.start, come)

    def leaving(self, stream: Stream, work: Work) -> Any:
        def leave() -> None:
            work.end, work.dur = self.now, self.now - work.start
            meeting = self.meetings[work.key]
            event = kernel(stream.number, work.start, work.dur, work.correlation)
            said = meeting.args[work.key[0]]
            self.events[work.key] = replace(event, name=meeting.name, args={**event.args, **said})
            stream.done, stream.busy, stream.free = stream.done + 1, False, self.now + GAP_NS
            self.release()
            self.pump(stream)

        return leave


@dataclass
class Program:
    """What the ranks do, in one order that all keep, so that nobody waits in a circle."""

    ranks: int
    operations: list[tuple[Any, ...]]

    def steps(self) -> list[list[Step]]:
        """Per rank; meetings anew, so that a program can be run again."""
        found = [warm_up([7, 20]) for _ in range(self.ranks)]
        numbers: dict[tuple[int, ...], int] = {}
        for operation in self.operations:
            match operation:
                case ("collective", stream, ranks, transfer_ns):
                    numbers[ranks] = numbers.get(ranks, -1) + 1
                    said = {
                        "Collective name": "allreduce", "Process Group Name": str(ranks),
                        "Process Group Ranks": str(list(ranks)), "Seq": numbers[ranks],
                    }  # fmt: skip
                    meeting = Meeting(dict(zip(ranks, transfer_ns, strict=False)), dict.fromkeys(ranks, said))
                    for rank in ranks:
                        found[rank].append(("meet", stream, meeting))
                case ("pair", stream, sender, receiver, transfer_ns):
                    sends = {"Collective name": "send", "Dst Rank": receiver, "Process Group Name": "pp"}
                    receives = {"Collective name": "recv", "Src Rank": sender, "Process Group Name": "pp"}
                    meeting = Meeting(
                        {sender: transfer_ns[0], receiver: transfer_ns[1]},
                        {sender: sends, receiver: receives},
                        "ncclDevKernel_SendRecv(args)",
                    )
                    for rank in (sender, receiver):
                        found[rank].append(("meet", stream, meeting))
                case (rank, *step):
                    found[rank].append(tuple(step))
        return found


def programs() -> st.SearchStrategy[Program]:
    """Two to four ranks with two streams each."""
    return st.integers(2, 4).flatmap(
        lambda ranks: st.builds(Program, st.just(ranks), st.lists(operations(ranks), max_size=25))
    )


def operations(ranks: int) -> st.SearchStrategy[tuple[Any, ...]]:
    rank, stream = st.integers(0, ranks - 1), st.sampled_from([7, 20])
    several = st.lists(rank, min_size=2, max_size=ranks, unique=True).map(lambda drawn: tuple(sorted(drawn)))
    transfers = st.lists(st.integers(1, 40_000), min_size=ranks, max_size=ranks)
    pair = st.lists(rank, min_size=2, max_size=2, unique=True)
    return st.one_of(
        st.tuples(rank, st.just("launch"), stream, st.integers(1, 60_000)),
        st.tuples(rank, st.just("gap"), st.integers(0, 30_000)),
        st.tuples(rank, st.just("stream_sync"), stream),
        st.tuples(st.just("collective"), stream, several, transfers),
        st.builds(lambda stream, two, takes: ("pair", stream, *two, takes), stream, pair, transfers),
    )


def traced(machine: Cluster, program: Program) -> tuple[Run, dict[Key, int], dict[Key, Event]]:
    """The run, the row of each event in its numbering, and the events. Its clocks are one."""
    events = machine.run(program.steps())
    by_rank: list[dict[Key, Event]] = [{} for _ in range(program.ranks)]
    for key, event in events.items():
        by_rank[key[0]][key] = event
    run = Run.of([make_table(list(mine.values()), rank) for rank, mine in enumerate(by_rank)])
    run = replace(run, clocks=(None,) * program.ranks)
    row_of = {}
    for table, base, mine in zip(run.traces, run.row_base.tolist(), by_rank, strict=False):
        place = {int(source): base + row for row, source in enumerate(table.source_index)}
        row_of.update({key: place[at] for at, key in enumerate(mine)})
    return run, row_of, events
