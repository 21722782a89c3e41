"""What an analysis looks at: the chosen ranks and steps of a run, and the device events in them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from simulation.analysis.breakdown import Work
from simulation.analysis.peaks import multiprocessors_of
from simulation.analysis.recorded import extracted
from simulation.communication import kernels_that_communicate
from simulation.events import CALL_CATEGORIES, EventTable, Kind
from simulation.run import Run
from simulation.tracks import inherited

OPS = frozenset({"cpu_op", "hpu_op"})

OCCUPANCY = r'"est\. achieved occupancy %"\s*:\s*(?P<value>[0-9.]+)'


@dataclass(frozen=True)
class Selection:
    """Which part of a run: None is all. Steps by number (`ProfilerStep#12` is 12); a device event's is its launch's."""

    ranks: frozenset[int] | None = None
    steps: frozenset[int] | None = None
    linked_only: bool = False  # leave out device work whose launch is not in the trace, as TraceLens does

    def views(self, run: Run, measured: Run | None = None) -> list[RankView]:
        """The chosen ranks, in the run's order; `measured`: the run that a predicted one is the replay of."""
        chosen = [at for at, rank in enumerate(run.ranks) if self.ranks is None or rank in self.ranks]
        return [RankView(run, at, self, measured or run) for at in chosen]


@dataclass(frozen=True)
class DeviceEvents:
    """Device work of one rank by start, one entry per event."""

    rows: np.ndarray  # i64, of the event table
    start_ns: np.ndarray  # i64, as in the table
    end_ns: np.ndarray  # i64
    work: np.ndarray  # i64, Work
    stream: np.ndarray  # i64, track
    launch: np.ndarray  # i64, row of the launching call, -1 none
    step: np.ndarray  # i64, line of the steps table, -1 none

    @property
    def dur_ns(self) -> np.ndarray:
        return np.asarray(self.end_ns - self.start_ns)

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, chosen: np.ndarray) -> DeviceEvents:
        return DeviceEvents(**{name: getattr(self, name)[chosen] for name in self.__dataclass_fields__})


@dataclass(frozen=True)
class RankView:
    """One rank as selected. Everything is worked out when first asked for, and once."""

    run: Run
    trace: int
    selection: Selection
    measured: Run  # the same run as it was measured: what met whom is read of that one

    @property
    def table(self) -> EventTable:
        return self.run.traces[self.trace]

    @property
    def rank(self) -> int | None:
        return self.run.ranks[self.trace]

    @property
    def shift_ns(self) -> int:
        """Add to a time of the table for ns since the run's origin."""
        return self.run.shift_ns[self.trace]

    @cached_property
    def step_numbers(self) -> np.ndarray:
        return np.asarray(self.table.sides["steps"]["number"], np.int64)

    @cached_property
    def steps(self) -> np.ndarray:
        """Lines of the steps table that are selected, by start: i64."""
        rows = np.asarray(self.table.sides["steps"]["row"])
        lines = np.argsort(self.table.start_ns[rows], kind="stable")
        chosen = self.selection.steps
        return lines if chosen is None else lines[np.isin(self.step_numbers[lines], list(chosen))]

    @cached_property
    def step_windows_ns(self) -> np.ndarray:
        """Start and end of each selected step's mark on the host: i64 (steps, 2)."""
        rows = np.asarray(self.table.sides["steps"]["row"])[self.steps]
        return np.stack([self.table.start_ns[rows], self.table.end_ns[rows]], axis=1)

    def step_name(self, line: int) -> str:
        return self.table.name_of(int(np.asarray(self.table.sides["steps"]["row"])[line]))

    @cached_property
    def is_selected(self) -> np.ndarray:
        """Rows of the selected steps; all where no steps were chosen: bool."""
        if self.selection.steps is None:
            return np.ones(len(self.table), np.bool_)
        known = np.zeros(len(self.step_numbers) + 1, np.bool_)
        known[self.steps] = True
        return np.asarray(known[self.table.step])

    @cached_property
    def device(self) -> DeviceEvents:
        """The selected device work by start. Costs a sort of it."""
        table = self.table
        chosen = table.is_device & self.is_selected
        if self.selection.linked_only:
            chosen = chosen & (table.launch >= 0)
        rows = np.flatnonzero(chosen)
        rows = rows[np.argsort(table.start_ns[rows], kind="stable")]
        return DeviceEvents(
            rows=rows,
            start_ns=table.start_ns[rows],
            end_ns=table.end_ns[rows],
            work=self.work[rows],
            stream=table.track[rows].astype(np.int64),
            launch=table.launch[rows].astype(np.int64),
            step=table.step[rows].astype(np.int64),
        )

    @cached_property
    def work(self) -> np.ndarray:
        """What each row would be as device work: i64, Work."""
        return work_of(self.table)

    @cached_property
    def names(self) -> np.ndarray:
        """Code of each row's name in the run's string table: i64."""
        return np.asarray(self.run.name_codes[self.trace][self.table.name].astype(np.int64))

    @cached_property
    def stream_numbers(self) -> np.ndarray:
        """The device stream of each track, -1 where it is none: i64."""
        return np.array([track.stream for track in self.table.tracks], np.int64)

    def stream_of(self, track: int) -> int | None:
        """The device stream of a track; None where it is none."""
        number = int(self.stream_numbers[track])
        return number if number >= 0 else None

    @cached_property
    def is_op(self) -> np.ndarray:
        """Framework operators, the marks of steps left out: bool."""
        ops = self.table.category_mask(OPS) & (self.table.kind == Kind.SLICE)
        ops[np.asarray(self.table.sides["steps"]["row"])] = False
        return np.asarray(ops)

    @cached_property
    def op_of(self) -> np.ndarray:
        """The innermost operator at each row, itself where it is one; -1 none: i64. O(rows)."""
        own = np.where(self.is_op, np.arange(len(self.table)), -1)
        return inherited(self.table.parent, own)

    @cached_property
    def op_above(self) -> np.ndarray:
        """The operator around each row, never itself; -1 none: i64."""
        parent = self.table.parent
        return np.where(parent >= 0, self.op_of[parent], -1)

    @cached_property
    def kernel_lines(self) -> np.ndarray:
        """Line of the kernels' side table for each device event, -1 none: i64, in the order of `device`."""
        rows = np.asarray(self.table.sides["kernels"]["row"])
        line = np.searchsorted(rows, self.device.rows)
        line[np.append(rows, -1)[line] != self.device.rows] = -1
        return line

    @cached_property
    def blocks_per_multiprocessor(self) -> np.ndarray:
        """Of each device event: f64, NaN where it is no kernel, or grid or device are not recorded."""
        side, count = self.table.sides["kernels"], multiprocessors_of(self.table)
        if count is None:
            return np.full(len(self.device), np.nan)
        axes = [np.append(np.asarray(side[f"grid_{axis}"], np.float64), np.nan)[self.kernel_lines] for axis in "xyz"]
        grid = np.prod(axes, axis=0)
        return np.where(grid > 0, grid / count, np.nan)

    @cached_property
    def occupancy_percent(self) -> np.ndarray:
        """Estimated for each device event: f64, NaN of what is no kernel. Unpacks their args."""
        found = np.full(len(self.device), np.nan)
        kernels = np.flatnonzero(self.kernel_lines >= 0)
        texts = extracted(self.table, self.device.rows[kernels], OCCUPANCY)
        found[kernels] = np.asarray(texts.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
        return found

    @cached_property
    def launching_op(self) -> np.ndarray:
        """Row of the operator that launched each device event, -1 none: i64, in the order of `device`."""
        launch = self.device.launch
        return np.where(launch >= 0, self.op_of[launch], -1)

    @cached_property
    def outermost_op(self) -> np.ndarray:
        """Row of the outermost operator around each device event's launch, -1 none: i64, in the order of `device`."""
        top, above = self.launching_op, self.op_above
        while (higher := (top >= 0) & (above[top] >= 0)).any():
            top = np.where(higher, above[top], top)
        return top

    @cached_property
    def is_call(self) -> np.ndarray:
        return np.asarray(self.table.category_mask(CALL_CATEGORIES) & (self.table.kind == Kind.SLICE))


def work_of(table: EventTable) -> np.ndarray:
    """What each row would be as device work: i64, Work."""
    of_category = {"gpu_memcpy": Work.COPY, "gpu_memset": Work.SET}
    work = np.array([of_category.get(word, Work.COMPUTE) for word in (*table.categories, "")])[table.category]
    speaks = (work == Work.COMPUTE) & kernels_that_communicate(table)
    return np.where(speaks, Work.COMMUNICATION, work).astype(np.int64)
