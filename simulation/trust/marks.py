"""The steps of a run as all ranks have them, and those that are ramp-up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.events import EventTable
from simulation.run import Run

RAMP_UP_PERCENT = 10
RAMP_UP_DEVIATIONS = 3
"""A step at the beginning is ramp-up if it differs from the median of those after it by more than both: this share of
the median, and so many times the median absolute deviation of those after it."""


@dataclass(frozen=True)
class Marks:
    """The slices that mark steps, thread by thread in order of time; columns of one length."""

    row: np.ndarray  # i64, global
    trace: np.ndarray  # i64
    series: np.ndarray  # i64: marks of one thread are one series
    step: np.ndarray  # i64: what ranks do together has one number, 0, 1, 2 ...
    dur_ns: np.ndarray  # i64
    of_rows: np.ndarray  # i64 per row of the run: its step, -1 none

    @classmethod
    def of(cls, run: Run) -> Marks:
        """Steps of several ranks belong together by their number, or by their order where numbers come twice."""
        parts = [_marks(table, trace) for trace, table in enumerate(run.traces)]
        trace, local, thread, index, number = np.concatenate([np.zeros((5, 0), np.int64), *parts], axis=1)
        step = np.unique(number, return_inverse=True)[1].reshape(-1)
        series = np.unique(np.stack([trace, thread]), axis=1, return_inverse=True)[1].reshape(-1)
        dur_ns = np.array([run.traces[t].dur_ns[r] for t, r in zip(trace, local, strict=True)], np.int64)
        of_rows = [np.zeros(0, np.int64)]
        for at, table in enumerate(run.traces):  # from an index into the trace's side table to the step
            mine = trace == at
            step_at = np.full(int(mine.sum()) + 1, -1, np.int64)  # the last entry answers for -1
            step_at[index[mine]] = step[mine]
            of_rows.append(step_at[table.step])
        return cls(local + run.row_base[trace], trace, series, step, dur_ns, np.concatenate(of_rows))

    def __len__(self) -> int:
        return len(self.row)

    @property
    def steps(self) -> int:
        """How many distinct steps there are."""
        return int(self.step.max(initial=-1)) + 1

    def ramp_up(self) -> np.ndarray:
        """Steps that are ramp-up on any thread: bool per step."""
        found = np.zeros(self.steps, bool)
        for series in range(int(self.series.max(initial=-1)) + 1):
            mine = np.flatnonzero(self.series == series)
            found[self.step[mine[: ramp_up(self.dur_ns[mine])]]] = True
        return found


def _marks(table: EventTable, trace: int) -> np.ndarray:
    """(trace, row, thread, index in the side table, number) of each mark of a trace, by thread and time: i64[5, n]."""
    side = table.sides["steps"]
    rows, number = np.asarray(side["row"], np.int64), np.asarray(side["number"], np.int64)
    thread = table.track[rows].astype(np.int64)
    order = np.lexsort((table.start_ns[rows], thread))
    place = np.arange(len(rows)) - np.searchsorted(thread[order], thread[order])
    comes_twice = np.unique(np.stack([thread, number]), axis=1).shape[1] < len(rows)
    return np.stack(
        [np.full(len(rows), trace), rows[order], thread[order], order, place if comes_twice else number[order]]
    )


def ramp_up(dur_ns: np.ndarray) -> int:
    """How many of these steps, in order of time, are ramp-up: the first ones, as long as they differ as said above."""
    for n in range(len(dur_ns)):
        after = dur_ns[n + 1 :]
        if not len(after):
            return 0  # no step is like those after it: nothing is steady
        median = np.median(after)
        away = abs(dur_ns[n] - median)
        deviation = np.median(np.abs(after - median))
        if away <= median * RAMP_UP_PERCENT / 100 or away <= RAMP_UP_DEVIATIONS * deviation:
            return n
    return 0
