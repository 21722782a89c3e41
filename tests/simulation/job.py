"""A job in a few lines: ranks that meet, each on a clock that is off by a known time, read by the real reader."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from simulation.run import Run
from tests.simulation.build import Event, make_table

COMMUNICATION = 20
STEP_NS = 10_000_000


@dataclass
class Job:
    """Records meetings in true time; `run` shows each rank's on its own clock."""

    skew_ns: Sequence[int]
    seed: int = 0
    jitter_ns: int = 1_500
    now_ns: int = 2 * 10**9  # so that no skew moves a time before 0
    events: list[list[Event]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.events = [[] for _ in self.skew_ns]

    def collective(self, ranks: Sequence[int], name: str = "ncclDevKernel_AllReduce_Sum_f32_RING_LL(args)",
                   stream: int = COMMUNICATION, misses: Sequence[int] = (), **args: Any) -> None:  # fmt: skip
        """All begin when they come, end when the last has come and the data is moved; `misses` do not record it."""
        self.now_ns += 400_000
        starts = {rank: self.now_ns + self.random.randrange(300_000) for rank in ranks}
        end = max(starts.values()) + 20_000
        for rank, start in starts.items():
            if rank not in misses:
                self.record(rank, name, start, end + self.random.randrange(self.jitter_ns), ("stream", stream), **args)

    def pair(self, sender: int, receiver: int, ranks: Sequence[int]) -> None:
        """A send and its receive, each naming the other by its rank in the job, as PyTorch does."""
        self.now_ns += 400_000
        group = {"Process Group Name": "pp", "Process Group Ranks": str(list(ranks))}
        end = self.now_ns + 50_000
        for rank, word, key, peer in (
            (sender, "send", "Dst Rank", receiver),
            (receiver, "recv", "Src Rank", sender),
        ):
            told = {"Collective name": word, key: peer, **group}
            start = self.now_ns + self.random.randrange(30_000)
            end_ns = end + self.random.randrange(self.jitter_ns)
            self.record(rank, "ncclDevKernel_SendRecv(args)", start, end_ns, ("stream", COMMUNICATION), **told)

    def on_host(self, ranks: Sequence[int], late_ns: Sequence[int]) -> None:
        """Gloo's work on threads that change; it is marked as ended `late_ns` after it has."""
        self.now_ns += STEP_NS
        for rank, late in zip(ranks, late_ns, strict=True):
            start = self.now_ns + self.random.randrange(200_000)
            thread = self.random.randrange(100, 102)
            self.record(rank, "gloo:all_reduce", start, self.now_ns + 300_000 + late, thread, "user_annotation")

    def record(self, rank: int, name: str, start: int, end: int, where: Any, category: str = "kernel",
               **args: Any) -> None:  # fmt: skip
        self.events[rank].append(Event(name, category, where, start + self.skew_ns[rank], end - start, args))

    def run(self) -> Run:
        return Run.of([make_table(events, rank) for rank, events in enumerate(self.events)])
