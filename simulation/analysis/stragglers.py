"""Who keeps the others waiting, by rank and by step: the sums of `waiting` over the selected steps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis import waiting
from simulation.analysis.attendance import Attendance
from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups


def stragglers(met: Attendance, views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: how often it came last and first, how long it waited, and how long the others waited for it."""
    sums = waiting.by_trace(met.waits, len(met.run.traces))
    lines = []
    for view in views:
        own = {name: int(values[view.trace]) for name, values in sums.items()}
        lines.append({"rank": view.rank, **own, "communication_ns": _communication_ns(met, view.trace)})
    return {"ranks": lines, "steps": _by_step(met, views)}


def _communication_ns(met: Attendance, trace: int) -> int:
    """Of all events of a rank; one that meets several others counts once."""
    mine = np.flatnonzero(met.met.trace == trace)
    _, once = np.unique(met.row[mine], return_index=True)
    return int(met.dur_ns[mine[once]].sum())


def _by_step(met: Attendance, views: Sequence[RankView]) -> list[dict[str, Any]]:
    """In each step, the rank for which the others waited most."""
    causer, step = met.met.trace[met.last], met.step
    there = met.is_seen & np.isin(causer, [view.trace for view in views])
    by = Groups(step[there], causer[there])
    waited = by.sum(met.met.of_each(np.add, met.wait_ns)[there])
    found: dict[int, dict[str, Any]] = {}
    for number, trace, wait_ns in zip(by.keys[0].tolist(), by.keys[1].tolist(), waited.tolist(), strict=True):
        if wait_ns > found.get(number, {"caused_wait_ns": 0})["caused_wait_ns"]:
            rank = met.run.ranks[trace]
            found[number] = {"step": number if number >= 0 else None, "rank": rank, "caused_wait_ns": wait_ns}
    return list(found.values())
