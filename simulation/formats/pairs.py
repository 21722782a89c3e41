"""Begins and ends that stand apart in the file (B and E, b and e): which end closes which begin.

An end with a name closes the innermost begin of that name that is open on its thread (or of its asynchronous id),
one without a name the innermost of all. Order is by time, then by place in the file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from simulation.formats.details import distinct
from simulation.formats.phases import ASYNC, BEGINS, ENDS, Role, among

if TYPE_CHECKING:
    from simulation.formats.builder import Events, TableBuilder

NO_NAME = -1

LASTING = (Role.SLICE, Role.INSTANT, Role.ASYNC_INSTANT, *BEGINS)
"""What shows that a thread or a process went on; anyone may take a counter's samples."""

GLOBAL_ID = '{"global"'
"""How an `id2` begins that is not of one process."""


@dataclass(frozen=True)
class Pairs:
    """Of each event of the file, in its order."""

    mate: np.ndarray  # i64, the end of a begin and the begin of an end, -1 none
    unfinished: np.ndarray  # bool: begins that nothing ends
    end_ns: np.ndarray  # i64, of slices of whatever spelling; unfinished ones last as long as their thread
    strand: np.ndarray  # i64, what nests for itself: a thread, or an asynchronous id; not used if all are threads


def pair_up(builder: TableBuilder, events: Events, role: np.ndarray, usable: np.ndarray, lasts: np.ndarray) -> Pairs:
    """Pair what is `usable` (bool: its start is known, and its duration, if given, is one).

    `lasts` marks slices whose duration is known. Begins without an end, and slices without a duration, end with the
    last row of their thread, asynchronous ones with that of their process. Costs a sort of the begins and ends.
    """
    end_ns = events.start_ns
    np.add(end_ns, events.dur_ns, out=end_ns, where=lasts)
    unfinished = usable & (role == Role.SLICE) & ~lasts
    at = np.flatnonzero(usable & among(role, (*BEGINS, *ENDS)))
    if not len(at) and not unfinished.any() and not among(role, ASYNC).any():
        nobody = np.broadcast_to(np.int64(-1), len(role))  # takes no memory
        return Pairs(nobody, unfinished, end_ns, nobody)
    start_ns, mate = events.start_ns, np.full(len(role), -1, np.int64)
    thread, strand = _strands(builder, events, role)
    is_end, name = among(role[at], ENDS), events.name[at].astype(np.int64)
    unnamed = np.array([not word for word in builder.names.words] or [False])
    order = np.lexsort((start_ns[at], strand[at]))
    found = mates(order, strand[at], is_end, np.where(is_end & unnamed[name], NO_NAME, name), len(unnamed))
    mate[at] = np.where(found >= 0, at[found], -1)
    begins = at[~is_end]
    closed = begins[mate[begins] >= 0]
    end_ns[closed] = start_ns[mate[closed]]
    unfinished[begins] = mate[begins] < 0
    rows = np.flatnonzero(usable & among(role, LASTING) & (end_ns >= start_ns))
    _finish(np.flatnonzero(unfinished), rows, role, thread, events.pid, end_ns)
    return Pairs(mate, unfinished, end_ns, strand)


def _strands(builder: TableBuilder, events: Events, role: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(thread, strand) of each event, i64. Asynchronous ids are told apart by process and category.

    An id that Chrome marks as global is the same in all processes.
    """
    _, thread = distinct(events.pid.astype(np.int64) * len(builder.places) + events.tid)
    at = np.flatnonzero(among(role, ASYNC))
    texts = builder.details.texts
    event, code = builder.details.get("async_id")
    of_event = np.zeros(len(role), np.int64)
    of_event[event] = code + 1
    is_global = np.array([False, *(word.startswith(GLOBAL_ID) for word in texts.words)])
    ids = of_event[at]
    process = np.where(is_global[ids], 0, events.pid[at].astype(np.int64) + 1)
    _, group = distinct(process * len(builder.categories) + events.category[at])
    strand = thread.astype(np.int64)
    strand[at] = len(role) + distinct(group.astype(np.int64) * len(is_global) + ids)[1]
    return thread, strand


def _finish(
    open_: np.ndarray, known: np.ndarray, role: np.ndarray, thread: np.ndarray, process: np.ndarray, end_ns: np.ndarray
) -> None:
    """Set the end of the events `open_` to the latest of the `known` ones of the same thread (process)."""
    if not len(open_):
        return
    of_thread = known[~among(role[known], ASYNC)]
    by_thread = _last(thread, of_thread, end_ns)[open_]
    by_process = _last(process.astype(np.int64), known, end_ns)[open_]
    end_ns[open_] = np.where(among(role[open_], ASYNC), by_process, by_thread)


def _last(group: np.ndarray, known: np.ndarray, end_ns: np.ndarray) -> np.ndarray:
    """For each event, the latest end among the `known` ones of its group: i64."""
    groups, place = distinct(group)
    last = np.full(len(groups), np.iinfo(np.int64).min)
    np.maximum.at(last, place[known], end_ns[known])
    return np.asarray(last[place])


@njit(cache=True, nogil=True)
def mates(order: np.ndarray, strand: np.ndarray, is_end: np.ndarray, name: np.ndarray, names: int) -> np.ndarray:
    """For each event the one that it is paired with, -1 none: i64. `order` is by (strand, time). O(n).

    The open begins of a name are a chain: `newest[name]`, from there by `before`.
    """
    mate, before = np.full(len(order), -1, np.int64), np.full(len(order), -1, np.int64)
    newest, open_ = np.full(names, -1, np.int64), np.empty(len(order), np.int64)
    current, top = np.int64(-1), 0
    for event in order:
        if strand[event] != current:
            for index in range(top):
                newest[name[open_[index]]] = -1
            current, top = strand[event], 0
        if not is_end[event]:
            before[event], newest[name[event]] = newest[name[event]], event
            open_[top] = event
            top += 1
            continue
        while top and mate[open_[top - 1]] >= 0:
            top -= 1
        if name[event] != NO_NAME:
            begin = newest[name[event]]
        else:
            begin = open_[top - 1] if top else np.int64(-1)
        if begin >= 0:
            mate[begin], mate[event] = event, begin
            newest[name[begin]] = before[begin]
    return mate
