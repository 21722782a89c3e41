"""A run of the whole job: the programs of all ranks, disturbed, and run by the machine."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.errors import TraceError
from simulation.progress import Progress, silent
from simulation.workload import machine
from simulation.workload.jobs import Jobs
from simulation.workload.layout import Place, place
from simulation.workload.program import Program
from simulation.workload.spec import Workload
from simulation.workload.transformer import write_step

WINDOW_INSTRUCTIONS = 1_000_000
"""Of all ranks, that are run at once: about 100 MB."""

IN_MEMORY_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Times:
    """When things happen on one rank, without its clock's skew: ns since the run began, i64 [steps, ...]."""

    do_start: np.ndarray  # of instructions
    do_end: np.ndarray
    work_start: np.ndarray
    work_end: np.ndarray


@dataclass(frozen=True)
class Execution:
    """What happened: per rank its place, program and times."""

    spec: Workload
    places: tuple[Place, ...]
    programs: tuple[Program, ...]  # by stage
    times: tuple[Times, ...]


def execute(spec: Workload, progress: Progress = silent) -> Execution:
    """Run the whole job, a window of steps at a time. Costs about 150 ns and 25 bytes per event of all ranks and
    steps; what is more than IN_MEMORY_BYTES of that lies in a temporary file."""
    places = tuple(place(spec, rank) for rank in range(spec.ranks))
    return run_programs(spec, places, step_programs(spec), progress)


def step_programs(spec: Workload) -> tuple[Program, ...]:
    """The program of a step, by stage."""
    return tuple(write_step(spec, place(spec, stage * spec.tp * spec.dp)) for stage in range(spec.pp))


def run_programs(
    spec: Workload, places: tuple[Place, ...], programs: tuple[Program, ...], progress: Progress = silent
) -> Execution:
    """Run one program per stage on all of its ranks."""
    script, jobs = _script(programs), Jobs(spec, places, programs)
    times = _rooms(spec.steps, [programs[each.stage] for each in places])
    window = max(1, WINDOW_INSTRUCTIONS // int(jobs.dos.sum()))
    rest = None
    for first in range(0, spec.steps, window):
        steps = slice(first, min(first + window, spec.steps))
        job = jobs.take(steps.stop - steps.start)
        state, ended = machine.run(script, job, rest)
        if not ended:
            raise RuntimeError("the ranks wait for one another: their programs do not fit together")
        rest = machine.Rest(state.clock_ns, state.free_ns)
        _keep(times, steps, job, state)
        progress("running", steps.stop, spec.steps)
    return Execution(spec, places, programs, times)


def _keep(times: tuple[Times, ...], steps: slice, job: machine.Job, state: machine.State) -> None:
    """What happened in some steps, to its place in the whole."""
    for rank, room in enumerate(times):
        do = slice(*job.rank_do[rank : rank + 2])
        work = slice(*job.rank_work[rank : rank + 2])
        for column, found in (
            (room.do_start, state.do_start[do]),
            (room.do_end, state.do_end[do]),
            (room.work_start, state.work_start[work]),
            (room.work_end, state.work_end[work]),
        ):
            column[steps] = found.reshape(-1, column.shape[1])


def _rooms(steps: int, programs: Sequence[Program]) -> tuple[Times, ...]:
    """Room for the times of each rank, in one piece."""
    widths = [width for p in programs for width in (len(p.do), len(p.do), len(p.work_ns), len(p.work_ns))]
    cuts = np.cumsum([0, *widths]) * steps
    room = _room(int(cuts[-1]))
    columns = [room[cuts[i] : cuts[i + 1]].reshape(steps, width) for i, width in enumerate(widths)]
    return tuple(Times(*columns[4 * rank : 4 * rank + 4]) for rank in range(len(programs)))


def _room(size: int) -> np.ndarray:
    """i64 in memory; where that is too many, in a nameless file that goes with the array."""
    if 8 * size <= IN_MEMORY_BYTES:
        return np.empty(size, np.int64)
    with tempfile.TemporaryFile() as file:
        try:
            os.posix_fallocate(file.fileno(), 0, 8 * size)  # a full disk is heard of here, not in a later write
        except OSError as error:
            raise TraceError(
                f"there is no room for {8 * size / 2**30:.1f} GiB of temporary data ({error.strerror})",
                file=tempfile.gettempdir(), hint="TMPDIR names another folder; fewer steps take less.",
            ) from error  # fmt: skip
        return np.memmap(file, np.int64, "r+", shape=(size,))


def _script(programs: Sequence[Program]) -> machine.Script:
    """All programs, one behind the other, as the machine reads them."""
    streams = max(program.streams for program in programs)
    counts = np.stack([np.bincount(program.work_stream, minlength=streams) for program in programs])
    firsts = np.concatenate([[0], np.cumsum(counts)])
    return machine.Script(
        streams=streams,
        first_do=np.cumsum([0, *(len(program.do) for program in programs)]),
        do=np.concatenate([program.do for program in programs]),
        stream=np.concatenate([program.stream for program in programs]),
        target=np.concatenate([program.target for program in programs]),
        first_work=np.cumsum([0, *(len(program.work_ns) for program in programs)]),
        after_first=np.cumsum(np.concatenate([[0], *(np.diff(program.after_first) for program in programs)])),
        after=np.concatenate([program.after for program in programs]),
        queue=np.concatenate([np.argsort(program.work_stream, kind="stable") for program in programs]),
        queue_first=np.stack([firsts[p * streams : (p + 1) * streams + 1] for p in range(len(programs))]),
    )
