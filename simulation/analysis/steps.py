"""The steps of a run: their windows on the host, and how long one takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.events import EventTable
from simulation.run import Run


@dataclass(frozen=True)
class Step:
    """A step mark of one trace."""

    trace: int
    rank: int | None
    row: int
    name: str
    start_ns: int  # as the trace's start_ns column: relative to its base_ns
    dur_ns: int


def steps_of(run: Run) -> list[Step]:
    """All steps, trace by trace and in time order within."""
    found = []
    for index, (trace, rank) in enumerate(zip(run.traces, run.ranks, strict=True)):
        for row in step_rows(trace).tolist():
            found.append(Step(index, rank, row, trace.name_of(row), int(trace.start_ns[row]), int(trace.dur_ns[row])))
    return found


def step_rows(table: EventTable) -> np.ndarray:
    """Rows of a trace's step marks, in time order: i64."""
    rows = np.asarray(table.sides["steps"]["row"], np.int64)
    return rows[np.argsort(table.start_ns[rows], kind="stable")]


def median_step_ns(run: Run) -> int | None:
    """Median duration over all steps of all ranks (the lower one of an even number), None without steps."""
    durations = sorted(step.dur_ns for step in steps_of(run))
    return durations[(len(durations) - 1) // 2] if durations else None
