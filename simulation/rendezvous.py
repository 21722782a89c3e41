"""What ranks did together: the n-th collective of a group on all of its ranks, each send with its receive.

Matched by what `meetings` reads of each trace, and checked: are the traces of all members here, did every one of them
record it, do they agree on its kind and size, and did nobody leave before the last had come. Only of such a meeting is
known who waited for whom. Times are on aligned clocks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

import numpy as np

from simulation.clocks import RESOLUTION_NS, SLACK_NS
from simulation.meetings import Key, Meetings, listed, meetings_of, taken, words_of
from simulation.run import Run

ALIKE = ("allreduce", "allgather", "reducescatter", "broadcast", "reduce", "pair")
"""Kinds in which all members move the same number of bytes."""

PAIR = "pair"

_ITEM_BYTES = {
    1: ("Byte", "Char", "Bool", "UInt8", "Int8", "Float8_e4m3fn", "Float8_e5m2", "Float8_e4m3fnuz", "Float8_e5m2fnuz"),
    2: ("Short", "Half", "BFloat16", "Int16"),
    4: ("Int", "Float", "Int32"),
    8: ("Long", "Double", "Int64", "ComplexFloat"),
    16: ("ComplexDouble",),
}
ITEM_BYTES = {name: size for size, names in _ITEM_BYTES.items() for name in names}
"""Size of an element by PyTorch's name of its type (`c10::ScalarType`)."""


class State(IntEnum):
    """How much is known of a meeting."""

    MET = 0  # all members are here, and nobody left before the last had come
    SENT = 1  # of a pair: the sender had left when the receiver came
    ABSENT = 2  # the traces of some members are not in the run: who waited cannot be seen
    MISSING = 3  # a member whose trace is here did not record it
    DIFFERENT = 4  # members disagree on its kind or size, or there are more of them than the group has
    APART = 5  # a member left before another had come: it did not wait


@dataclass(frozen=True)
class Rendezvous:
    """The meetings of a run, by the arrival of their last member; columns per meeting, and per member of each."""

    keys: tuple[Key, ...]
    key: np.ndarray  # i64, into keys
    number: np.ndarray  # i64: the group's sequence number, else the order within the key
    is_numbered: np.ndarray  # bool: by the group's sequence
    state: np.ndarray  # u8, State
    size_bytes: np.ndarray  # i64: the largest of input and output of a member; -1 not told
    offsets: np.ndarray  # i64, meetings + 1: members of meeting m are offsets[m] .. offsets[m + 1]
    trace: np.ndarray  # i64 per member
    row: np.ndarray  # i64 per member, in the numbering of the run

    def __len__(self) -> int:
        return len(self.key)

    @property
    def counts(self) -> np.ndarray:
        """Members of each meeting: i64."""
        return np.diff(self.offsets)

    @property
    def meeting(self) -> np.ndarray:
        """The meeting of each member: i64."""
        return np.repeat(np.arange(len(self)), self.counts)

    @property
    def is_pair(self) -> np.ndarray:
        """Whether each meeting is of a sender and a receiver: bool."""
        return np.asarray(np.array([key.kind == PAIR for key in self.keys] or [False])[self.key])

    def at(self, wanted: np.ndarray) -> Rendezvous:
        """The meetings of a mask or in the order of an index array."""
        chosen = np.arange(len(self))[wanted]
        counts = self.counts[chosen]
        offsets = np.concatenate([[0], np.cumsum(counts)])
        member = np.repeat(self.offsets[:-1][chosen] - offsets[:-1], counts) + np.arange(offsets[-1])
        return Rendezvous(
            self.keys, self.key[chosen], self.number[chosen], self.is_numbered[chosen], self.state[chosen],
            self.size_bytes[chosen], offsets, self.trace[member], self.row[member],
        )  # fmt: skip

    def last_ns(self, start_ns: np.ndarray) -> np.ndarray:
        """When the last member of each came, `start_ns` by row of the run: i64."""
        return self.latest(start_ns[self.row])

    def latest(self, times_ns: np.ndarray) -> np.ndarray:
        """The latest of the times of the members of each: i64."""
        return _of_each(np.maximum, times_ns, self.offsets)

    def times_ns(self, run: Run) -> tuple[np.ndarray, np.ndarray]:
        """(start, end) of each member on the clock of the run: i64, i64."""
        start_ns, last_ns = np.empty(len(self.row), np.int64), np.empty(len(self.row), np.int64)
        order = np.argsort(self.trace, kind="stable")
        cuts = np.searchsorted(self.trace[order], np.arange(1, len(run.traces)))
        for trace, members in enumerate(np.split(order, cuts)):
            row = self.row[members] - run.row_base[trace]
            start_ns[members] = run.traces[trace].start_ns[row] + run.shift_ns[trace]
            last_ns[members] = run.traces[trace].dur_ns[row]
        return start_ns, start_ns + last_ns


def find(run: Run) -> Rendezvous:
    """All meetings of a run. Cost: O(names), a sort of the communication, and O(groups x kinds x ranks)."""
    run = run.aligned()
    met = [
        meetings_of(table, rank) if table.info.placed == "recorded" else {}
        for table, rank in zip(run.traces, run.ranks, strict=True)
    ]
    holders: dict[Key, list[int]] = defaultdict(list)
    for trace, buckets in enumerate(met):
        for key in buckets:
            holders[key].append(trace)
    details = _Details(run)
    keys = tuple(holders)
    parts = [
        _under(at, key, [met[trace][key] for trace in holders[key]], holders[key], details)
        for at, key in enumerate(keys)
    ]
    found = _once(_joined(keys, parts))
    _note_other_kinds(found)
    return found.at(np.argsort(found.last_ns(details.start_ns), kind="stable"))


class _Details:
    """What is asked about the rows of a run: times on aligned clocks, sizes, groups."""

    def __init__(self, run: Run) -> None:
        self.run = run
        starts = [table.start_ns + shift for table, shift in zip(run.traces, run.shift_ns, strict=True)]
        self.start_ns = np.concatenate([np.zeros(0, np.int64), *starts])
        self.uncertainty_ns = np.array([clock.uncertainty_ns if clock else 0 for clock in run.clocks])
        self.configured = {group.name: len(group.ranks) for group in run.groups}
        self.world = max([table.info.world_size or 0 for table in run.traces])

    def end_ns(self, trace: int, row: np.ndarray) -> np.ndarray:
        return np.asarray(self.run.traces[trace].end_ns[row] + self.run.shift_ns[trace])

    def described(self, trace: int, line: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(size_bytes, -1 not told; size of the group, -1 not told) of each line of what is told: i64, i64."""
        size_bytes, group_size = self._described[trace]
        return size_bytes[line], group_size[line]

    @cached_property
    def _described(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Of each trace what `described` takes from; behind the last line stands what holds for none."""
        found = []
        for table in self.run.traces:
            side = table.sides["collectives"]
            line = np.append(np.arange(len(side["row"])), -1)
            item = np.array([ITEM_BYTES.get(word, -1) for word in words_of(side["dtype"])])[taken(side["dtype"], line)]
            elements = np.maximum(taken(side["in_elements"], line), taken(side["out_elements"], line))
            size_bytes = np.where((elements >= 0) & (item >= 0), elements * item, -1)
            found.append((size_bytes, taken(side["group_size"], line)))
        return found

    def members(self, key: Key, group_size: int, holders: Sequence[int]) -> tuple[int, int]:
        """(how many take part, how many of them have a trace here)."""
        match key.place:
            case ("peers", _, sender, receiver):
                ranks = {sender, receiver}
                return 2, len(ranks.intersection(self.run.ranks))
            case ("group", name, members) if ranks := set(listed(str(members))):
                return len(ranks), len(ranks.intersection(self.run.ranks))
            case ("group", name, _):
                size = group_size if group_size > 0 else self.configured.get(str(name), self.world)
                return max(size, 1), len(holders)
        return max(self.world, len(holders), 2), len(holders)


def _under(at: int, key: Key, met: Sequence[Meetings], holders: Sequence[int], details: _Details) -> Rendezvous:
    """The meetings under one key."""
    numbered = all(each.is_numbered for each in met)
    number = np.concatenate([each.number if numbered else np.arange(len(each.row)) for each in met])
    trace = np.repeat(holders, [len(each.row) for each in met])
    row = np.concatenate([each.row for each in met])
    told = [details.described(holder, each.line) for holder, each in zip(holders, met, strict=True)]
    size_bytes, group_size = (np.concatenate(column) for column in zip(*told, strict=True))
    end_ns = np.concatenate([details.end_ns(holder, each.row) for holder, each in zip(holders, met, strict=True)])
    order = np.argsort(number, kind="stable")  # traces ascend within
    number, trace, row, size_bytes, end_ns = (c[order] for c in (number, trace, row, size_bytes, end_ns))
    first = np.flatnonzero(np.diff(number, prepend=-1))
    offsets = np.append(first, len(number))
    row = row + details.run.row_base[trace]
    start_ns = details.start_ns[row]
    last_ns = _of_each(np.maximum, start_ns, offsets)
    slack_ns = SLACK_NS + RESOLUTION_NS + _of_each(np.maximum, details.uncertainty_ns[trace], offsets)
    left = last_ns - _of_each(np.minimum, end_ns, offsets) > slack_ns
    counts, (size, here) = np.diff(offsets), details.members(key, int(group_size.max()), holders)
    largest = _of_each(np.maximum, size_bytes, offsets)
    differs = (key.kind in ALIKE) & (largest != _of_each(np.minimum, size_bytes, offsets))
    unclear = not numbered and len({len(each.row) for each in met}) > 1  # who missed one cannot be told
    cases = [
        ((counts < here) | unclear, State.MISSING),
        (counts < size, State.ABSENT),
        ((counts > size) | differs, State.DIFFERENT),
        (left & _has_sent(key, start_ns, end_ns, offsets, slack_ns, details, trace), State.SENT),
        (left | (not key.is_told and 2 * np.count_nonzero(left) > len(left)), State.APART),
    ]
    state = np.select([holds for holds, _ in cases], [case for _, case in cases], State.MET).astype(np.uint8)
    same = np.full(len(first), at), number[first], np.full(len(first), numbered), state, largest
    return Rendezvous((), *same, offsets, trace, row)


def _has_sent(
    key: Key, start_ns: np.ndarray, end_ns: np.ndarray, offsets: np.ndarray, slack_ns: np.ndarray, details: _Details,
    trace: np.ndarray,
) -> np.ndarray:  # fmt: skip
    """Whether, of each pair, the receiver ended after the sender had begun: bool."""
    whole = np.diff(offsets) == 2
    found = np.zeros(len(whole), bool)
    if key.kind == PAIR and whole.any():
        first = offsets[:-1][whole]
        sends_first = np.array([details.run.ranks[each] == key.place[2] for each in trace[first].tolist()])
        sender, receiver = np.where(sends_first, first, first + 1), np.where(sends_first, first + 1, first)
        found[whole] = start_ns[sender] - end_ns[receiver] <= slack_ns[whole]
    return found


def _joined(keys: tuple[Key, ...], parts: Sequence[Rendezvous]) -> Rendezvous:
    """One behind the other."""

    def column(name: str, kind: type[np.generic]) -> np.ndarray:
        return np.concatenate([np.zeros(0, kind), *(getattr(part, name) for part in parts)])

    counts = np.concatenate([np.zeros(0, np.int64), *(part.counts for part in parts)])
    return Rendezvous(
        keys, column("key", np.int64), column("number", np.int64), column("is_numbered", np.bool_),
        column("state", np.uint8), column("size_bytes", np.int64), np.concatenate([[0], np.cumsum(counts)]),
        column("trace", np.int64), column("row", np.int64),
    )  # fmt: skip


def _once(found: Rendezvous) -> Rendezvous:
    """Two kernels that send to each other and receive from each other, as batches do, meet once."""
    first, second = found.row[found.offsets[:-1]], found.row[found.offsets[1:] - 1]
    pairs = np.flatnonzero(found.is_pair)
    _, kept = np.unique(np.sort(np.stack([first[pairs], second[pairs]]), axis=0), axis=1, return_index=True)
    keep = ~found.is_pair
    keep[pairs[kept]] = True
    return found.at(keep)


def _note_other_kinds(found: Rendezvous) -> None:
    """Members that did different things under one number of their group: DIFFERENT rather than MISSING, in place."""
    lacking = np.flatnonzero((found.state == State.MISSING) & found.is_numbered)
    places = {place: at for at, place in enumerate(dict.fromkeys(key.place for key in found.keys))}
    place = np.array([places[found.keys[key].place] for key in found.key[lacking].tolist()], np.int64)
    _, which, times = np.unique(
        np.stack([place, found.number[lacking]]), axis=1, return_inverse=True, return_counts=True
    )
    found.state[lacking[times[which.ravel()] > 1]] = State.DIFFERENT


def _of_each(ufunc: np.ufunc, values: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """The ufunc over the values of each meeting; every meeting has a member."""
    return np.asarray(ufunc.reduceat(values, offsets[:-1])) if len(offsets) > 1 else np.zeros(0, np.int64)
