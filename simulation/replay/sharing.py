"""What events take from each other while they run at once: overlap slow-down on a device, and shared links.

A measured duration is the work of an event under the overlap of the measurement. So a scenario says two things: the
rates that it asks for, and those that the measurement is believed to have had. Where both are the same, and nothing
else is changed, everything happens as measured, to the nanosecond.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from simulation.errors import TraceError
from simulation.graph import Rule, TaskGraph
from simulation.replay.causes import COMMUNICATION, COMPUTE, COPY, Rows
from simulation.replay.flow import ALONE, LONG_AGO, NEVER, NONE, Flow
from simulation.replay.links import Devices, Links
from simulation.run import Run

SLOWED = {"compute": COMPUTE, "communication": COMMUNICATION}
SHARED = {"copy": COPY, "communication": COMMUNICATION}

DEMAND = 1_000_000
"""Demands and capacities are counted in millionths."""

LONGEST_NS = 2**62 // ALONE
"""An event that lasts longer has more work than an i64 holds: 1.8 hours."""

COPIED = frozenset({"gpu_memcpy"})
"""Fills use no link."""

MEETS = (Rule.TRANSFER, Rule.PAIR_TRANSFER)


@dataclass(frozen=True)
class Rates:
    """How events get on beside others on their device.

    `overlap_slowdown`: "compute" -> c, a kernel beside communication progresses at 1 / c; "communication" -> the same
    beside a kernel. `shared_bandwidth`: "copy", "communication" -> how much a link carries at full rate, in the unit of
    the events' demand; with 1 and a demand of 1 each, n at once progress at 1 / n. `ranks_per_link`: so many ranks
    share such a link, 0 to n - 1, n to 2n - 1, as GPUs of a host share its network card; else each device has its own.
    What is not said slows nothing down.
    """

    overlap_slowdown: Mapping[str, float] = field(default_factory=dict)
    shared_bandwidth: Mapping[str, float] = field(default_factory=dict)
    ranks_per_link: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check("overlap_slowdown", self.overlap_slowdown, SLOWED, 1.0)
        _check("shared_bandwidth", self.shared_bandwidth, SHARED, 1 / DEMAND)
        _check("ranks_per_link", self.ranks_per_link, self.shared_bandwidth, 1)

    @property
    def are_full(self) -> bool:
        """Whether nothing slows anything down."""
        return not self.shared_bandwidth and all(factor == 1 for factor in self.overlap_slowdown.values())

    def links(self, devices: Devices) -> Links:
        """The links that these rates tell of."""
        capacity = {SHARED[name]: round(carried * DEMAND) for name, carried in self.shared_bandwidth.items()}
        return Links.of(devices, capacity, {SHARED[name]: count for name, count in self.ranks_per_link.items()})

    @property
    def beside(self) -> np.ndarray:
        """Progress per ns of compute beside communication, and the other way round: i64[2]."""
        return np.array([round(ALONE / self.overlap_slowdown.get(name, 1)) for name in SLOWED], np.int64)


def _check(what: str, said: Mapping[str, float], known: Iterable[str], least: float) -> None:
    for name, value in said.items():
        if name not in known:
            words = " or ".join(known) or "what has a shared_bandwidth"
            raise TraceError(f"{what} of {name!r} is not known", hint=f"Say it of {words}.")
        if not least <= value <= DEMAND:
            raise TraceError(f"{what} of {name!r} is {value:g}", hint=f"Give a number from {least:g} to {DEMAND:,}.")


@dataclass(frozen=True)
class Sharing:
    """Who shares what, by global row, and at which rates."""

    devices: Devices
    demand: np.ndarray  # i64 per row, in millionths
    rates: Rates
    measured: Rates
    links: Links  # at `rates`
    measured_links: Links  # at `measured`

    @classmethod
    def of(
        cls,
        run: Run,
        graph: TaskGraph,
        rates: Rates,
        measured: Rates | None = None,
        demand: np.ndarray | None = None,
    ) -> Sharing:
        """`measured`: the rates of the measurement, none of which slows down unless said. `demand` (f64 per global row,
        1 each): how much of its link an event takes, in the unit of the capacities; 0: it uses none, as copies within a
        device, and fills. Cost: O(rows log rows)."""
        devices = _devices(run, graph)
        asked = np.ones(len(devices.kind)) if demand is None else demand
        devices = devices._replace(way=np.where(asked > 0, devices.way, NONE))
        takes = np.maximum(np.rint(asked * DEMAND), 1).astype(np.int64)
        measured = measured or Rates()
        return cls(devices, takes, rates, measured, rates.links(devices), measured.links(devices))

    def slows_nothing(self, graph: TaskGraph, weight_ns: np.ndarray, node_ns: np.ndarray) -> bool:
        """Whether no events that slow each other down meet: at these times of the nodes, and when it was measured.

        O(works log works).
        """
        was_calm = self._is_calm(self.measured, self.measured_links, graph, graph.weight_ns, graph.measured_ns)
        return was_calm and self._is_calm(self.rates, self.links, graph, weight_ns, node_ns)

    def _is_calm(
        self, rates: Rates, links: Links, graph: TaskGraph, weight_ns: np.ndarray, node_ns: np.ndarray
    ) -> bool:
        if rates.are_full:
            return True
        edge, row, weight = self.works(graph, weight_ns)
        begin = node_ns[graph.source[edge]]
        at = np.concatenate([begin, begin + weight[edge]])
        change = np.repeat([1, -1], len(edge))
        row = np.concatenate([row, row])
        kind, device = self.devices.kind[row], self.devices.device[row]
        compute, speaks = (_at_once(device, at, change * (kind == of)) > 0 for of in (COMPUTE, COMMUNICATION))
        if (rates.beside != ALONE).any() and (compute & speaks).any():
            return False
        linked = links.link[row] != NONE
        link, taken = links.link[row[linked]], change[linked] * self.demand[row[linked]]
        load, capacity = _at_once(link, at[linked], taken), links.capacity[np.sort(link)]
        return bool((load <= capacity).all())

    def works(self, graph: TaskGraph, weight_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(edges that are works, their rows, weights without what stands in for a work): i64 each.

        Of an event that meets others its transfer is the work; what it would take without a meeting gives way.
        """
        (own, lasting), (moved, moving) = graph.lasting()
        kind = self.devices.kind
        meets = np.zeros(len(kind), bool)
        meets[moving[np.isin(graph.rule[moved], MEETS)]] = True
        weight = weight_ns.copy()
        weight[own[meets[lasting] & (kind[lasting] >= 0)]] = 0
        edge, row = np.concatenate([own, moved]), np.concatenate([lasting, moving])
        chosen = (kind[row] >= 0) & (weight[edge] > 0)
        if weight[edge[chosen]].max(initial=0) > LONGEST_NS:
            raise TraceError(f"an event lasts more than {LONGEST_NS:,} ns", hint="Replay without sharing.")
        return edge[chosen], row[chosen], weight

    def as_measured(self, edge: np.ndarray, row: np.ndarray, weight_ns: np.ndarray) -> Flow:
        """Works that last what they weigh, at the rates of the measurement, to see how much progress they make."""
        nothing = np.zeros(len(edge), np.int64)
        return self._flow(self.measured, self.measured_links, edge, row, nothing, weight_ns[edge])

    def as_asked(self, edge: np.ndarray, row: np.ndarray, progress: np.ndarray) -> Flow:
        """Works that last until they have made this `progress` (i64 per work), at the rates that are asked for."""
        return self._flow(self.rates, self.links, edge, row, progress, np.full(len(edge), NONE))

    def _flow(
        self, rates: Rates, links: Links, edge: np.ndarray, row: np.ndarray, left: np.ndarray, lasts_ns: np.ndarray
    ) -> Flow:
        row, event = np.unique(row, return_inverse=True)
        device = self.devices.device[row]
        events = Events(self.devices.kind[row], device, links.domain[device], links.link[row], self.demand[row])
        return new_flow(edge, event, left, lasts_ns, events, links.capacity, rates.beside)


class Events(NamedTuple):
    """What a flow is told of each event: i64 each."""

    kind: np.ndarray
    device: np.ndarray
    domain: np.ndarray
    link: np.ndarray
    demand: np.ndarray


def new_flow(
    edge: np.ndarray,
    event: np.ndarray,
    left: np.ndarray,
    lasts_ns: np.ndarray,
    events: Events,
    capacity: np.ndarray,
    beside: np.ndarray,
) -> Flow:
    """Nothing runs yet."""
    devices, domains = (int(place.max(initial=0)) + 1 for place in (events.device, events.domain))
    places = 1 << (domains - 1).bit_length()
    return Flow(
        edge=edge, event=event, left=left, lasts_ns=lasts_ns,
        begin_ns=np.zeros(len(edge), np.int64), end_ns=np.full(len(edge), NEVER), after=np.full(len(edge), NONE),
        **events._asdict(), works=np.zeros(len(events.kind), np.int64),
        running=np.zeros((devices, 3), np.int64), since_ns=np.full(domains, LONG_AGO),
        first=np.full(domains, NONE), next_ns=np.full(2 * places, NEVER),
        load=np.zeros(len(capacity), np.int64), capacity=capacity, beside=beside,
    )  # fmt: skip


def _at_once(place: np.ndarray, at_ns: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The sum of changes so far at each moment, place by place (changes of a place add up to 0): i64, sorted by place
    and time. Changes of one moment count together."""
    order = np.lexsort((at_ns, place))
    place, at_ns, total = place[order], at_ns[order], np.cumsum(change[order])
    last = np.append((place[1:] != place[:-1]) | (at_ns[1:] != at_ns[:-1]), True)[: len(total)]
    ends = np.flatnonzero(last)
    return np.asarray(total[ends[np.searchsorted(ends, np.arange(len(total)))]])


def scaled(progress: np.ndarray, before_ns: np.ndarray, after_ns: np.ndarray) -> np.ndarray:
    """The progress (i64) of works that last `after_ns` where they lasted `before_ns`; exact where the two are one."""
    known = before_ns > 0
    factor = after_ns / np.where(known, before_ns, 1)
    changed = np.where(known, np.rint(progress * factor), after_ns.astype(np.float64) * ALONE).astype(np.int64)
    return np.where(after_ns == before_ns, progress, changed)


def _devices(run: Run, graph: TaskGraph) -> Devices:
    """The device events of a run. Copies within a device, and fills, use no link."""
    rows = Rows(run, graph)
    events = np.flatnonzero(rows.is_device)
    kind, device, way = (np.full(len(rows.is_device), NONE) for _ in range(3))
    kind[events] = rows.work(events)
    _, first, device[events] = np.unique(_numbers(run)[events], return_index=True, return_inverse=True)
    goes = _ways(run)[rows.name]
    way[kind == COMMUNICATION] = 0
    copied = events[rows.of_category(COPIED)[events]]
    way[copied] = goes[copied]
    rank = np.array([at if rank is None else rank for at, rank in enumerate(run.ranks)], np.int64)
    return Devices(kind, device, way, rank[rows.trace[events[first]]])


def _numbers(run: Run) -> np.ndarray:
    """A number of each row's device, different on each rank: i64 per global row."""
    parts, base = [np.zeros(0, np.int64)], 0
    for table in run.traces:
        device = np.array([track.device for track in table.tracks] or [NONE], np.int64)
        parts.append(base + device[table.track] + 1)
        base += int(device.max(initial=0)) + 2
    return np.concatenate(parts)


def _ways(run: Run) -> np.ndarray:
    """Which way a copy of each name goes ("Memcpy HtoD"), NONE within a device: i64 per name of the run."""
    words: dict[str, int] = {}
    found = [
        NONE
        if "DtoD" in name or "Device -> Device" in name
        else words.setdefault(name.partition("(")[0].strip(), len(words))
        for name in run.names
    ]
    return np.array(found or [NONE], np.int64)


_NONE = np.zeros(0, np.int64)
NOTHING = new_flow(_NONE, _NONE, _NONE, _NONE, Events(*(_NONE,) * 5), _NONE, np.full(2, ALONE))
"""No work shares anything; nothing in it ever changes."""
