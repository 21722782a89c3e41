"""Where ranks meet: collectives that end on all of them at once, and pairs of send and receive.

Read: device kernels of communication libraries, told by their args or by their names, and Gloo's and MPI's work on the
host. Not read: what is called on the host (`nccl:`, `c10d::`), which ends when the kernel is launched. Collectives with
a root (broadcast, reduce, gather, scatter) may end on one rank before they do on another: they tell nothing of clocks.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import msgspec
import numpy as np

from simulation.batches import PAIRED, batched, described
from simulation.csr import by_source
from simulation.events import EventTable, Kind
from simulation.store import Column, Strings

KINDS = ("allreduce", "allgather", "reducescatter", "alltoall", "sendrecv", "barrier", "coalesced", "generic")
"""What a name says, letters only; the first that it holds."""

ROOTED = ("broadcast", "reduce", "scatter", "gather")
"""Kinds in which one rank is not like the others."""

_ROOTED = re.compile(r"broadcast|(?<!all)reduce(?!scatter)|(?<!reduce)scatter|(?<!all)gather")
_LIBRARY = re.compile(r"(?<![a-z])(?:nccl|rccl|msccl|oneccl|hccl|xccl)", re.IGNORECASE)
_ON_HOST = re.compile(r"(?:gloo|mpi|ucc):")
_NAME_CHARS = 400
_LABEL_CHARS = 80
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

    @property
    def label(self) -> str:
        """For people: what was done, and among whom as far as it is told."""
        match self.place:
            case ("peers", group, sender, receiver):
                return f"send {sender} to {receiver}" + (f" of group {group}" if group else "")
            case ("group", name, members):
                return f"{self.kind} of group {name or members}"
        return self.kind

    @property
    def among(self) -> str:
        """Among whom, for people: a group as it is called, who sends to whom, or what stands for it."""
        match self.place:
            case ("group", name, members):
                return str(name or members)
            case ("peers", _, sender, receiver):
                return f"{sender} -> {receiver}"
            case (_, what, *_):
                return str(what).strip()[:_LABEL_CHARS]
        return str(self.place[0])

    @property
    def ends_together(self) -> bool:
        """Whether nobody can leave before all have come."""
        return self.kind not in ROOTED


@dataclass(frozen=True)
class Meetings:
    """The meetings of one trace under one key, in the order in which they were called for."""

    row: np.ndarray  # i64, of the trace's table
    line: np.ndarray  # i64, of the `collectives` side table, -1 none
    is_whole: np.ndarray  # bool: not a part of a batch that has several peers, and ends with the last of them
    number: np.ndarray  # i64: the group's own sequence number, else the order within the key
    end_ns: np.ndarray  # i64, unix ns as the trace's clock has it
    dur_ns: np.ndarray  # i64
    is_numbered: bool  # by the group's sequence, so that what one rank misses shifts nothing

    def at(self, chosen: np.ndarray) -> Meetings:
        return Meetings(
            self.row[chosen], self.line[chosen], self.is_whole[chosen], self.number[chosen], self.end_ns[chosen],
            self.dur_ns[chosen], self.is_numbered,
        )  # fmt: skip


def meetings_of(table: EventTable, rank: int | None) -> dict[Key, Meetings]:
    """Where this trace meets others. Costs O(names) and a sort of the communication."""
    rows = np.flatnonzero(_meets(table))
    kernel, line = batched(table, rows)
    rows = rows[~np.isin(rows, kernel)]
    rows, line = np.concatenate([rows, kernel]), np.concatenate([described(table, rows), line])
    order = np.argsort(_called_ns(table, rows), kind="stable")
    if not len(rows):
        return {}
    told = _Told(table, rows[order], line[order], rank)
    combinations, which = distinct(told.columns)
    keys = [told.key(*line) for line in combinations.T.tolist()]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(key for key in keys if key is not None))}
    number = np.array([len(numbers) if key is None else numbers[key] for key in keys])[which]
    begin, members = by_source(number, np.arange(len(number)), len(numbers) + 1)
    return {key: told.under(key, members[begin[at] : begin[at + 1]]) for key, at in numbers.items()}


def kind_of(name: str) -> str | None:
    """The kind of collective that a kernel's or a collective's name tells; None if none, or one with a root."""
    letters = re.sub(r"[^a-z]", "", name[:_NAME_CHARS].lower())
    kind = next((kind for kind in KINDS if kind in letters), None)
    return None if kind in (None, "generic") and _ROOTED.search(letters) else kind


def rooted_kind_of(name: str) -> str | None:
    """The kind of collective with a root that a name tells; None if none."""
    found = _ROOTED.search(re.sub(r"[^a-z]", "", name[:_NAME_CHARS].lower()))
    return found[0] if found else None


def _meets(table: EventTable) -> np.ndarray:
    """Rows that may be meetings: bool."""
    of_library = np.array([_of_library(name[:_NAME_CHARS]) for name in table.names] or [False])
    on_host = np.array([_ON_HOST.match(name) is not None for name in table.names] or [False])
    told = np.zeros(len(table), np.bool_)
    told[np.asarray(table.sides["collectives"]["row"])] = True
    work = table.category_mask(frozenset({"user_annotation"})) & (table.kind == Kind.SLICE)
    return np.asarray((table.is_device & (of_library[table.name] | told)) | (work & on_host[table.name]))


def _of_library(name: str) -> bool:
    """Whether a kernel of this name is of a communication library. All of them have "ccl" in theirs: quick to see."""
    return "ccl" in name.lower() and _LIBRARY.search(name) is not None


def _called_ns(table: EventTable, rows: np.ndarray) -> np.ndarray:
    """When each row was called for: i64. Kernels of several streams start in another order than they were launched in.

    Where a launch is not recorded, all go by their starts.
    """
    launch, on_device = table.launch[rows], table.is_device[rows]
    if (launch[on_device] < 0).any():
        return np.asarray(table.start_ns[rows])
    return np.asarray(np.where(on_device, table.start_ns[launch], table.start_ns[rows]))


class _Told:
    """What is told of each row, as columns of codes, and the key that a combination of codes makes."""

    def __init__(self, table: EventTable, rows: np.ndarray, line: np.ndarray, rank: int | None) -> None:
        self.table, self.rows, self.line, self.rank = table, rows, line, rank
        side = table.sides["collectives"]
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

    def under(self, key: Key, chosen: np.ndarray) -> Meetings:
        """The rows of one key."""
        row, number = self.rows[chosen], self.sequence[chosen]
        end_ns = self.table.end_ns[row] + self.table.info.base_ns
        numbered = key.place[0] == "group" and key.step == NO_STEP and number[0] >= 0
        numbered = numbered and len(np.unique(number)) == len(number)
        number = number if numbered else np.arange(len(row))
        return Meetings(
            row, self.line[chosen], self.is_whole[chosen], number, end_ns, self.table.dur_ns[row], numbered
        )  # fmt: skip

    @cached_property
    def is_whole(self) -> np.ndarray:
        """Rows that have one peer, or that are no batch: bool."""
        peers, _ = distinct(np.stack([self.rows, self.columns[3], self.columns[4]]))
        source, target = peers[1], peers[2]
        pairs, _ = distinct(np.stack([peers[0], np.maximum(source, target)]))
        return np.asarray(np.bincount(pairs[0], minlength=len(self.table))[self.rows] == 1)

    def key(self, group: int, ranks: int, collective: int, source: int, target: int, track: int, name: int, step: int
            ) -> Key | None:  # fmt: skip
        """The key of rows with these codes; None where they tell neither kind nor peer."""
        word = self.words["collective"][collective]
        members, label = self.words["group_ranks"][ranks], self.words["group"][group]
        if word in PAIRED:
            place = self._peers(word, label, source, target)
            return None if place is None else Key(place, "pair", step)
        told = word or self.table.names[name]
        kind = kind_of(told) or rooted_kind_of(told)
        if kind is None:
            return None
        if label or members:
            return Key(("group", label, members), kind, step)
        return Key(("host",) if track < 0 else self.roles[track], kind, step)

    def _peers(self, word: str, group: str, source: int, target: int) -> tuple[str | int, ...] | None:
        """Who sends to whom, by ranks of the job, as PyTorch writes the peer (`saveNcclMeta`, profiler/util.cpp)."""
        peer = target if word == "send" else source
        if self.rank is None or peer < 0:
            return None
        pair = (self.rank, peer) if word == "send" else (peer, self.rank)
        return ("peers", group, *pair)

    def _roles(self) -> dict[int, tuple[str | int, ...]]:
        """Streams told apart without their numbers, which differ between machines: by what runs on them, in order."""
        kinds: dict[int, set[str]] = defaultdict(set)
        for track, name in distinct(self.columns[5:7])[0].T.tolist():
            kinds[track].add(kind_of(self.table.names[name]) or "")
        seen: dict[str, int] = defaultdict(int)
        roles: dict[int, tuple[str | int, ...]] = {}
        for track in sorted(kinds):
            what = " ".join(sorted(kinds[track]))
            roles[track] = ("stream", what, seen[what])
            seen[what] += 1
        return roles


def distinct(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different combinations of columns (i64[columns, lines]), in order, and which of them each line is: i64.

    As `np.unique(columns, axis=1, return_inverse=True)`, in a third of the time.
    """
    order = np.lexsort(columns[::-1])
    ordered = columns[:, order]
    differs = np.ones(len(order), bool)
    differs[1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)
    which = np.empty(len(order), np.int64)
    which[order] = np.cumsum(differs) - 1
    return ordered[:, differs], which


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


def listed(text: str) -> list[int]:
    """The ranks of a group, in its order; none where the list is cut or missing."""
    try:
        return msgspec.json.decode(text, type=list[int])
    except msgspec.DecodeError:
        return []
