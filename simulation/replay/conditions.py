"""Under which conditions a run is replayed: the document that the command line and the API take, and what it means.

Rates of links are in GB/s (10^9 bytes a second). What an event asks of its link is what it had when it was measured:
bytes of a copy, bytes on the bus of a collective (`bus_factor`), by the time that it worked. Where waiting cannot be
told from work that is too little. An event whose bytes are not known asks for nothing, and is counted.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from simulation import rendezvous
from simulation.analysis.collectives import bus_factor
from simulation.errors import TraceError
from simulation.graph import TaskGraph
from simulation.replay.flow import COMMUNICATION, COPY, NONE
from simulation.replay.overlap_fit import Fit, fit_slowdowns
from simulation.replay.schedule import Schedule, streams_of
from simulation.replay.sharing import Rates, Sharing
from simulation.run import Run

FITTED = "fitted"
MOST_QUEUED = 2**31


@dataclass(frozen=True)
class Conditions:
    """What a replay shall take into account besides durations; nothing is the forward pass.

    `event_driven`: the order of launches, and what waits find, may change. `queue_limit`: so many events fit into a
    stream's queue, 0 any number. The others as `Rates` has them, of "compute", "communication" and "copy"; those that
    begin with `measured` tell what the measurement had. `measured_slow_down` may be "fitted": from the run itself, and
    then `slow_down` is the same where it says nothing else.
    """

    event_driven: bool = False
    queue_limit: int = 0
    slow_down: Mapping[str, float] = field(default_factory=dict)
    link_gb_per_s: Mapping[str, float] = field(default_factory=dict)
    ranks_per_link: Mapping[str, int] = field(default_factory=dict)
    measured_slow_down: Mapping[str, float] | str = field(default_factory=dict)
    measured_link_gb_per_s: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.queue_limit <= MOST_QUEUED:
            raise TraceError(f"queue_limit is {self.queue_limit}", hint=f"Give a number from 0 to {MOST_QUEUED:,}.")
        self.rates(self.slow_down)
        self.measured({})

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Conditions:
        """From a JSON-like document. Raises TraceError with the key that is wrong."""
        known = {each.name for each in dataclasses.fields(cls)}
        for key, value in document.items():
            if key not in known:
                raise TraceError(f"{key[:40]} is not known", hint=f"Known: {', '.join(sorted(known))}.")
            if not _fits(key, value):
                raise TraceError(f"{key} is {str(value)[:40]!r}", hint="See docs/replay.md, Conditions.")
        return cls(**document)

    @property
    def are_none(self) -> bool:
        return self == Conditions()

    def document(self) -> dict[str, Any]:
        """What `of` takes, without what is as usual."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value}

    def rates(self, slow_down: Mapping[str, float]) -> Rates:
        return Rates(slow_down, self.link_gb_per_s, self.ranks_per_link)

    def measured(self, fitted: Mapping[str, float]) -> Rates:
        """The rates of the measurement; its links are shared as those asked for."""
        slow_down = fitted if isinstance(self.measured_slow_down, str) else self.measured_slow_down
        links = self.measured_link_gb_per_s
        return Rates(slow_down, links, {name: count for name, count in self.ranks_per_link.items() if name in links})

    def on(self, run: Run, graph: TaskGraph) -> Applied:
        """What `replay` takes. Costs O(rows log rows) where something is said."""
        fits = fit_slowdowns(run, graph) if self.measured_slow_down == FITTED else {}
        fitted = {name: fit.factor for name, fit in fits.items()}
        rates, measured = self.rates({**fitted, **self.slow_down}), self.measured(fitted)
        schedule = Schedule.of(graph, streams_of(run)) if self.event_driven or self.queue_limit else None
        if rates.are_full and measured.are_full:
            return Applied(schedule, None, self.queue_limit, fits, {})
        demand, told = _demands(run, graph, set(self.link_gb_per_s) | set(self.measured_link_gb_per_s))
        return Applied(schedule, Sharing.of(run, graph, rates, measured, demand), self.queue_limit, fits, told)


@dataclass(frozen=True)
class Applied:
    """Conditions on one run."""

    schedule: Schedule | None
    sharing: Sharing | None
    queue_limit: int
    fits: dict[str, Fit]
    demands: dict[str, dict[str, int]]

    def figures(self) -> dict[str, Any]:
        """What was found in the run: fitted slow-downs, and of how many events it is known what they ask of links."""
        return {"fitted": {name: fit.figures() for name, fit in self.fits.items()}, "links": self.demands}


def _fits(key: str, value: Any) -> bool:
    """Whether a value of a document has the type of its key."""
    if key == "event_driven":
        return isinstance(value, bool)
    if key == "queue_limit":
        return type(value) is int
    if key == "measured_slow_down" and value == FITTED:
        return True
    numbers = (int,) if key == "ranks_per_link" else (int, float)
    return isinstance(value, Mapping) and all(type(number) in numbers for number in value.values())


def _demands(run: Run, graph: TaskGraph, kinds: set[str]) -> tuple[np.ndarray, dict[str, dict[str, int]]]:
    """(GB/s that each row asks of its link, f64; of the `kinds` that have links, how many events tell their bytes)."""
    sharing = Sharing.of(run, graph, Rates())
    edge, row, _ = sharing.works(graph, graph.weight_ns)
    works_ns = np.zeros(len(sharing.devices.kind), np.int64)
    np.maximum.at(works_ns, row, graph.weight_ns[edge])
    moved = np.where(sharing.devices.kind == COPY, _copied(run), _on_the_bus(run))
    known = (moved > 0) & (works_ns > 0)
    demand = np.where(known, moved / np.maximum(works_ns, 1), 0.0)
    told = {}
    for name, kind in (("copy", COPY), ("communication", COMMUNICATION)):
        if name in kinds:
            uses = (sharing.devices.kind == kind) & (sharing.devices.way != NONE)
            told[name] = {"events": int(uses.sum()), "bytes_known": int((uses & known).sum())}
    return demand, told


def _copied(run: Run) -> np.ndarray:
    """Bytes of each copy, 0 not told: i64 per global row."""
    parts = [np.zeros(0, np.int64)]
    for table in run.traces:
        side = table.sides["device"]
        size_bytes = np.zeros(len(table), np.int64)
        size_bytes[np.asarray(side["row"])] = np.maximum(np.asarray(side["size_bytes"]), 0)
        parts.append(size_bytes)
    return np.concatenate(parts)


def _on_the_bus(run: Run) -> np.ndarray:
    """Bytes that each event moves between ranks, by nccl-tests' bus factor where it has one, 0 not told: f64."""
    met = rendezvous.find(run)
    ranks = np.maximum(rendezvous.told_group_sizes(met, run), met.counts)
    kinds = [met.keys[key].kind for key in met.key.tolist()]
    factors = [bus_factor(kind, count) or 1.0 for kind, count in zip(kinds, ranks.tolist(), strict=True)]
    found = np.zeros(int(run.row_base[-1]))
    each = np.maximum(met.size_bytes, 0) * np.array(factors)
    np.add.at(found, met.row, each[met.meeting])
    return found
