"""What ranks did together: the n-th collective of a group on all of its ranks, each send with its receive.

Matched by what `meetings` reads of each trace, and checked: are the traces of all members here, did every one of them
record it, do they agree on its kind and size, and did nobody leave before the last had come. Only of such a meeting is
known who waited for whom. Times are on aligned clocks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from simulation import parallel
from simulation.batches import described
from simulation.clocks import RESOLUTION_NS, SLACK_NS
from simulation.events import EventTable
from simulation.meetings import Key, Meetings, listed, meetings_of, taken, words_of
from simulation.progress import silent
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
ITEM_BYTES = {name.lower(): size for size, names in _ITEM_BYTES.items() for name in names}
"""Size of an element by PyTorch's name of its type (`c10::ScalarType`), in small letters."""


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

    @property
    def shows_waits(self) -> np.ndarray:
        """Whether it is known of each meeting who waited for whom: bool."""
        return np.asarray((self.state == State.MET) & (self.counts > 1))

    def of_each(self, ufunc: np.ufunc, values: np.ndarray) -> np.ndarray:
        """The ufunc over the members' values, per meeting."""
        return _of_each(ufunc, values, self.offsets)

    def last_ns(self, start_ns: np.ndarray) -> np.ndarray:
        """When the last member of each came, `start_ns` by row of the run: i64."""
        return self.of_each(np.maximum, start_ns[self.row])

    def came_last(self, start_ns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(when the last member of each came, which member it is, the first of equal ones): i64, i64."""
        last_ns = self.last_ns(start_ns)
        return last_ns, self.first_where(start_ns[self.row] == last_ns[self.meeting])

    def first_where(self, chosen: np.ndarray) -> np.ndarray:
        """Of each meeting the first of its members that are chosen (bool, one in each at least): i64."""
        members = np.flatnonzero(chosen)
        _, first = np.unique(self.meeting[members], return_index=True)
        return np.asarray(members[first])

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
    """All meetings of a run. Cost: O(names + groups x kinds x ranks), and a sort of the communication."""
    run = run.aligned()
    met = parallel.each(
        lambda trace, _: _of_trace(run, trace), range(len(run.traces)), [len(table) for table in run.traces], silent
    )
    numbers = {key: at for at, key in enumerate(dict.fromkeys(key for buckets in met for key in buckets))}
    keys = _Keys.of(run, tuple(numbers), met)
    told = [_Told.of(run, trace, buckets, numbers, keys.numbered) for trace, buckets in enumerate(met)]
    found = _once(_matched(run, keys, _Told.joined(told)))
    _note_other_kinds(found)
    return found.at(np.argsort(found.of_each(np.maximum, found.times_ns(run)[0]), kind="stable"))


def _of_trace(run: Run, trace: int) -> dict[Key, Meetings]:
    table = run.traces[trace]
    return meetings_of(table, run.ranks[trace]) if table.info.placed == "recorded" else {}


@dataclass(frozen=True)
class _Keys:
    """What is known of each key of a run; columns of one length."""

    keys: tuple[Key, ...]
    numbered: np.ndarray  # bool: by the group's sequence, on all ranks
    unclear: np.ndarray  # bool: by order, and some trace has fewer than another: who missed one cannot be told
    holders: np.ndarray  # i64: traces that have meetings of it
    told: np.ndarray  # bool: the file says who takes part
    alike: np.ndarray  # bool: all members move the same number of bytes
    sender: np.ndarray  # i64: of pairs, the rank that sends, else -1

    @classmethod
    def of(cls, run: Run, keys: tuple[Key, ...], met: Sequence[dict[Key, Meetings]]) -> _Keys:
        of_key: dict[Key, list[Meetings]] = {key: [] for key in keys}
        for buckets in met:
            for key, meetings in buckets.items():
                of_key[key].append(meetings)
        numbered = np.array([all(each.is_numbered for each in of_key[key]) for key in keys], bool)
        uneven = np.array([len({len(each.row) for each in of_key[key]}) > 1 for key in keys], bool)
        return cls(
            keys,
            numbered,
            uneven & ~numbered,
            np.array([len(of_key[key]) for key in keys], np.int64),
            np.array([key.is_told for key in keys], bool),
            np.array([key.kind in ALIKE for key in keys], bool),
            np.array([key.place[2] if key.kind == PAIR else -1 for key in keys], np.int64),
        )

    def members(self, run: Run, group_size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(how many take part, how many of them have a trace here), by what was told of the group's size: i64 each."""
        world = max([table.info.world_size or 0 for table in run.traces])
        configured = {group.name: len(group.ranks) for group in run.groups}
        holders = self.holders.tolist()
        found = [
            _members(run, key, size, configured, world, here)
            for key, size, here in zip(self.keys, group_size.tolist(), holders, strict=True)
        ]
        size, here = np.array(found, np.int64).reshape(-1, 2).T
        return size, here


def _members(
    run: Run, key: Key, group_size: int, configured: dict[str, int], world: int, holders: int
) -> tuple[int, int]:
    """(how many take part, how many of them have a trace here)."""
    match key.place:
        case ("peers", _, sender, receiver):
            ranks = {sender, receiver}
            return 2, len(ranks.intersection(run.ranks))
        case ("group", name, members) if ranks := set(listed(str(members))):
            return len(ranks), len(ranks.intersection(run.ranks))
        case ("group", name, _):
            size = group_size if group_size > 0 else configured.get(str(name), world)
            return max(size, 1), holders
    return max(world, holders, 2), holders


@dataclass(frozen=True)
class _Told:
    """What the traces tell of each member; columns of one length."""

    key: np.ndarray  # i64
    number: np.ndarray  # i64: the group's sequence number, else the order within key and trace
    trace: np.ndarray  # i64
    row: np.ndarray  # i64, of the run
    start_ns: np.ndarray  # i64, on aligned clocks
    end_ns: np.ndarray  # i64
    size_bytes: np.ndarray  # i64, -1 not told
    group_size: np.ndarray  # i64, -1 not told

    @classmethod
    def of(cls, run: Run, trace: int, met: dict[Key, Meetings], numbers: dict[Key, int], numbered: np.ndarray) -> _Told:
        """Of the members of one trace."""
        table, none = run.traces[trace], np.zeros(0, np.int64)
        at = [numbers[key] for key in met]
        orders = [
            each.number if numbered[key] else np.arange(len(each.row))
            for key, each in zip(at, met.values(), strict=True)
        ]
        row = np.concatenate([none, *(each.row for each in met.values())])
        line = np.concatenate([none, *(each.line for each in met.values())])
        size_bytes, group_size = (column[line] for column in told_sizes(table))
        start_ns = table.start_ns[row] + run.shift_ns[trace]
        return cls(
            np.repeat(np.array(at, np.int64), [len(each.row) for each in met.values()]),
            np.concatenate([none, *orders]),
            np.full(len(row), trace),
            row + run.row_base[trace],
            start_ns,
            start_ns + table.dur_ns[row],
            size_bytes,
            group_size,
        )

    @classmethod
    def joined(cls, parts: Sequence[_Told]) -> _Told:
        """All members by key and number, those of one meeting by trace."""
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__}
        order = np.lexsort((columns["number"], columns["key"]))
        return cls(**{name: column[order] for name, column in columns.items()})


def told_sizes(table: EventTable) -> tuple[np.ndarray, np.ndarray]:
    """(bytes, the larger of input and output; size of the group) by line of the `collectives` side table: i64, i64.

    -1 is not told; behind the last line stands what holds for no line.
    """
    side = table.sides["collectives"]
    line = np.append(np.arange(len(side["row"])), -1)
    item = np.array([ITEM_BYTES.get(word.lower(), -1) for word in words_of(side["dtype"])])[taken(side["dtype"], line)]
    elements = np.maximum(taken(side["in_elements"], line), taken(side["out_elements"], line))
    return np.where((elements >= 0) & (item >= 0), elements * item, -1), taken(side["group_size"], line)


def told_group_sizes(met: Rendezvous, run: Run) -> np.ndarray:
    """How many ranks the files say take part in each meeting, -1 not told: i64."""
    told = np.full(len(met.row), -1)
    for trace, table in enumerate(run.traces):
        mine = np.flatnonzero(met.trace == trace)
        told[mine] = told_sizes(table)[1][described(table, met.row[mine] - run.row_base[trace])]
    return met.of_each(np.maximum, told)


def _matched(run: Run, keys: _Keys, told: _Told) -> Rendezvous:
    """The meetings of these members, and how much is known of each."""
    starts = (np.diff(told.key, prepend=-1) != 0) | (np.diff(told.number, prepend=-1) != 0)
    offsets = np.append(np.flatnonzero(starts), len(told.key))
    first, counts = offsets[:-1], np.diff(offsets)
    key = told.key[first]
    uncertainty_ns = np.array([clock.uncertainty_ns if clock else 0 for clock in run.clocks], np.int64)
    slack_ns = SLACK_NS + RESOLUTION_NS + _of_each(np.maximum, uncertainty_ns[told.trace], offsets)
    left = _of_each(np.maximum, told.start_ns, offsets) - _of_each(np.minimum, told.end_ns, offsets) > slack_ns
    largest = _of_each(np.maximum, told.size_bytes, offsets)
    differs = keys.alike[key] & (largest != _of_each(np.minimum, told.size_bytes, offsets))
    size, here = (
        column[key] for column in keys.members(run, _of_each(np.maximum, told.group_size, _begins(told.key, keys)))
    )
    many = 2 * np.bincount(key[left], minlength=len(keys.keys)) > np.bincount(key, minlength=len(keys.keys))
    cases = [
        ((counts < here) | keys.unclear[key], State.MISSING),
        (counts < size, State.ABSENT),
        ((counts > size) | differs, State.DIFFERENT),
        (left & _has_sent(run, keys.sender[key], told, offsets, slack_ns), State.SENT),
        (left | (many & ~keys.told)[key], State.APART),
    ]
    state = np.select([holds for holds, _ in cases], [case for _, case in cases], State.MET).astype(np.uint8)
    return Rendezvous(
        keys.keys, key, told.number[first], keys.numbered[key], state, largest, offsets, told.trace, told.row
    )


def _begins(key: np.ndarray, keys: _Keys) -> np.ndarray:
    """Where the members of each key begin, and where the last end: i64."""
    return np.searchsorted(key, np.arange(len(keys.keys) + 1))


def _has_sent(run: Run, sender: np.ndarray, told: _Told, offsets: np.ndarray, slack_ns: np.ndarray) -> np.ndarray:
    """Whether, of each pair, the receiver ended after the sender had begun: bool. `sender`: its rank, -1 no pair."""
    found = np.zeros(len(sender), bool)
    pair = (np.diff(offsets) == 2) & (sender >= 0)
    ranks = np.array([-1 if rank is None else rank for rank in run.ranks], np.int64)
    first = offsets[:-1][pair]
    sends_first = ranks[told.trace[first]] == sender[pair]
    sends, receives = np.where(sends_first, first, first + 1), np.where(sends_first, first + 1, first)
    found[pair] = told.start_ns[sends] - told.end_ns[receives] <= slack_ns[pair]
    return found


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
