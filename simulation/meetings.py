"""Where ranks meet: collectives that end on all of them at once, and pairs of send and receive.

Read: device kernels of communication libraries, told by their args or by their names, and Gloo's and MPI's work on the
host. Not read: what is called on the host (`nccl:`, `c10d::`), which ends when the kernel is launched; collectives
with a root (broadcast, reduce, gather, scatter), which end on one rank before they do on another.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
import numpy as np

from simulation.events import EventTable, Kind
from simulation.store import Column, Strings

KINDS = ("allreduce", "allgather", "reducescatter", "alltoall", "sendrecv", "barrier", "coalesced", "generic")
"""What a name says, letters only; the first that it holds."""

PAIRED = ("send", "recv")
"""What one rank sends and another receives; every sender counts for itself, so that a group's numbers do not match."""

_ROOTED = re.compile(r"broadcast|(?<!all)reduce(?!scatter)|(?<!reduce)scatter|(?<!all)gather")
_LIBRARY = re.compile(r"(?<![a-z])(?:nccl|rccl|msccl|oneccl|hccl|xccl)", re.IGNORECASE)
_ON_HOST = re.compile(r"(?:gloo|mpi|ucc):")
_NAME_CHARS = 400
NO_STEP = -1


class Key(NamedTuple):
    """What two ranks must agree on for their n-th meetings to be one."""

    place: tuple[
        str | int, ...
    ]  # ("group", name, ranks), ("peers", group, sender, receiver), ("stream", ...), ("host",)
    kind: str
    step: int  # number of the step, NO_STEP

    @property
    def is_told(self) -> bool:
        """Whether the file says who takes part."""
        return self.place[0] in ("group", "peers")


@dataclass(frozen=True)
class Meetings:
    """The meetings of one trace under one key, by start."""

    row: np.ndarray  # i64, of the trace's table
    number: np.ndarray  # i64: the group's own sequence number, else the order within the key
    end_ns: np.ndarray  # i64, unix ns as the trace's clock has it
    dur_ns: np.ndarray  # i64
    is_numbered: bool  # by the group's sequence, so that what one rank misses shifts nothing

    def at(self, chosen: np.ndarray) -> Meetings:
        row, number = self.row[chosen], self.number[chosen]
        return Meetings(row, number, self.end_ns[chosen], self.dur_ns[chosen], self.is_numbered)


def meetings_of(table: EventTable, rank: int | None) -> dict[Key, Meetings]:
    """Where this trace meets others. Costs O(names) and a sort of the communication."""
    rows = np.flatnonzero(_meets(table))
    rows = rows[np.argsort(table.start_ns[rows], kind="stable")]
    if not len(rows):
        return {}
    told = _Told(table, rows, rank)
    combinations, which = np.unique(told.columns, axis=1, return_inverse=True)
    keys = [told.key(*line) for line in combinations.T.tolist()]
    found = defaultdict(list)
    for at, key in enumerate(keys):
        if key is not None:
            found[key].append(at)
    return {key: _under(key, table, rows, told.sequence, np.isin(which.ravel(), parts)) for key, parts in found.items()}


def kind_of(name: str) -> str | None:
    """The kind of collective that a kernel's or a collective's name tells; None if none, or one with a root."""
    letters = re.sub(r"[^a-z]", "", name[:_NAME_CHARS].lower())
    kind = next((kind for kind in KINDS if kind in letters), None)
    return None if kind in (None, "generic") and _ROOTED.search(letters) else kind


def _meets(table: EventTable) -> np.ndarray:
    """Rows that may be meetings: bool."""
    of_library = np.array([_LIBRARY.search(name[:_NAME_CHARS]) is not None for name in table.names] or [False])
    on_host = np.array([_ON_HOST.match(name) is not None for name in table.names] or [False])
    told = np.zeros(len(table), np.bool_)
    told[np.asarray(table.sides["collectives"]["row"])] = True
    work = table.category_mask(frozenset({"user_annotation"})) & (table.kind == Kind.SLICE)
    return np.asarray((table.is_device & (of_library[table.name] | told)) | (work & on_host[table.name]))


def _under(key: Key, table: EventTable, rows: np.ndarray, sequence: np.ndarray, chosen: np.ndarray) -> Meetings:
    rows, number = rows[chosen], sequence[chosen]
    end_ns = table.end_ns[rows] + table.info.base_ns
    numbered = key.place[0] == "group" and key.step == NO_STEP and number[0] >= 0
    numbered = numbered and len(np.unique(number)) == len(number)
    return Meetings(rows, number if numbered else np.arange(len(rows)), end_ns, table.dur_ns[rows], numbered)


class _Told:
    """What is told of each row, as columns of codes, and the key that a combination of codes makes."""

    def __init__(self, table: EventTable, rows: np.ndarray, rank: int | None) -> None:
        self.table, self.rank = table, rank
        side = table.sides["collectives"]
        described = np.asarray(side["row"])
        line = np.searchsorted(described, rows)
        line[np.append(described, -1)[line] != rows] = -1
        self.words = {name: words_of(side[name]) for name in ("collective", "group", "group_ranks")}
        self.sequence = taken(side["sequence"], line)
        collective = taken(side["collective"], line)
        paired = np.array([word in PAIRED for word in self.words["collective"]])[collective]
        by_sequence = (self.sequence >= 0) & (taken(side["group"], line) >= 0) & ~paired
        self.columns = np.stack([
            taken(side["group"], line), taken(side["group_ranks"], line), collective,
            taken(side["source_rank"], line), taken(side["target_rank"], line),
            np.where(table.is_device[rows], table.track[rows].astype(np.int64), -1),
            table.name[rows].astype(np.int64),
            np.where(by_sequence, NO_STEP, _step_numbers(table)[table.step[rows]]),
        ])  # fmt: skip
        self.roles = self._roles()

    def key(self, group: int, ranks: int, collective: int, source: int, target: int, track: int, name: int, step: int
            ) -> Key | None:  # fmt: skip
        """The key of rows with these codes; None where they do not end together."""
        word = self.words["collective"][collective]
        members, label = self.words["group_ranks"][ranks], self.words["group"][group]
        if word in PAIRED:
            place = self._peers(word, label, members, source, target)
            return None if place is None else Key(place, "pair", step)
        kind = kind_of(word) if word else kind_of(self.table.names[name])
        if kind is None:
            return None
        if label or members:
            return Key(("group", label, members), kind, step)
        return Key(("host",) if track < 0 else self.roles[track], kind, step)

    def _peers(self, word: str, group: str, members: str, source: int, target: int) -> tuple[str | int, ...] | None:
        """Who sends to whom, by ranks of the job; the file gives the peer by its place in the group."""
        peer = target if word == "send" else source
        if self.rank is None or peer < 0:
            return None
        listed = _listed(members)
        peer = listed[peer] if peer < len(listed) else peer
        pair = (self.rank, peer) if word == "send" else (peer, self.rank)
        return ("peers", group, *pair)

    def _roles(self) -> dict[int, tuple[str | int, ...]]:
        """Streams told apart without their numbers, which differ between machines: by what runs on them, in order."""
        kinds: dict[int, set[str]] = defaultdict(set)
        for track, name in np.unique(self.columns[5:7], axis=1).T.tolist():
            kinds[track].add(kind_of(self.table.names[name]) or "")
        seen: dict[str, int] = defaultdict(int)
        roles: dict[int, tuple[str | int, ...]] = {}
        for track in sorted(kinds):
            what = " ".join(sorted(kinds[track]))
            roles[track] = ("stream", what, seen[what])
            seen[what] += 1
        return roles


def words_of(column: Column) -> tuple[str, ...]:
    """The words of a text column by code; code -1 is the last, ""."""
    assert isinstance(column, Strings)
    return (*column.words, "")


def taken(column: Column, line: np.ndarray) -> np.ndarray:
    """Values (or codes) of a side table's lines, -1 where there is no line: i64."""
    values = column.codes if isinstance(column, Strings) else column
    return np.asarray(np.append(values.astype(np.int64), -1)[line])


def _step_numbers(table: EventTable) -> np.ndarray:
    """Number of each step, and NO_STEP for step -1."""
    return np.append(np.asarray(table.sides["steps"]["number"], np.int64), NO_STEP)


def _listed(text: str) -> list[int]:
    """The ranks of a group, in its order; none where the list is cut or missing."""
    try:
        return msgspec.json.decode(text, type=list[int])
    except msgspec.DecodeError:
        return []
