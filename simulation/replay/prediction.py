"""A predicted run: start and duration columns over the rows of the measured one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from simulation.errors import StoreError
from simulation.events import EventTable
from simulation.graph import TaskGraph
from simulation.replay.engine import Times
from simulation.replay.kernels import fit_lanes
from simulation.run import Run, measured_times
from simulation.store import open_table, sync, write_table

PREDICTION_VERSION = 1
"""Of the saved prediction; written into it, so that a result says which engine made it."""


@dataclass(frozen=True)
class Prediction:
    """Predicted times of all rows of a run; rows that are not replayed keep their measured ones."""

    run: Run  # measured
    start_ns: tuple[np.ndarray, ...]  # per trace, i64 per row, in the trace's own time as in its table
    dur_ns: tuple[np.ndarray, ...]
    report: dict[str, Any]  # as `traceviewer replay --json`
    slack_ns: tuple[np.ndarray, ...] = ()  # per trace, i64 per row: `slack.row_slack`; nothing if saved without it
    graph: TaskGraph | None = None  # of the execution as predicted; not saved
    bare_graph: TaskGraph | None = None  # of the execution without residuals; not saved

    @cached_property
    def predicted(self) -> Run:
        """The measured run at predicted times; rows, lanes, names and args are shared."""
        traces = tuple(self.table(trace) for trace in range(len(self.run.traces)))
        return replace(self.run, traces=traces)

    def table(self, trace: int) -> EventTable:
        """One trace at predicted times."""
        return self.run.traces[trace].with_times(self.start_ns[trace], self.dur_ns[trace])

    def save(self, folder: Path) -> None:
        """Write one file per trace; `prediction.arrow` comes last, when the disk holds the others."""
        files = [folder / f"predicted-{trace}.arrow" for trace in range(len(self.start_ns))]
        for trace, (start, dur) in enumerate(zip(self.start_ns, self.dur_ns, strict=True)):
            columns = {"start_ns": start, "dur_ns": dur}
            columns |= {"slack_ns": self.slack_ns[trace]} if self.slack_ns else {}
            write_table(files[trace], columns, {}, synced=False)
        sync([folder, *files])
        hashes = [table.content_hash() for table in self.run.traces]
        meta = {"version": PREDICTION_VERSION, "content_hashes": hashes, "report": self.report}
        write_table(folder / "prediction.arrow", {}, meta)

    @classmethod
    def open(cls, folder: Path, run: Run) -> Prediction:
        """Map a saved prediction of `run`. Raises StoreError if it is of another run or version."""
        _, meta = open_table(folder / "prediction.arrow")
        version = meta["version"]
        if version != PREDICTION_VERSION:
            raise StoreError(f"is a prediction of version {version}, not {PREDICTION_VERSION}", file=folder.name)
        if meta["content_hashes"] != [table.content_hash() for table in run.traces]:
            raise StoreError("is a prediction of another run", file=folder.name, hint="Replay the run again.")
        columns: list[Any] = [open_table(folder / f"predicted-{trace}.arrow")[0] for trace in range(len(run.traces))]
        starts, durations = (tuple(part[name] for part in columns) for name in ("start_ns", "dur_ns"))
        slack = tuple(part["slack_ns"] for part in columns if "slack_ns" in part)
        return cls(run, starts, durations, meta["report"], slack)


def row_times(run: Run, times: Times) -> tuple[np.ndarray, np.ndarray]:
    """(start, end) of every row of the run on its clocks: i64, i64. The graph's are aligned.

    Nodes give their rows; derived rows hang on their anchors and give way within their lane; all else is as measured.
    """
    graph = times.graph
    start, end = measured_times(run)
    zero_ns = graph.zero_ns + from_graph_ns(run)
    is_node = graph.start_node >= 0
    start[is_node] = zero_ns[is_node] + times.node_ns[graph.start_node[is_node]]
    end[is_node] = zero_ns[is_node] + times.node_ns[graph.end_node[is_node]]
    anchors = graph.derived
    start[anchors.row] = zero_ns[anchors.row] + times.node_ns[anchors.start_node] + anchors.start_offset_ns
    end[anchors.row] = zero_ns[anchors.row] + times.node_ns[anchors.end_node] + anchors.end_offset_ns
    end[anchors.row] = np.maximum(start[anchors.row], end[anchors.row])
    derived = np.zeros(len(start), bool)
    derived[anchors.row] = True
    for table, base in zip(run.traces, run.row_base, strict=False):
        fit_lanes(table.lane_offsets + base, derived, start, end)
    return start, end


def from_graph_ns(run: Run) -> np.ndarray:
    """What to add to times of the graph, whose clocks are aligned, for those of the run: i64 per row."""
    return np.repeat(np.array(run.shift_ns, np.int64) - run.aligned().shift_ns, np.diff(run.row_base))


def slices(run: Run) -> np.ndarray:
    """Rows that a run's span counts: slices, the profiler's own window left out: bool."""
    return np.concatenate([np.zeros(0, bool), *(table.counts_in_span for table in run.traces)])


def per_trace(run: Run, column: np.ndarray) -> Sequence[np.ndarray]:
    """Cut a column over all rows of a run into one per trace."""
    return np.split(column, run.row_base[1:-1])
