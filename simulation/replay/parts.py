"""Where a step's time goes on each rank, measured and predicted: compute, communication, both, neither.

A step is its mark's window on the host; what a full queue leaves to the device after it counts for the next. Work that
reaches over the edge of a window counts for as much as lies inside. One sweep, `simulation.analysis.breakdown`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.analysis.breakdown import Breakdown, Work, breakdowns
from simulation.analysis.steps import step_rows
from simulation.replay.causes import COMMUNICATION, COPY, Rows

Spans = tuple[np.ndarray, np.ndarray]
"""(start, end) of every row of a run: i64, i64."""


def step_parts(rows: Rows, measured: Spans, predicted: Spans) -> list[dict[str, Any]]:
    """For each rank: its device's span ("step": null), then each of its steps. Parts add up to the total, in ns."""
    found = []
    for trace, (table, rank) in enumerate(zip(rows.run.traces, rows.run.ranks, strict=True)):
        base = int(rows.run.row_base[trace])
        device = base + np.flatnonzero(table.is_device)
        if not len(device):
            continue
        steps = base + step_rows(table)
        names = [None, *(table.name_of(row - base) for row in steps.tolist())]
        kind = rows.work(device)
        work = np.select([kind == COPY, kind == COMMUNICATION], [Work.COPY, Work.COMMUNICATION], Work.COMPUTE)
        each = [_parts(spans, device, work, steps) for spans in (measured, predicted)]
        for name, before, after in zip(names, *each, strict=True):
            found.append({"rank": rank, "step": name, "measured": before, "predicted": after})
    return found


def _parts(spans: Spans, device: np.ndarray, work: np.ndarray, steps: np.ndarray) -> list[dict[str, int]]:
    """Parts of the device's whole span, then of each step's window."""
    start, end = spans[0][device], spans[1][device]
    whole = np.array([[start.min(), end.max()]])
    windows = np.stack([spans[0][steps], spans[1][steps]], axis=1)
    event, window = _meeting(start, end, windows)
    of_steps = breakdowns(start[event], end[event], work[event], window, windows) if len(steps) else []
    of_whole = breakdowns(start, end, work, np.zeros(len(device), np.int64), whole)
    return [_figures(parts) for parts in (*of_whole, *of_steps)]


def _meeting(start: np.ndarray, end: np.ndarray, windows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(event, window) of all pairs that have time in common: i64, i64. Windows may overlap."""
    events, found = np.arange(len(start)), []
    for number, (begin, until) in enumerate(windows.tolist()):
        inside = events[(start < until) & (end > begin)]
        found.append((inside, np.full(len(inside), number)))
    if not found:
        return events[:0], events[:0]
    return np.concatenate([pair[0] for pair in found]), np.concatenate([pair[1] for pair in found])


def _figures(parts: Breakdown) -> dict[str, int]:
    return {
        "total_ns": parts.window_ns,
        "exposed_compute_ns": parts.exposed_compute_ns,
        "exposed_communication_ns": parts.exposed_communication_ns,
        "overlapped_ns": parts.overlapped_ns,
        "other_ns": parts.copying_ns + parts.idle_ns,
    }
