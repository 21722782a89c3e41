"""The machine that runs programs: when everything happens, on all ranks. The truth of a generated run.

Each rank has one host and streams. The host works off its instructions; a stream works off what was enqueued, in
order; an exchange begins on each rank when its turn comes, and ends on all together, its transfer after the last has
come, or a little later on each. Each goes on as soon as what it waits for has its time, so the order in which we look
at them does not matter. A long run is run in windows of steps: all have come to rest where a step ends.
It shares nothing with the replay engine: no graph, no edges, but hosts, queues and meetings.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from simulation.workload.program import Do

_LAUNCH, _SYNC = int(Do.LAUNCH), int(Do.SYNC)
_UNKNOWN = -1


class Script(NamedTuple):
    """All programs, one behind the other; works are numbered within their program."""

    streams: int
    first_do: np.ndarray  # programs + 1
    do: np.ndarray
    stream: np.ndarray
    target: np.ndarray
    first_work: np.ndarray  # programs + 1
    after_first: np.ndarray  # works + 1, into after
    after: np.ndarray
    queue: np.ndarray  # works by (program, stream), in order
    queue_first: np.ndarray  # [programs, streams + 1]


class Job(NamedTuple):
    """The ranks, and how long things take on them: rank by rank, step by step."""

    program: np.ndarray  # of each rank
    rank_do: np.ndarray  # ranks + 1: the instructions of each rank
    before_ns: np.ndarray
    takes_ns: np.ndarray
    rank_work: np.ndarray  # ranks + 1
    latency_ns: np.ndarray
    work_ns: np.ndarray  # of an exchange: how much later than the first of them the rank leaves it
    meeting: np.ndarray  # of each work, -1 none
    members: np.ndarray  # of each meeting
    transfer_ns: np.ndarray
    gap_ns: int  # between two works of a stream


class State(NamedTuple):
    """How far everything is. Times are ns since the run began."""

    do_start: np.ndarray
    do_end: np.ndarray
    work_start: np.ndarray  # of an enqueued work that has not begun: when it was enqueued
    work_end: np.ndarray
    at: np.ndarray  # next instruction of each rank
    clock_ns: np.ndarray
    enqueued: np.ndarray  # [ranks, streams]: works
    done: np.ndarray
    free_ns: np.ndarray  # end of the stream's last work
    waiting: np.ndarray  # bool: the stream's next work is at its meeting
    came: np.ndarray  # ranks at each meeting
    last_ns: np.ndarray  # when the last of them came


class Rest(NamedTuple):
    """Where everything stands between two steps."""

    clock_ns: np.ndarray  # of each rank
    free_ns: np.ndarray  # [ranks, streams]: end of the stream's last work

    @classmethod
    def at_first(cls, script: Script, job: Job) -> Rest:
        ranks = len(job.program)
        return cls(np.zeros(ranks, np.int64), np.full((ranks, script.streams), -job.gap_ns))


def run(script: Script, job: Job, rest: Rest | None = None) -> tuple[State, bool]:
    """Everything that happens from `rest` on, and whether all came to its end; else ranks wait for one another."""
    state = _nothing_yet(script, job, rest or Rest.at_first(script, job))
    _run(script, job, state)
    ended = bool((state.at == job.rank_do[1:]).all() and (state.done == state.enqueued).all())
    return state, ended


def _nothing_yet(script: Script, job: Job, rest: Rest) -> State:
    ranks, streams, dos, works = len(job.program), script.streams, int(job.rank_do[-1]), int(job.rank_work[-1])
    return State(
        do_start=np.full(dos, _UNKNOWN),
        do_end=np.full(dos, _UNKNOWN),
        work_start=np.full(works, _UNKNOWN),
        work_end=np.full(works, _UNKNOWN),
        at=job.rank_do[:-1].copy(),
        clock_ns=rest.clock_ns.copy(),
        enqueued=np.zeros((ranks, streams), np.int64),
        done=np.zeros((ranks, streams), np.int64),
        free_ns=rest.free_ns.copy(),
        waiting=np.zeros((ranks, streams), np.bool_),
        came=np.zeros(len(job.members), np.int64),
        last_ns=np.zeros(len(job.members), np.int64),
    )


@njit(cache=True, nogil=True)
def _run(script: Script, job: Job, state: State) -> None:
    """Look at all hosts and streams until none moves."""
    moved = True
    while moved:
        moved = False
        for rank in range(len(job.program)):
            moved |= _host(script, job, state, rank)
            for stream in range(script.streams):
                moved |= _stream(script, job, state, rank, stream)


@njit(cache=True, nogil=True)
def _host(script: Script, job: Job, state: State, rank: int) -> bool:
    """Work off instructions up to a synchronization that has to wait; whether there were any."""
    program, begun = job.program[rank], state.at[rank]
    first, length = script.first_do[program], script.first_do[program + 1] - script.first_do[program]
    works = script.first_work[program + 1] - script.first_work[program]
    while state.at[rank] < job.rank_do[rank + 1]:
        i = state.at[rank]
        step, local = divmod(i - job.rank_do[rank], length)
        do, stream = script.do[first + local], script.stream[first + local]
        now = begins = state.clock_ns[rank] + job.before_ns[i]
        if do == _LAUNCH:
            state.work_start[job.rank_work[rank] + step * works + script.target[first + local]] = now
            state.enqueued[rank, stream] += 1
        elif do == _SYNC:
            ready = True
            for other in range(script.streams):
                if stream == other or stream < 0:
                    ready &= state.done[rank, other] == state.enqueued[rank, other]
                    now = max(now, state.free_ns[rank, other])
            if not ready:
                break
        state.do_start[i] = begins
        state.do_end[i] = state.clock_ns[rank] = now + job.takes_ns[i]
        state.at[rank] += 1
    return bool(state.at[rank] != begun)


@njit(cache=True, nogil=True)
def _stream(script: Script, job: Job, state: State, rank: int, stream: int) -> bool:
    """Work off what is enqueued, up to a work that has to wait; whether anything moved."""
    program, moved = job.program[rank], False
    works = script.first_work[program + 1] - script.first_work[program]
    first = script.queue_first[program, stream]
    length = script.queue_first[program, stream + 1] - first
    while state.done[rank, stream] < state.enqueued[rank, stream]:
        step, place = divmod(state.done[rank, stream], length)
        local, base = script.queue[first + place], job.rank_work[rank] + step * works
        work = base + local
        meeting = job.meeting[work]
        if not state.waiting[rank, stream]:
            begins = max(state.work_start[work] + job.latency_ns[work], state.free_ns[rank, stream] + job.gap_ns)
            entry, ready = script.first_work[program] + local, True
            for other in script.after[script.after_first[entry] : script.after_first[entry + 1]]:
                ready &= state.work_end[base + other] != _UNKNOWN
                begins = max(begins, state.work_end[base + other])
            if not ready:
                break
            state.work_start[work] = begins
            if meeting >= 0:
                state.came[meeting] += 1
                state.last_ns[meeting] = max(state.last_ns[meeting], begins)
                state.waiting[rank, stream] = moved = True
        ends = state.work_start[work] + job.work_ns[work]
        if meeting >= 0:
            if state.came[meeting] < job.members[meeting]:
                break
            ends = state.last_ns[meeting] + job.transfer_ns[meeting] + job.work_ns[work]
            state.waiting[rank, stream] = False
        state.work_end[work] = state.free_ns[rank, stream] = ends
        state.done[rank, stream] += 1
        moved = True
    return moved
