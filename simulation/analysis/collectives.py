"""Collectives by group, kind and size: latency, wait, algorithm and bus bandwidth; and who kept the others waiting.

Latency is the least duration over the ranks, as TraceLens has it: the last to come waits for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.attendance import Attendance, attendance
from simulation.analysis.selection import RankView
from simulation.analysis.stragglers import stragglers
from simulation.analysis.tables import Groups, Table

WORST = 50


def collectives_of(views: Sequence[RankView]) -> dict[str, Any]:
    """By group, kind and size: latency, bandwidth and wait. Then the meetings with most waiting, and who came last."""
    found = attendance(views)
    clocks = [clock for clock in views[0].run.clocks if clock]
    return {
        "clock": "aligned" if clocks else "recorded",
        "clock_uncertainty_ns": max((clock.uncertainty_ns for clock in clocks), default=None),
        "collectives": _table(found, views),
        "worst": _worst(found),
        "stragglers": stragglers(found, views),
    }


def bus_factor(kind: str, ranks: int) -> float | None:
    """Bus over algorithm bandwidth (nccl-tests, PERFORMANCE.md); None where it is not defined."""
    if ranks < 2:
        return None
    factors = {"allreduce": 2.0, "allgather": 1.0, "reducescatter": 1.0, "alltoall": 1.0}
    return factors[kind] * (ranks - 1) / ranks if kind in factors else None


def _table(found: Attendance, views: Sequence[RankView]) -> list[dict[str, Any]]:
    met, chosen = found.met, found.of_ranks(views)
    latency = met.of_each(np.minimum, found.dur_ns)
    wait = met.of_each(np.add, np.where(chosen, found.wait_ns, 0))
    total = met.of_each(np.add, np.where(chosen, found.dur_ns, 0))
    titles = [(key.among, key.kind) for key in met.keys]
    codes = {title: code for code, title in enumerate(dict.fromkeys(titles))}
    title = np.array([codes[title] for title in titles], np.int64)[met.key]
    kinds, named = Groups(title, met.size_bytes, found.group_size), list(codes)
    known = (met.size_bytes >= 0) & (latency > 0)
    algo = kinds.sum(np.where(known, met.size_bytes / np.maximum(latency, 1), np.nan)) / kinds.count
    longest = found.last[kinds.largest(latency)]
    seen = kinds.max(met.counts)
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
        "row": found.row[longest],
    })  # fmt: skip
    return table.by("total_ns").records()


def _worst(found: Attendance) -> list[dict[str, Any]]:
    """The meetings in which most time was waited."""
    met, wait = found.met, found.met.of_each(np.add, found.wait_ns)
    end_ns = found.start_ns + found.dur_ns
    first_ns, first_end_ns = met.of_each(np.minimum, found.start_ns), met.of_each(np.minimum, end_ns)
    last_ns, last_end_ns = found.start_ns[found.last], met.of_each(np.maximum, end_ns)
    order = np.argsort(-wait, kind="stable")[:WORST]
    return [
        {
            "group": met.keys[met.key[at]].among,
            "kind": met.keys[met.key[at]].kind,
            "step": int(found.step[at]) if found.step[at] >= 0 else None,
            "ranks_seen": int(met.counts[at]),
            "last_rank": found.run.ranks[met.trace[found.last[at]]],
            "wait_ns": int(wait[at]),
            "skew_start_ns": int(last_ns[at] - first_ns[at]),
            "skew_end_ns": int(last_end_ns[at] - first_end_ns[at]),
            "transfer_ns": max(int(first_end_ns[at] - last_ns[at]), 0),
            "trace": int(met.trace[found.last[at]]),
            "row": int(found.row[found.last[at]]),
        }
        for at in order[wait[order] > 0].tolist()
    ]
