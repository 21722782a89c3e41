"""The derived files of a run: level of detail and launches per trace, layouts. Safe to delete and make again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from simulation.events import EventTable
from simulation.lod.index import LodIndex
from simulation.progress import Progress
from simulation.run import Run
from simulation.store import open_table, replacing, sync, write_table
from traceviewer.runs.layout import layout

LAYOUT, ALIGNED_LAYOUT = "layout.json", "layout-aligned.json"


def trace_folder(folder: Path, index: int) -> Path:
    return folder / f"trace-{index}"


def write_index(run: Run, folder: Path, progress: Progress) -> None:
    """Write the derived files of a run, at the times its tables hold, into its folder; the disk holds them then."""
    paths = list[Path]()
    for index, table in enumerate(run.traces):
        progress("indexing", index, len(run.traces))
        home = trace_folder(folder, index)
        LodIndex.build(table.start_ns, table.dur_ns, table.lane_offsets).save(home / "lod.arrow")
        _write_launches(table, home / "launches.arrow")
        paths += [home / "lod.arrow", home / "launches.arrow", home]
    layouts = {LAYOUT: run, ALIGNED_LAYOUT: run.aligned()} if run.has_clocks else {LAYOUT: run}
    for name, shown in layouts.items():
        _write_layout(shown, folder / name)
        paths.append(folder / name)
    sync([*paths, folder])
    progress("indexing", len(run.traces), len(run.traces))


def _write_layout(run: Run, path: Path) -> None:
    with replacing(path, synced=False) as beside:
        beside.write_text(json.dumps(layout(run)))


def _write_launches(table: EventTable, path: Path) -> None:
    """Device rows by the call that launched them, so that a click on a call finds them by binary search."""
    rows = np.flatnonzero(table.launch >= 0).astype(np.int32)
    order = np.argsort(table.launch[rows], kind="stable")
    write_table(path, {"call": table.launch[rows][order], "row": rows[order]}, {}, synced=False)


class Launches:
    """`launches[call]`: the rows that a call has launched."""

    def __init__(self, folder: Path) -> None:
        columns, _ = open_table(folder / "launches.arrow")
        self.call, self.row = np.asarray(columns["call"]), np.asarray(columns["row"])

    def __getitem__(self, call: int) -> list[int]:
        first, last = np.searchsorted(self.call, np.array([call, call + 1], self.call.dtype))  # one dtype: no copy
        found: list[int] = self.row[first:last].tolist()
        return found
