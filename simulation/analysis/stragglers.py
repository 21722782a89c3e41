"""Who keeps the others waiting: arrivals at collectives by rank and step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.attendance import Attendance
from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups


def stragglers(met: Attendance, views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: how often it came last and first, how long it waited, and how long the others waited for it."""
    chosen = {view.trace for view in views}
    caused = met.groups.sum(met.wait_ns)
    known = met.is_seen_whole
    last_trace, first_trace = met.trace[met.last], met.trace[met.groups.largest(-met.start_ns)]
    lines = []
    for view in views:
        mine = (met.trace == view.trace) & known[met.place]
        was_last = known & (last_trace == view.trace)
        lines.append({
            "rank": view.rank,
            "meetings": int(np.count_nonzero(mine)),
            "came_last": int(np.count_nonzero(was_last)),
            "came_first": int(np.count_nonzero(known & (first_trace == view.trace))),
            "wait_ns": int(met.wait_ns[mine].sum()),
            "caused_wait_ns": int(caused[was_last].sum()),
            "transfer_ns": int((met.dur_ns - met.wait_ns)[mine].sum()),
            "communication_ns": int(met.dur_ns[met.trace == view.trace].sum()),
        })  # fmt: skip
    return {"ranks": lines, "steps": _by_step(met, views, caused, chosen)}


def _by_step(met: Attendance, views: Sequence[RankView], caused: np.ndarray, chosen: set[int]) -> list[dict[str, Any]]:
    """In each step, the rank for which the others waited most."""
    last_trace, step = met.trace[met.last], met.step[met.last]
    there = met.is_seen_whole & np.isin(last_trace, list(chosen))
    by = Groups(step[there], last_trace[there])
    waited = by.sum(caused[there])
    ranks = views[0].run.ranks
    found: dict[int, dict[str, Any]] = {}
    for number, trace, wait_ns in zip(by.keys[0].tolist(), by.keys[1].tolist(), waited.tolist(), strict=True):
        if wait_ns > found.get(number, {"caused_wait_ns": 0})["caused_wait_ns"]:
            found[number] = {"step": number if number >= 0 else None, "rank": ranks[trace], "caused_wait_ns": wait_ns}
    return list(found.values())
