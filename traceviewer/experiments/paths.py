"""Critical paths of a replay as segments: written by its job, read page by page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulation.store import open_table, write_table
from traceviewer.engine.opened import OPENED, Files

if TYPE_CHECKING:
    from simulation.graph import TaskGraph
    from simulation.run import Run

MODES = ("measured", "replayed")
ORDERS = ("time", "length")
PAGE_SEGMENTS = 2_000


def save(run: Run, graph: TaskGraph, replayed: TaskGraph, folder: Path) -> None:
    """Write the run's critical path on measured times, and on those that the model gives without residuals.

    `replayed`: the graph of the execution that the model gives, which is another where the order changed.
    """
    from simulation.replay import critical_path, last_node, replay
    from simulation.replay.causes import CAUSES, Rows
    from simulation.replay.path import path_causes, segments

    for mode, executed in zip(MODES, (graph, replayed), strict=True):
        rows = Rows(run, executed)
        times = replay(executed, residuals=mode == "measured")
        path = critical_path(times, last_node(times))
        columns = segments(path, path_causes(path, rows))
        row = columns["row"]
        columns["row"] = np.where(row >= 0, row - run.row_base[columns["trace"]], -1)
        write_table(folder / file_name(mode), columns, {"causes": CAUSES, "length_ns": path.length_ns})


def page(files: Files, mode: str, offset: int, order: str = ORDERS[0]) -> dict[str, Any] | None:
    """PAGE_SEGMENTS of the path from `offset` on, first to last or longest first; None where it was stored without."""
    opened = OPENED.get(files)
    path = opened.folder / file_name(mode)
    if not path.exists():
        return None
    columns, meta = open_table(path)
    rows: Any = slice(offset, offset + PAGE_SEGMENTS)
    if order == "length":
        rows = np.argsort(columns["begin_ns"] - columns["end_ns"], kind="stable")[rows]
    cut = {name: np.asarray(column)[rows].tolist() for name, column in columns.items()}
    found = [
        {
            "trace": None if trace < 0 else trace,
            "rank": None if trace < 0 else opened.run.ranks[trace],
            "row": None if row < 0 else row,
            "name": opened.run.traces[trace].name_of(row) if row >= 0 else "",
            "cause": meta["causes"][cause],
            "begin_ns": begin,
            "end_ns": end,
        }
        for trace, row, cause, begin, end in zip(
            *(cut[name] for name in ("trace", "row", "cause", "begin_ns", "end_ns")), strict=True
        )
    ]
    total = len(columns["row"])
    after = offset + PAGE_SEGMENTS
    following = after if after < total else None
    return {"mode": mode, "length_ns": meta["length_ns"], "total": total, "next": following, "segments": found}


def file_name(mode: str) -> str:
    return f"path-{mode}.arrow"
