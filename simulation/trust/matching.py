"""Which event of one step is which event of another: the same thread, the same way down the calls, the same turn.

Each event gets a key: a hash of its thread and, for itself and all that enclose it within the step, the name and the
turn among events of that name with the same parent. A device event continues the key of the call that launched it.
Two events of different steps match if their keys are equal. Hashes have 64 bits: among ten million events a false match
has a chance of one in a hundred thousand.
"""

from __future__ import annotations

import re

import numpy as np
from numba import njit

from simulation.graph.tasks import gathered
from simulation.run import Run
from simulation.trust.marks import Marks

ANNOTATION = frozenset({"user_annotation"})
_MARK = -1
_NUMBER = re.compile(r"\d+")


def event_keys(run: Run, marks: Marks) -> np.ndarray:
    """The key of every row that belongs to a step, 0 of the others: u64. Cost: two sorts of the rows."""
    base = np.repeat(run.row_base[:-1], np.diff(run.row_base))
    track_base = np.cumsum([0, *(len(table.tracks) for table in run.traces)])
    trace = np.repeat(np.arange(len(run.traces)), np.diff(run.row_base))
    track = gathered(run, "track").astype(np.int64) + track_base[trace]
    step, name = marks.of_rows, _names(run)
    name[marks.row] = _MARK  # "ProfilerStep#7" is what "ProfilerStep#8" is
    start = np.concatenate([np.zeros(0, np.int64), *(table.start_ns for table in run.traces)])
    dur = gathered(run, "dur_ns").astype(np.int64)
    above = _globally(gathered(run, "launch"), base)
    launched = above >= 0
    above = np.where(launched, above, _globally(gathered(run, "parent"), base))
    above = np.where((above >= 0) & (step[above] == step), above, -1)
    scope = np.where(above >= 0, above, -1 - (step * int(track_base[-1]) + track))
    turn = _turns(scope, name, start)
    # Parents before what they hold, calls before what they launched, whatever the device's clock says.
    order = np.lexsort((np.arange(len(start)), -dur, start, launched))
    return np.asarray(_chained(order[step[order] >= 0], above, track, name, turn))


def edge_keys(target: np.ndarray, source: np.ndarray, family: np.ndarray, steps_back: np.ndarray) -> np.ndarray:
    """Keys of edges from the keys of their nodes (u64): 0 where an end has none."""
    both = mixed(mixed(target, source), family.astype(np.uint64) + (steps_back.astype(np.uint64) << np.uint64(8)))
    return np.where((target == 0) | (source == 0), np.uint64(0), both)


def node_keys(event: np.ndarray, is_end: np.ndarray) -> np.ndarray:
    """Keys of nodes from the keys of their events: u64, 0 where the event has none."""
    return np.where(event == 0, np.uint64(0), mixed(event, is_end.astype(np.uint64)))


def _names(run: Run) -> np.ndarray:
    """A code per row for what it is called; numbers in annotations do not count: i64."""
    parts = []
    for table in run.traces:
        stems: dict[str, int] = {}
        stem = [len(table.names) + stems.setdefault(_NUMBER.sub("#", name), len(stems)) for name in table.names]
        code = table.columns["name"].astype(np.int64)
        parts.append(np.where(table.category_mask(ANNOTATION), np.array(stem or [0], np.int64)[code], code))
    return np.concatenate([np.zeros(0, np.int64), *parts])


def _globally(rows: np.ndarray, base: np.ndarray) -> np.ndarray:
    return np.where(rows >= 0, rows + base, -1)


def _turns(scope: np.ndarray, name: np.ndarray, start_ns: np.ndarray) -> np.ndarray:
    """The how-manieth of its name within its scope each row is: i64."""
    order = np.lexsort((start_ns, name, scope))
    first = np.diff(scope[order], prepend=scope.min(initial=0) - 1) != 0
    first |= np.diff(name[order], prepend=_MARK - 1) != 0
    turn = np.empty(len(scope), np.int64)
    place = np.arange(len(scope))
    turn[order] = place - np.maximum.accumulate(np.where(first, place, 0))
    return turn


@njit(cache=True, nogil=True)
def mixed(key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Both in one, as splitmix64 does it (Steele, Lea and Flood, OOPSLA 2014): u64."""
    both = np.empty(len(key), np.uint64)
    for i in range(len(key)):
        both[i] = _mix(key[i], value[i])
    return both


@njit(cache=True, nogil=True)
def _mix(key: np.uint64, value: np.uint64) -> np.uint64:
    z = (key ^ (value * np.uint64(0xD6E8FEB86659FD93))) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@njit(cache=True, nogil=True)
def _chained(order: np.ndarray, above: np.ndarray, track: np.ndarray, name: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """The key of each row in `order`, which has those above a row before it."""
    keys = np.zeros(len(above), np.uint64)
    for row in order:
        begin = keys[above[row]] if above[row] >= 0 else _mix(np.uint64(1), np.uint64(track[row]))
        keys[row] = _mix(_mix(begin, np.uint64(name[row] + 2)), np.uint64(turn[row]))
    return keys
