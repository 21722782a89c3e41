"""Which kernels run at the same time, by their names: what hides behind what (TraceLens's kernel overlap)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups, Table

LEAST_NS = 1_000
"""A shorter overlap of two kernels is not counted, as in TraceLens."""


def kernel_overlaps_of(views: Sequence[RankView]) -> dict[str, Any]:
    """A line per pair of names that overlap on different streams for LEAST_NS or longer; most time first.

    Three kernels at once are three pairs, so that the sum may exceed the time itself.
    """
    parts = [_pairs(view) for view in views]
    columns = [np.concatenate([np.empty(0, np.int64), *(part[at] for part in parts)]) for at in range(5)]
    first, second, overlap_ns, trace, row = columns
    words = views[0].run.names if views else ()
    groups = Groups(np.minimum(first, second) * len(words) + np.maximum(first, second))
    one, other = np.divmod(groups.keys[0], max(len(words), 1))
    example = groups.order[groups.begin]
    table = Table({
        "name": [words[code] for code in one.tolist()],
        "other": [words[code] for code in other.tolist()],
        "count": groups.count,
        "overlap_ns": groups.sum(overlap_ns),
        "trace": trace[example],
        "row": row[example],
    })  # fmt: skip
    return {"least_ns": LEAST_NS, "pairs": table.by("overlap_ns").records()}


def _pairs(view: RankView) -> tuple[np.ndarray, ...]:
    """(name, name, overlap, trace, row of the later one) of each pair of one rank."""
    device = view.device
    first, second, overlap_ns = overlapping(device.start_ns, device.end_ns, device.stream, LEAST_NS)
    names, rows = view.names[device.rows], device.rows[second]
    return names[first], names[second], overlap_ns, np.full(len(rows), view.trace, np.int64), rows


def overlapping(
    start_ns: np.ndarray, end_ns: np.ndarray, stream: np.ndarray, least_ns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of intervals, by start, of different streams that overlap: (earlier, later, ns), i64 each.

    Costs intervals times how many are active at once, and the pairs.
    """
    count = int(_overlapping(start_ns, end_ns, stream, least_ns, np.empty((0, 3), np.int64)))
    pairs = np.empty((count, 3), np.int64)
    _overlapping(start_ns, end_ns, stream, least_ns, pairs)
    return pairs[:, 0], pairs[:, 1], pairs[:, 2]


@njit(cache=True, nogil=True)
def _overlapping(start: np.ndarray, end: np.ndarray, stream: np.ndarray, least: int, pairs: np.ndarray) -> int:
    """Count the pairs; write them where `pairs` has room."""
    active = np.empty(len(start), np.int64)
    open_, found = 0, 0
    for now in range(len(start)):
        kept = 0
        for at in range(open_):
            before = active[at]
            if end[before] <= start[now]:
                continue
            active[kept] = before
            kept += 1
            shared = min(end[before], end[now]) - start[now]
            if stream[before] != stream[now] and shared >= least:
                if found < len(pairs):
                    pairs[found, 0], pairs[found, 1], pairs[found, 2] = before, now, shared
                found += 1
        active[kept] = now
        open_ = kept + 1
    return found
