"""The task graph of a job whose programs are known: every dependency as the machine has it, nothing inferred.

Built edge by edge from the programs, so that a replay of it can be held against the machine to the nanosecond.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from simulation.graph import TaskGraph, build_graph
from simulation.workload.machine import Job
from simulation.workload.program import Do, Program
from tests.simulation.build import make_run, op

HOST, WORK, LAUNCH, STREAM, SYNC, WAIT, MEET = range(7)
"""Kinds of edges; stored as the family."""

Place = tuple[str, int]
"""What a weight is: an array of the job, and the place in it."""


@dataclass
class KnownGraph:
    """Nodes are starts and ends of instructions and works; `place` says what each edge's weight is."""

    programs: Sequence[Program]
    steps: int
    job: Job
    edges: list[tuple[int, int, int, Place]] = field(default_factory=list)  # source, target, kind, place
    nodes: int = 1  # the root
    instructions: list[list[tuple[int, int]]] = field(default_factory=list)  # per rank: (start, end) node
    works: list[list[tuple[int, int]]] = field(default_factory=list)
    members: dict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for rank, program in enumerate(self.programs):
            self.instructions.append([])
            self.works.append([])
            self._rank(rank, program)
        for meeting, came in self.members.items():
            for own, over in came:
                for start, _ in came:
                    self.edges.append((start, over, WORK if start == own else MEET, ("transfer_ns", meeting)))

    def _rank(self, rank: int, program: Program) -> None:
        before, queues = 0, defaultdict(list)  # node of the host, works of each stream
        pending: dict[int, list[int]] = defaultdict(list)
        at, first_work = int(self.job.rank_do[rank]), int(self.job.rank_work[rank])
        for step in range(self.steps):
            events: dict[int, int | None] = {}
            for i in range(len(program.do)):
                do, stream, target = program.do[i], int(program.stream[i]), int(program.target[i])
                start, end = self._node(), self._node()
                self.edges += [(before, start, HOST, ("before_ns", at)), (start, end, HOST, ("takes_ns", at))]
                if do == Do.LAUNCH:
                    work = first_work + step * len(program.work_ns) + target
                    self._launch(rank, work, start, queues[stream], pending.pop(stream, []))
                elif do == Do.RECORD:
                    events[target] = queues[stream][-1] if queues[stream] else None
                elif do == Do.WAIT and events[target] is not None:
                    pending[stream].append(events[target])  # type: ignore[arg-type]
                elif do == Do.SYNC:
                    awaited = [queue[-1] for number, queue in queues.items() if queue and stream in (number, -1)]
                    self.edges += [(node, end, SYNC, ("takes_ns", at)) for node in awaited]
                self.instructions[rank].append((start, end))
                before, at = end, at + 1

    def _launch(self, rank: int, work: int, call: int, queue: list[int], awaited: list[int]) -> None:
        start, end = self._node(), self._node()
        self.edges.append((call, start, LAUNCH, ("latency_ns", work)))
        self.edges += [(node, start, STREAM, ("gap_ns", 0)) for node in queue[-1:]]
        self.edges += [(node, start, WAIT, ("", 0)) for node in awaited]
        if (meeting := int(self.job.meeting[work])) >= 0:
            begin = self._node()  # of its leaving: the transfer is over
            self.members[meeting].append((start, begin))
        else:
            begin = start
        self.edges.append((begin, end, WORK, ("work_ns", work)))
        queue.append(end)
        self.works[rank].append((start, end))

    def _node(self) -> int:
        self.nodes += 1
        return self.nodes - 1

    def weights(self, job: Job) -> np.ndarray:
        """What each edge weighs in a job of the same programs, in the order of `edges`."""

        def value(array: str, place: int) -> int:
            return int(np.atleast_1d(getattr(job, array))[place]) if array else 0

        return np.array([value(*place) for _, _, _, place in self.edges], np.int64)

    def graph(self, job: Job) -> tuple[TaskGraph, np.ndarray]:
        """(the graph with the weights of a job, the place of each node in it)."""
        order = self._order()
        place = np.empty(self.nodes, np.int64)
        place[order] = np.arange(self.nodes)
        by_target = sorted(range(len(self.edges)), key=lambda i: place[self.edges[i][1]])
        weights = self.weights(job)[by_target]
        source = place[[self.edges[i][0] for i in by_target]].astype(np.int32)
        target = place[[self.edges[i][1] for i in by_target]]
        kind = np.array([self.edges[i][2] for i in by_target], np.uint8)
        offsets = np.searchsorted(target, np.arange(self.nodes + 1))
        any_graph = build_graph(make_run([op(1, 0, 1)]))
        nothing = np.zeros(self.nodes, np.int64)
        known = replace(
            any_graph, offsets=offsets, source=source, weight_ns=weights, family=kind, rule=kind,
            certainty=kind, measured_ns=nothing, residual_ns=nothing,
        )  # fmt: skip
        return known, place

    def _order(self) -> list[int]:
        """Causes first (Kahn)."""
        missing, after = [0] * self.nodes, defaultdict(list)
        for source, target, _, _ in self.edges:
            missing[target] += 1
            after[source].append(target)
        ready, order = [0], []
        while ready:
            node = ready.pop()
            order.append(node)
            for target in after[node]:
                missing[target] -= 1
                if not missing[target]:
                    ready.append(target)
        assert len(order) == self.nodes
        return order
