"""Thread hand-over: a thread that was idle goes on when another one, now idle itself, has given it work.

So autograd's thread begins when the main thread calls backward, and the main thread goes on when backward has ended. A
thread is idle between two of its boundaries if it does nothing but hold annotations or Python frames open. It is given
work by the thread that came to rest during its idleness, last before it went on, at most 500 us before, and that
rests on as it goes on.

A thread that has given work to another one known to work for it, and rests on, waits for that one. It may be asked to
go on while the other still works, as autograd asks the calling thread for what is done on the host: by the other's
last boundary before.

From that thread's last boundary to the first one of the thread that goes on, with the measured latency. Its own
idleness leaves its chain: it was waiting, and waits longer if the giver takes longer. Two threads that share sequence
numbers of autograd, or arrows from forward to backward, are known to work for one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from simulation.graph.edges import Edges
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import ROOT, Tasks, gathered

IDLE_NS = 100_000
"""Shorter pauses are part of a thread's own work."""

SOON_NS = 500_000
"""A thread that was given work goes on at most this long after."""

NONE = -1
FORWARD_FLOW = "fwdbwd"
FRAMES = frozenset({"user_annotation", "python_function", "gpu_user_annotation"})


@dataclass(frozen=True)
class Idle:
    """When threads do nothing; columns of one length, by trace and begin."""

    trace: np.ndarray  # i64
    track: np.ndarray  # i64
    begin: np.ndarray  # i64, node; ROOT before the first one of a thread
    end: np.ndarray  # i64, node; ROOT after the last one


def edges(tasks: Tasks) -> Edges:
    """Boundary where one thread comes to rest, or asks, to boundary where another one goes on; threads whose calls only
    poll take no part. Cost: O(host nodes)."""
    idle = find_idle(tasks)
    end_ns = np.where(idle.end == ROOT, np.iinfo(np.int64).max, tasks.node_ns[idle.end])
    tied = _partners(tasks)
    giver, taker, known = _given(
        idle.trace, idle.track, idle.begin != ROOT, tasks.node_ns[idle.begin], end_ns, tied, SOON_NS
    )  # fmt: skip
    asking, asked = _asked(tasks, idle, giver[known], taker[known], taker)
    source, target = np.append(idle.begin[giver], asking), np.append(idle.end[taker], asked)
    told = np.where(known, Rule.HANDOVER_TOLD, Rule.HANDOVER_GAP)
    return Edges.of(
        Family.THREAD_HANDOVER,
        source,
        target,
        tasks.node_ns[target] - tasks.node_ns[source],
        np.append(told, np.full(len(asked), Rule.HANDOVER_ASKED)),
        np.append(np.where(known, Certainty.INFERRED, Certainty.GUESSED), np.full(len(asked), Certainty.GUESSED)),
    )


def _asked(
    tasks: Tasks, idle: Idle, giver: np.ndarray, helper: np.ndarray, taken: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(node of the helper, node where the giver goes on) of idleness that begins with work given to a helper and ends,
    given by nobody, while the helper works: i64, i64. `taken` is idleness that somebody ended."""
    open_ended = (idle.end[giver] != ROOT) & ~np.isin(giver, taken)
    giver, helper = giver[open_ended], helper[open_ended]
    asked, track = idle.end[giver], idle.track[helper]
    nodes = np.flatnonzero((tasks.node_row >= 0) & np.isin(tasks.track[tasks.node_row], track))
    of_track = tasks.track[tasks.node_row[nodes]]
    order = np.argsort(of_track, kind="stable")  # nodes are in measured order
    nodes, when = nodes[order], of_track[order] * tasks.nodes + nodes[order]
    asking = nodes[np.searchsorted(when, track * tasks.nodes + asked) - 1]
    soon = tasks.node_ns[asked] - tasks.node_ns[asking] <= SOON_NS
    works = ~np.isin(asking, idle.begin) & (asking > idle.begin[giver])
    return asking[soon & works], asked[soon & works]


def flows(tasks: Tasks, handed: Edges) -> np.ndarray:
    """A number per track: tracks of one flow of control share it. Such are threads that hand over to one another and
    are known to: while one works, the other waits. Cost: O(tracks) per pair of such threads."""
    flow = np.arange(sum(len(table.tracks) for table in tasks.run.traces))
    told = handed.rule == Rule.HANDOVER_TOLD
    ends = [tasks.track[tasks.node_row[node[told]]] for node in (handed.source, handed.target)]
    for giver, taker in np.unique(np.stack(ends), axis=1).T.tolist():
        flow[flow == flow[taker]] = flow[giver]
    return flow


def find_idle(tasks: Tasks) -> Idle:
    """All idleness of the run's threads."""
    works = np.array([track.kind == "thread" for table in tasks.run.traces for track in table.tracks], bool)
    works &= ~tasks.polls
    begin, end = _pauses(tasks.node_row, tasks.node_ns, tasks.track, tasks.is_host, works, IDLE_NS)
    rests = _rests(tasks)
    inside = np.where(begin == ROOT, -1, _innermost(tasks, begin))
    idle = (inside < 0) | rests[inside]
    begin, end = begin[idle], end[idle]
    row = tasks.node_row[np.where(begin == ROOT, end, begin)]
    trace = tasks.trace[row].astype(np.int64)
    order = np.lexsort((end, tasks.node_ns[begin], trace))
    return Idle(trace[order], tasks.track[row[order]], begin[order], end[order])


@njit(cache=True, nogil=True)
def _pauses(
    node_row: np.ndarray,
    node_ns: np.ndarray,
    track: np.ndarray,
    is_host: np.ndarray,
    works: np.ndarray,
    least_ns: int,
) -> tuple[np.ndarray, np.ndarray]:
    """(node, next node of the same thread) where at least so long passes between them, ROOT before the first and after
    the last one; of threads that work: i64, i64. One pass over the nodes."""
    last = np.full(len(works), ROOT, np.int64)
    begins, ends, n = np.empty(len(node_row) + len(works), np.int64), np.empty(len(node_row) + len(works), np.int64), 0
    for node in range(ROOT + 1, len(node_row)):
        row = node_row[node]
        if row < 0 or not is_host[row] or not works[track[row]]:
            continue
        before = last[track[row]]
        if node_ns[node] - node_ns[before] >= least_ns:
            begins[n], ends[n] = before, node
            n += 1
        last[track[row]] = node
    for thread in range(len(works)):
        if last[thread] != ROOT:
            begins[n], ends[n] = last[thread], ROOT
            n += 1
    return begins[:n], ends[:n]


def _innermost(tasks: Tasks, node: np.ndarray) -> np.ndarray:
    """The slice that is open on its thread after each node, -1 none: i64."""
    row = tasks.node_row[node]
    opens = (tasks.start_node[row] == node) & (tasks.end_node[row] != node)
    parent = gathered(tasks.run, "parent").astype(np.int64)[row]
    parent = np.where(parent >= 0, parent + tasks.run.row_base[tasks.trace[row]], -1)
    return np.where(opens, row, parent)


def _rests(tasks: Tasks) -> np.ndarray:
    """Slices within which a thread may rest: annotations, Python frames, steps; bool per row."""
    masks = [table.category_mask(FRAMES) for table in tasks.run.traces]
    found = np.concatenate([np.zeros(0, bool), *masks])
    for table, base in zip(tasks.run.traces, tasks.run.row_base.tolist(), strict=False):
        found[base + np.asarray(table.sides["steps"]["row"])] = True
    return found


@njit(cache=True, nogil=True)
def _given(
    trace: np.ndarray,
    track: np.ndarray,
    can_give: np.ndarray,
    begin_ns: np.ndarray,
    end_ns: np.ndarray,
    tied: np.ndarray,
    soon_ns: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(giver, taker, whether their threads are tied): the idleness in which one thread rests while that of another,
    which began earlier, ends. `tied`: pairs of tracks, both ways, i64[n, 2] in ascending order."""
    tracks = 1 + max(track.max() if len(track) else 0, tied.max() if len(tied) else 0)
    ties = tied[:, 0] * tracks + tied[:, 1]
    owner = np.full(tracks, NONE, np.int64)  # per thread, the idleness in which its giver of last time began to rest
    found, is_tied = np.full(len(trace), NONE, np.int64), np.zeros(len(trace), np.bool_)
    for taker in np.argsort(end_ns, kind="mergesort"):
        after = np.searchsorted(trace, trace[taker], side="right")
        last = taker + np.searchsorted(begin_ns[taker:after], end_ns[taker], side="right") - 1
        best = -1
        for giver in range(last, taker, -1):
            if begin_ns[giver] < end_ns[taker] - soon_ns or begin_ns[giver] <= begin_ns[taker]:
                break
            if track[giver] == track[taker] or not can_give[giver] or end_ns[giver] <= end_ns[taker]:
                continue
            tie = track[taker] * tracks + track[giver]
            at = np.searchsorted(ties, tie)
            knows = at < len(ties) and ties[at] == tie
            good = 2 * knows + (owner[track[giver]] == taker)
            if good > best:
                best, found[taker], is_tied[taker] = good, giver, knows
        if best >= 0:
            owner[track[taker]] = found[taker]
    takers = np.flatnonzero(found != NONE)
    return found[takers], takers, is_tied[takers]


def _partners(tasks: Tasks) -> np.ndarray:
    """Pairs of global tracks that autograd ties, both ways: i64[n, 2], ascending."""
    base = np.concatenate([[0], np.cumsum([len(table.tracks) for table in tasks.run.traces])])
    found: set[tuple[int, int]] = set()
    for table, first in zip(tasks.run.traces, base.tolist(), strict=False):
        flows: dict[str, Any] = {**table.sides["flows"]}
        words = np.array([word == FORWARD_FLOW for word in flows["category"].words] + [False])
        at = np.flatnonzero(words[flows["category"].codes] & (flows["row"] >= 0))
        keys = np.asarray(flows["id"])[at]
        ops: dict[str, Any] = {**table.sides["ops"]}
        numbered = np.flatnonzero(np.asarray(ops["sequence"]) >= 0)
        for key, row in (
            (keys, np.asarray(flows["row"])[at]),
            (np.asarray(ops["sequence"])[numbered], np.asarray(ops["row"])[numbered]),
        ):
            found |= _sharing(key, first + table.track[row].astype(np.int64))
    return np.array(sorted(found), np.int64).reshape(-1, 2)


def _sharing(key: np.ndarray, track: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of tracks on which the same key occurs: of each key, those next to each other by number."""
    order = np.lexsort((track, key))  # stable sorts, and the rows come track by track: far cheaper than np.unique
    key, track = key[order], track[order]
    next_to = np.flatnonzero((key[1:] == key[:-1]) & (track[1:] != track[:-1]))
    tracks = int(track.max(initial=0)) + 1
    pairs = np.stack(np.divmod(np.unique(track[next_to] * tracks + track[next_to + 1]), tracks), axis=1).tolist()
    return {(a, b) for a, b in pairs} | {(b, a) for a, b in pairs}
