"""Who came when to each collective: ranks' events, matched and on aligned clocks.

Ranks' events are matched by `simulation.meetings`: by the group's own sequence number, else by their order. From its
arrival to the last one's a rank waits; what remains is transfer. With one rank the wait cannot be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from simulation.analysis.breakdown import Work
from simulation.analysis.selection import RankView, Selection
from simulation.analysis.tables import Groups
from simulation.meetings import KINDS, Key, kind_of, meetings_of, taken, words_of

TRANSFERS = (*KINDS, "pair")
"""Kinds that end on all ranks together, so that the last arrival parts waiting from transfer."""

DTYPE_BYTES = {
    "float": 4, "double": 8, "half": 2, "bfloat16": 2, "long": 8, "int": 4, "short": 2, "byte": 1, "char": 1, "bool": 1,
    "float8_e4m3fn": 1, "float8_e5m2": 1, "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1,
}  # fmt: skip


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


def label(key: Key) -> str:
    """A group as people call it."""
    kind, *place = key.place
    if kind == "group":
        return str(place[0] or place[1])
    if kind == "peers":
        return f"{place[1]} -> {place[2]}"
    return str(place[0]).strip()[:80] if place else str(kind)


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


def _joined(parts: Any) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)
