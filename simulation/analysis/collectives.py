"""Collectives by group, kind and size: latency, wait, algorithm and bus bandwidth; and who kept the others waiting.

Latency is the least duration over the ranks, as TraceLens has it: the last to come waits for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.attendance import Attendance, attendance, label
from simulation.analysis.selection import RankView
from simulation.analysis.stragglers import stragglers
from simulation.analysis.tables import Groups, Table

WORST = 50


def collectives_of(views: Sequence[RankView]) -> dict[str, Any]:
    """By group, kind and size: latency, bandwidth and wait. Then the meetings with most waiting, and who came last."""
    met = attendance(views)
    clocks = [clock for clock in views[0].run.clocks if clock]
    return {
        "clock": "aligned" if clocks else "recorded",
        "clock_uncertainty_ns": max((clock.uncertainty_ns for clock in clocks), default=None),
        "collectives": _table(met, views),
        "worst": _worst(met, views),
        "stragglers": stragglers(met, views),
    }


def bus_factor(kind: str, ranks: int) -> float | None:
    """Bus over algorithm bandwidth (nccl-tests, PERFORMANCE.md); None where it is not defined."""
    if ranks < 2:
        return None
    factors = {"allreduce": 2.0, "allgather": 1.0, "reducescatter": 1.0, "alltoall": 1.0}
    return factors[kind] * (ranks - 1) / ranks if kind in factors else None


def _table(met: Attendance, views: Sequence[RankView]) -> list[dict[str, Any]]:
    groups, chosen = met.groups, np.isin(met.trace, [view.trace for view in views])
    key, size, ranks = groups.max(met.key), groups.max(met.size_bytes), groups.max(met.group_size)
    latency = groups.min(met.dur_ns)
    wait = groups.sum(np.where(chosen, met.wait_ns, 0))
    total = groups.sum(np.where(chosen, met.dur_ns, 0))
    titles = [(label(found), found.kind) for found in met.keys]
    codes = {title: code for code, title in enumerate(dict.fromkeys(titles))}
    title = np.array([codes[title] for title in titles], np.int64)[key]
    kinds, named = Groups(title, size, ranks), list(codes)
    known = (size >= 0) & (latency > 0)
    rate = np.where(known, size / np.maximum(latency, 1), np.nan)
    algo = kinds.sum(rate) / kinds.count
    longest = met.last[kinds.largest(latency)]
    seen = kinds.max(groups.count)
    factors = [
        bus_factor(named[at][1], int(told) if told > 0 else int(there))
        for at, told, there in zip(kinds.keys[0].tolist(), kinds.keys[2].tolist(), seen.tolist(), strict=True)
    ]
    table = Table({
        "group": [named[at][0] for at in kinds.keys[0].tolist()],
        "kind": [named[at][1] for at in kinds.keys[0].tolist()],
        "size_bytes": [None if value < 0 else value for value in kinds.keys[1].tolist()],
        "group_size": [None if value < 0 else value for value in kinds.keys[2].tolist()],
        "ranks_seen": seen,
        "count": kinds.count,
        "latency_ns": kinds.sum(latency) / kinds.count,
        "latency_min_ns": kinds.min(latency),
        "latency_max_ns": kinds.max(latency),
        "algorithm_gb_per_s": algo,
        "bus_gb_per_s": np.array([np.nan if f is None else f for f in factors], np.float64) * algo,
        "total_ns": kinds.sum(total),
        "wait_ns": kinds.sum(wait),
        "trace": met.trace[longest],
        "row": met.row[longest],
    })  # fmt: skip
    return table.by("total_ns").records()


def _worst(met: Attendance, views: Sequence[RankView]) -> list[dict[str, Any]]:
    """The meetings in which most time was waited."""
    run, wait = views[0].run, met.groups.sum(met.wait_ns)
    ends = met.groups.max(met.start_ns + met.dur_ns)
    first_end = met.groups.min(met.start_ns + met.dur_ns)
    first = met.groups.min(met.start_ns)
    found = []
    for at in np.argsort(-wait, kind="stable")[:WORST].tolist():
        if not wait[at]:
            break
        last = int(met.last[at])
        key = met.keys[int(met.key[last])]
        found.append({
            "group": label(key),
            "kind": key.kind,
            "step": int(met.step[last]) if met.step[last] >= 0 else None,
            "ranks_seen": int(met.groups.count[at]),
            "last_rank": run.ranks[int(met.trace[last])],
            "wait_ns": int(wait[at]),
            "skew_start_ns": int(met.last_ns[at] - first[at]),
            "skew_end_ns": int(ends[at] - first_end[at]),
            "transfer_ns": max(int(first_end[at] - met.last_ns[at]), 0),
            "trace": int(met.trace[last]),
            "row": int(met.row[last]),
        })  # fmt: skip
    return found
