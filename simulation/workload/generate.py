"""From a workload to files, tables or a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from simulation.errors import TraceError
from simulation.events import EventTable
from simulation.progress import Progress, silent
from simulation.run import Run
from simulation.workload import kineto
from simulation.workload.execution import execute, step_programs
from simulation.workload.recording import Recording, Step
from simulation.workload.spec import Workload
from simulation.workload.table import table_of


def of_size(spec: Workload, events: int) -> Workload:
    """The workload with as many steps as it takes to `events` events of all ranks together; one at least."""
    return replace(spec, steps=max(1, -(-events // events_of(replace(spec, steps=1)))))


def events_of(spec: Workload, in_files: bool = False) -> int:
    """Rows of the tables of all ranks; `in_files`, of those that reading the files gives."""
    a_step = sum(Step.of(program, spec.sync_events).events for program in step_programs(spec))
    return spec.tp * spec.dp * spec.steps * a_step + spec.ranks * kineto.MARKS * in_files


def recordings(spec: Workload, progress: Progress = silent) -> Iterator[Recording]:
    """Of all ranks, in order; what the profiler of each would have seen."""
    execution = execute(spec, progress)
    steps = [Step.of(program, spec.sync_events) for program in execution.programs]
    return (Recording(execution, place.rank, steps[place.stage]) for place in execution.places)


def write_kineto(spec: Workload, folder: Path, progress: Progress = silent) -> list[Path]:
    """One file per rank; their paths, in the order of ranks. The folder is made; raises TraceError if it holds files.

    Memory does not grow with the number of steps.
    """
    paths = []
    with _into(folder):
        for rank, recording in enumerate(recordings(spec, progress)):
            path = folder / kineto.file_name(rank)
            kineto.write(recording, path, _share(progress, rank, spec.ranks))
            paths.append(path)
    return paths


def write_run(spec: Workload, folder: Path, progress: Progress = silent) -> Run:
    """Straight into a stored run, as `Run.save` lays it out; the run, mapped. Memory holds one rank at a time."""
    traces = []
    with _into(folder):
        for rank, table in enumerate(tables(spec, progress)):
            home = folder / f"trace-{rank}"
            table.save(home)
            traces.append(EventTable.open(home))
            progress("writing", rank + 1, spec.ranks)
        run = Run.of(traces)
        run.save_record(folder)
    return run


def tables(spec: Workload, progress: Progress = silent) -> Iterator[EventTable]:
    """The tables that reading the files would give, but for the raw args; one rank at a time."""
    return (table_of(recording) for recording in recordings(spec, progress))


def generated_run(spec: Workload) -> Run:
    """The run, without files."""
    return Run.of(list(tables(spec)))


@contextmanager
def _into(folder: Path) -> Iterator[None]:
    """Into a new or empty folder: files of another run in it would be taken for ranks of this one."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise TraceError("holds files already", file=str(folder), hint="Name a new folder.")
        yield
    except OSError as error:
        raise TraceError(f"cannot be written ({error.strerror})", file=str(folder)) from error


def _share(progress: Progress, rank: int, ranks: int) -> Progress:
    """Progress in one rank's file as progress in all of them."""
    return lambda stage, done, total: progress(stage, rank * total + done, ranks * total)
