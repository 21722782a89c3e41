"""From a workload to files, tables or a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from simulation.errors import TraceError
from simulation.events import EventTable
from simulation.progress import Progress, silent
from simulation.run import Run
from simulation.workload import kineto
from simulation.workload.execution import execute
from simulation.workload.recording import Recording, Step
from simulation.workload.spec import Workload
from simulation.workload.table import table_of


def recordings(spec: Workload) -> Iterator[Recording]:
    """Of all ranks, in order; what the profiler of each would have seen."""
    execution = execute(spec)
    steps = [Step.of(program) for program in execution.programs]
    return (Recording(execution, place.rank, steps[place.stage]) for place in execution.places)


def write_kineto(spec: Workload, folder: Path, progress: Progress = silent) -> list[Path]:
    """One file per rank; their paths. The folder is made where it is not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TraceError(f"cannot be made ({error.strerror})", file=str(folder)) from error
    paths = []
    for recording in recordings(spec):
        path = folder / kineto.file_name(recording.place.rank)
        kineto.write(recording, path)
        paths.append(path)
        progress("writing", len(paths), spec.ranks)
    return paths


def tables(spec: Workload) -> Iterator[EventTable]:
    """The tables that reading the files would give, but for the raw args; one rank at a time."""
    return (table_of(recording) for recording in recordings(spec))


def generated_run(spec: Workload) -> Run:
    """The run, without files."""
    return Run.of(list(tables(spec)))
