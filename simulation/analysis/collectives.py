"""Collectives across ranks: who came when, how long they waited, and the bandwidth of what then was transferred.

Ranks' events are matched by `simulation.meetings` (the group's own sequence number, else the order) and compared on
aligned clocks. From its arrival to the last one's a rank waits; what remains is transfer. Latency is the least duration
over the ranks, as TraceLens has it: the last to come waits for nobody. With one rank the wait cannot be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from simulation.analysis.breakdown import Work
from simulation.analysis.selection import RankView, Selection
from simulation.analysis.tables import Groups, Table
from simulation.meetings import KINDS, Key, kind_of, meetings_of, taken, words_of

TRANSFERS = (*KINDS, "pair")
"""Kinds that end on all ranks together, so that the last arrival parts waiting from transfer."""

DTYPE_BYTES = {
    "float": 4, "double": 8, "half": 2, "bfloat16": 2, "long": 8, "int": 4, "short": 2, "byte": 1, "char": 1, "bool": 1,
    "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1,
}  # fmt: skip

WORST = 50


def bus_factor(kind: str, ranks: int) -> float | None:
    """Bus over algorithm bandwidth (nccl-tests, PERFORMANCE.md); None where it is not defined."""
    if ranks < 2:
        return None
    factors = {"allreduce": 2.0, "allgather": 1.0, "reducescatter": 1.0, "alltoall": 1.0}
    return factors[kind] * (ranks - 1) / ranks if kind in factors else None


@dataclass(frozen=True)
class Attendance:
    """Each rank's part in each collective, one entry per event; a meeting is the events with one `meeting`."""

    run_traces: int
    trace: np.ndarray
    row: np.ndarray
    step: np.ndarray  # number of the step, -1 none
    start_ns: np.ndarray  # unix ns, on aligned clocks
    dur_ns: np.ndarray
    key: np.ndarray  # index into `keys`
    meeting: np.ndarray
    keys: list[Key]
    size_bytes: np.ndarray  # of the whole message, -1 unknown
    group_size: np.ndarray  # -1 unknown

    @cached_property
    def groups(self) -> Groups:
        return Groups(self.meeting)

    @cached_property
    def place(self) -> np.ndarray:
        """Index of each event's meeting among `groups`."""
        place = np.empty(len(self.meeting), np.int64)
        place[self.groups.order] = np.repeat(np.arange(len(self.groups)), self.groups.count)
        return place

    @cached_property
    def is_seen_whole(self) -> np.ndarray:
        """Per meeting: more than one rank is there, and all leave together, so that waits are known: bool."""
        together = np.array([key.kind in TRANSFERS for key in self.keys] or [False])
        return np.asarray((self.groups.count > 1) & together[self.groups.max(self.key)])

    @cached_property
    def last_ns(self) -> np.ndarray:
        """Per meeting, the last arrival."""
        return self.groups.max(self.start_ns)

    @cached_property
    def wait_ns(self) -> np.ndarray:
        """Per event: from its start to the last arrival, at most its duration; 0 where it is not known."""
        waited = np.minimum(self.last_ns[self.place] - self.start_ns, self.dur_ns)
        return np.where(self.is_seen_whole[self.place], np.maximum(waited, 0), 0)

    @cached_property
    def last(self) -> np.ndarray:
        """Per meeting: the event that came last."""
        return self.groups.largest(self.start_ns)


def attendance(views: Sequence[RankView]) -> Attendance:
    """All ranks' events of the run are matched, chosen or not; only chosen steps are kept."""
    if not views:
        raise ValueError("no rank is selected")
    run = views[0].run
    everyone = Selection(steps=views[0].selection.steps).views(run)
    keys: dict[Key, int] = {}
    parts = [_of_rank(view, keys) for view in everyone]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    solo = _solo(columns, len(keys))
    number = np.where(solo, np.arange(len(solo)), columns.pop("number"))
    meeting = Groups(columns["key"], solo.astype(np.int64), number)
    places = np.empty(len(solo), np.int64)
    places[meeting.order] = np.repeat(np.arange(len(meeting)), meeting.count)
    columns.pop("numbered"), columns.pop("comparable")
    return Attendance(len(run.traces), keys=list(keys), meeting=places, **columns)


def collectives_of(views: Sequence[RankView]) -> dict[str, Any]:
    """By group, kind and size: latency, bandwidth and wait. Then the meetings with most waiting, and who came last."""
    met = attendance(views)
    clocks = [clock for clock in views[0].run.clocks if clock]
    return {
        "clock": "aligned" if clocks else "recorded",
        "clock_uncertainty_ns": max((clock.uncertainty_ns for clock in clocks), default=None),
        "collectives": _table(met, views),
        "worst": _worst(met, views),
    }


def stragglers_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: how often it came last and first, how long it waited, and how long the others waited for it."""
    met = attendance(views)
    chosen = {view.trace for view in views}
    caused = met.groups.sum(met.wait_ns)
    known = met.is_seen_whole
    last_trace, first_trace = met.trace[met.last], met.trace[met.groups.largest(-met.start_ns)]
    lines = []
    for view in views:
        mine = (met.trace == view.trace) & known[met.place]
        was_last = known & (last_trace == view.trace)
        lines.append({
            "rank": view.rank,
            "meetings": int(np.count_nonzero(mine)),
            "came_last": int(np.count_nonzero(was_last)),
            "came_first": int(np.count_nonzero(known & (first_trace == view.trace))),
            "wait_ns": int(met.wait_ns[mine].sum()),
            "caused_wait_ns": int(caused[was_last].sum()),
            "communication_ns": int(met.dur_ns[met.trace == view.trace].sum()),
        })  # fmt: skip
    return {"ranks": lines, "steps": _by_step(met, views, caused, chosen)}


def _of_rank(view: RankView, keys: dict[Key, int]) -> dict[str, np.ndarray]:
    """The collectives of one rank, and communication that no meeting tells of, as one of its own."""
    table, clock = view.table, view.run.clocks[view.trace]
    met = meetings_of(table, view.rank)
    parts = [
        (found.row, found.number, np.full(len(found.row), keys.setdefault(key, len(keys))), found.is_numbered, True)
        for key, found in met.items()
    ]
    device = view.device
    others = np.setdiff1d(
        device.rows[device.work == Work.COMMUNICATION], np.concatenate([[-1], *(p[0] for p in parts)])
    )
    kinds = [kind_of(name) or "other" for name in table.names]
    for code in np.unique(table.name[others]).tolist():
        rows = others[table.name[others] == code]
        key = keys.setdefault(Key(("name", table.names[code]), kinds[code], -1), len(keys))
        parts.append((rows, np.arange(len(rows)), np.full(len(rows), key), False, False))
    row = _joined(part[0] for part in parts)
    told = _told(view, row, np.repeat([list(keys)[part[2][0]].kind == "allgather" for part in parts],
                                      [len(part[0]) for part in parts]))  # fmt: skip
    offset_ns = clock.offset_ns if clock else 0
    comparable = clock is not None or len(view.run.traces) == 1
    columns = {
        "trace": np.full(len(row), view.trace, np.int64),
        "row": row,
        "number": _joined(part[1] for part in parts),
        "key": _joined(part[2] for part in parts),
        "numbered": _joined(np.full(len(part[0]), part[3]) for part in parts),
        "comparable": _joined(np.full(len(part[0]), part[4] and comparable) for part in parts),
        "step": np.append(view.step_numbers, -1)[table.step[row]],
        "start_ns": table.start_ns[row] + table.info.base_ns - offset_ns,
        "dur_ns": table.dur_ns[row],
        **told,
    }
    kept = view.is_selected[row]
    return {name: values[kept] for name, values in columns.items()}


def _told(view: RankView, row: np.ndarray, gathers: np.ndarray) -> dict[str, np.ndarray]:
    """Message size and group size from the args."""
    side = view.table.sides["collectives"]
    described = np.asarray(side["row"])
    line = np.searchsorted(described, row)
    line[np.append(described, -1)[line] != row] = -1
    width = np.array([DTYPE_BYTES.get(word.lower(), -1) for word in words_of(side["dtype"])])[
        taken(side["dtype"], line)
    ]
    elements = np.where(gathers.astype(bool), taken(side["out_elements"], line), taken(side["in_elements"], line))
    return {
        "size_bytes": np.where((width > 0) & (elements >= 0), elements * width, -1),
        "group_size": taken(side["group_size"], line),
    }


def _solo(columns: dict[str, np.ndarray], keys: int) -> np.ndarray:
    """Events that cannot be matched: of no clock, or counted by order where ranks have not the same number of them."""
    key, trace = columns["key"], columns["trace"]
    counts = Groups(key, trace)
    least, most = np.full(keys, np.iinfo(np.int64).max), np.zeros(keys, np.int64)
    np.minimum.at(least, counts.keys[0], counts.count)
    np.maximum.at(most, counts.keys[0], counts.count)
    uneven = (least < most)[key] & (columns["numbered"] == 0)
    return np.asarray((columns["comparable"] == 0) | uneven)


def _table(met: Attendance, views: Sequence[RankView]) -> list[dict[str, Any]]:
    groups, chosen = met.groups, np.isin(met.trace, [view.trace for view in views])
    key, size, ranks = groups.max(met.key), groups.max(met.size_bytes), groups.max(met.group_size)
    latency = groups.min(met.dur_ns)
    wait = groups.sum(np.where(chosen, met.wait_ns, 0))
    total = groups.sum(np.where(chosen, met.dur_ns, 0))
    kinds = Groups(key, size, ranks)
    known = (size >= 0) & (latency > 0)
    rate = np.where(known, size / np.maximum(latency, 1), np.nan)
    algo = kinds.sum(rate) / kinds.count
    longest = met.last[kinds.largest(latency)]
    seen = kinds.max(groups.count)
    factors = [
        bus_factor(met.keys[at].kind, int(told) if told > 0 else int(there))
        for at, told, there in zip(kinds.keys[0].tolist(), kinds.keys[2].tolist(), seen.tolist(), strict=True)
    ]
    table = Table({
        "group": [_label(met.keys[at]) for at in kinds.keys[0].tolist()],
        "kind": [met.keys[at].kind for at in kinds.keys[0].tolist()],
        "size_bytes": [None if value < 0 else value for value in kinds.keys[1].tolist()],
        "group_size": [None if value < 0 else value for value in kinds.keys[2].tolist()],
        "ranks_seen": seen,
        "count": kinds.count,
        "latency_ns": kinds.sum(latency) / kinds.count,
        "latency_min_ns": kinds.min(latency),
        "latency_max_ns": kinds.max(latency),
        "algorithm_gb_per_s": algo,
        "bus_gb_per_s": np.array([np.nan if f is None else f for f in factors], np.float64) * algo,
        "total_ns": kinds.sum(total),
        "wait_ns": kinds.sum(wait),
        "trace": met.trace[longest],
        "row": met.row[longest],
    })  # fmt: skip
    return table.by("total_ns").records()


def _worst(met: Attendance, views: Sequence[RankView]) -> list[dict[str, Any]]:
    """The meetings in which most time was waited."""
    run, wait = views[0].run, met.groups.sum(met.wait_ns)
    ends = met.groups.max(met.start_ns + met.dur_ns)
    first_end = met.groups.min(met.start_ns + met.dur_ns)
    first = met.groups.min(met.start_ns)
    found = []
    for at in np.argsort(-wait, kind="stable")[:WORST].tolist():
        if not wait[at]:
            break
        last = int(met.last[at])
        key = met.keys[int(met.key[last])]
        found.append({
            "group": _label(key),
            "kind": key.kind,
            "step": int(met.step[last]) if met.step[last] >= 0 else None,
            "ranks_seen": int(met.groups.count[at]),
            "last_rank": run.ranks[int(met.trace[last])],
            "wait_ns": int(wait[at]),
            "skew_start_ns": int(met.last_ns[at] - first[at]),
            "skew_end_ns": int(ends[at] - first_end[at]),
            "transfer_ns": max(int(first_end[at] - met.last_ns[at]), 0),
            "trace": int(met.trace[last]),
            "row": int(met.row[last]),
        })  # fmt: skip
    return found


def _by_step(met: Attendance, views: Sequence[RankView], caused: np.ndarray, chosen: set[int]) -> list[dict[str, Any]]:
    """In each step, the rank for which the others waited most."""
    last_trace, step = met.trace[met.last], met.step[met.last]
    there = met.is_seen_whole & np.isin(last_trace, list(chosen))
    by = Groups(step[there], last_trace[there])
    waited = by.sum(caused[there])
    ranks, found = views[0].run.ranks, {}
    for number, trace, wait_ns in zip(by.keys[0].tolist(), by.keys[1].tolist(), waited.tolist(), strict=True):
        if wait_ns > found.get(number, {"caused_wait_ns": 0})["caused_wait_ns"]:
            found[number] = {"step": number if number >= 0 else None, "rank": ranks[trace], "caused_wait_ns": wait_ns}
    return list(found.values())


def _label(key: Key) -> str:
    """A group as people call it."""
    kind, *place = key.place
    if kind == "group":
        return str(place[0] or place[1])
    if kind == "peers":
        return f"{place[1]} -> {place[2]}"
    return str(place[0]).strip()[:80] if place else str(kind)


def _joined(parts: Any) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
