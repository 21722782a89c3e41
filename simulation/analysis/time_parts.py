"""The breakdown of each rank and step, and of each step by the TensorBoard plugin's priorities."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any

import numpy as np

from simulation.analysis.breakdown import COMMUNICATION, COMPUTE, Breakdown, Work, breakdowns, mixes_ns, spans_ns
from simulation.analysis.intervals import union_ns
from simulation.analysis.selection import OPS, RankView
from simulation.analysis.tables import share
from simulation.events import Kind

DATA_LOADER = "DataLoader"


class Priority(IntEnum):
    """Kinds of activity in a step; each counts only where nothing before it is active (TensorBoard plugin)."""

    KERNEL = 0
    MEMCPY = 1
    MEMSET = 2
    COMMUNICATION = 3
    RUNTIME = 4
    DATA_LOADER = 5
    HOST = 6


_OF_WORK = np.zeros(len(Work), np.int64)
_OF_WORK[[Work.COMPUTE, Work.COMMUNICATION, Work.COPY, Work.SET]] = [
    Priority.KERNEL, Priority.COMMUNICATION, Priority.MEMCPY, Priority.MEMSET,
]  # fmt: skip


def breakdown_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: all of its device's time, and each step's (device work launched in the step)."""
    return {"ranks": [_rank(view) for view in views]}


def whole(view: RankView) -> Breakdown:
    """From a rank's first device event to its last."""
    device = view.device
    group = np.zeros(len(device), np.int64)
    window = spans_ns(device.start_ns, device.end_ns, group, 1)
    return breakdowns(device.start_ns, device.end_ns, device.work, group, window)[0]


def by_step(view: RankView) -> list[Breakdown]:
    """Of each selected step: from its first device event to its last, wherever its host part is."""
    device, group = view.device, step_places(view)
    window = spans_ns(device.start_ns, device.end_ns, group, len(view.steps))
    return breakdowns(device.start_ns, device.end_ns, device.work, group, window)


def step_places(view: RankView) -> np.ndarray:
    """Place among the selected steps of each device event's step, -1 none: i64."""
    place = np.full(len(view.step_numbers) + 1, -1, np.int64)
    place[view.steps] = np.arange(len(view.steps))
    return np.asarray(place[view.device.step])


def step_time_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank and step mark: the time of each kind of activity, by priority; parts add up to the step."""
    return {"ranks": [{"rank": view.rank, "steps": _activities(view)} for view in views]}


def _rank(view: RankView) -> dict[str, Any]:
    device = view.device
    found = whole(view)
    windows = spans_ns(device.start_ns, device.end_ns, step_places(view), len(view.steps)) + view.shift_ns
    unlinked = device.at(device.launch < 0)
    numbers = view.step_numbers[view.steps].tolist()
    return {
        "rank": view.rank,
        "events": len(device),
        "unlinked": len(unlinked),
        "unlinked_ns": union_ns(unlinked.start_ns, unlinked.end_ns),
        "begin_ns": int(device.start_ns.min()) + view.shift_ns if len(device) else 0,
        **_figures(found),
        "mixes": found.mixes(),
        "steps": [
            {"step": number, "name": view.step_name(line), "begin_ns": begin, **_figures(part)}
            for number, line, begin, part in zip(
                numbers, view.steps.tolist(), windows[:, 0].tolist(), by_step(view), strict=True
            )
        ],
    }


def _figures(found: Breakdown) -> dict[str, Any]:
    communication = found.communication_ns
    overlapped = share(found.overlapped_ns, communication) if communication else None
    timeline = {  # TraceLens's gpu_timeline: memory sets are computation
        "computation_ns": found.where(COMPUTE | 1 << Work.SET),
        "exposed_comm_ns": found.where(COMMUNICATION, COMPUTE | 1 << Work.SET),
        "exposed_memcpy_ns": found.where(1 << Work.COPY, COMPUTE | 1 << Work.SET | COMMUNICATION),
        "total_memcpy_ns": found.where(1 << Work.COPY),
    }
    return {**found.figures(), "overlapped_percent": overlapped, "timeline": timeline}


def _activities(view: RankView) -> list[dict[str, Any]]:
    starts, ends, kinds = _activity_intervals(view)
    steps = []
    for line, (begin, end) in zip(view.steps.tolist(), view.step_windows_ns.tolist(), strict=True):
        inside = (starts < end) & (ends > begin)
        start, stop = np.maximum(starts[inside], begin), np.minimum(ends[inside], end)
        mixes = mixes_ns(start, stop, kinds[inside], len(Priority))[0]
        parts = dict.fromkeys((kind.name.lower() + "_ns" for kind in Priority), 0)
        for mask in np.flatnonzero(mixes[1:]) + 1:
            parts[Priority((int(mask) & -int(mask)).bit_length() - 1).name.lower() + "_ns"] += int(mixes[mask])
        number = int(view.step_numbers[line])
        parts["other_ns"] = end - begin - sum(parts.values())
        steps.append({"step": number, "name": view.step_name(line), "dur_ns": end - begin, **parts})
    return steps


def _activity_intervals(view: RankView) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(start, end, Priority) of all activity: outermost operators stand for what is in them."""
    table = view.table
    loads = np.array([DATA_LOADER in name for name in table.names] or [False])[table.name]
    slices = table.kind == Kind.SLICE
    loads = loads & slices & table.category_mask(OPS | {"user_annotation"})
    outer = view.is_op & (view.op_above < 0) & ~loads
    work = np.flatnonzero(table.is_device)
    kinds = _OF_WORK[view.work[work]]
    parts = [(np.flatnonzero(mask), kind) for mask, kind in (
        (view.is_call, Priority.RUNTIME), (loads, Priority.DATA_LOADER), (outer, Priority.HOST),
    )]  # fmt: skip
    rows = np.concatenate([work, *(found for found, _ in parts)])
    kinds = np.concatenate([kinds, *(np.full(len(found), kind, np.int64) for found, kind in parts)])
    return table.start_ns[rows], table.end_ns[rows], kinds
