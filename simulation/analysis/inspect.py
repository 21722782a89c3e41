"""What a run holds, in figures: the answer of `traceviewer inspect --json`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from simulation.analysis.intervals import span_ns, union_ns
from simulation.analysis.steps import steps_of
from simulation.events import EventTable
from simulation.run import Run


def inspect_run(run: Run) -> dict[str, Any]:
    """Figures of the whole run and of each rank. Costs a sort of the device events."""
    ranked = list(zip(run.ranks, run.traces, strict=True))
    return {
        "format": run.traces[0].info.format,
        "events": sum(trace.info.events for trace in run.traces),
        "rows": int(run.row_base[-1]),
        "ranks": [
            {
                "rank": rank,
                "world_size": trace.info.world_size,
                "base_ns": trace.info.base_ns,
                "events": trace.info.events,
                "file": trace.info.file_name,
                "clock": clock and asdict(clock),
            }
            for (rank, trace), clock in zip(ranked, run.clocks, strict=True)
        ],
        "groups": [asdict(group) for group in run.groups],
        "placed": run.placed,
        "paired": [{"rank": rank, **trace.info.metadata["paired"]} for rank, trace in ranked if trace.paired],
        "dependencies": sum(len(trace.dependencies) for trace in run.traces if trace.dependencies),
        "origin_ns": run.origin_ns,
        "span_ns": run_span_ns(run),
        "steps": [
            {"rank": step.rank, "name": step.name, "start_ns": step.start_ns, "dur_ns": step.dur_ns}
            for step in steps_of(run)
        ],
        "gpu": [{"rank": rank, **device_figures(trace)} for rank, trace in ranked],
        "quality": [{"code": found.code, "count": found.count, "message": found.message} for found in run.quality],
    }


def run_span_ns(run: Run) -> int:
    """First start to last end over the slices of all ranks, the profiler's window markers left out."""
    starts, ends = [], []
    for trace, shift in zip(run.traces, run.shift_ns, strict=True):
        rows = trace.counts_in_span
        if rows.any():
            starts.append(int(trace.start_ns[rows].min()) + shift)
            ends.append(int(trace.end_ns[rows].max()) + shift)
    return max(ends) - min(starts) if starts else 0


def device_figures(trace: EventTable) -> dict[str, int]:
    """Of all work on the device, linked to a launch or not: how much, how long busy, first start to last end."""
    work = trace.is_device
    start, end = trace.start_ns[work], trace.end_ns[work]
    return {
        "events": int(np.count_nonzero(work)),
        "kernels": int(np.count_nonzero(trace.category_mask(frozenset({"kernel"})) & work)),
        "busy_ns": union_ns(start, end),
        "span_ns": span_ns(start, end),
    }
