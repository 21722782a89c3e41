"""Which kernels run at the same time, by their names: what hides behind what (TraceLens's kernel overlap)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit, types
from numba.typed import Dict

from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups, Table

LEAST_NS = 1_000
"""A shorter overlap of two kernels is not counted, as in TraceLens."""


def kernel_overlaps_of(views: Sequence[RankView]) -> dict[str, Any]:
    """A line per pair of names that overlap on different streams for LEAST_NS or longer; most time first.

    Three kernels at once are three pairs, so that the sum may exceed the time itself.
    """
    words = views[0].run.names if views else ()
    parts = [_pairs(view, len(words)) for view in views]
    columns = zip(*parts, strict=True)
    pair, count, overlap_ns, trace, row = (np.concatenate(part) for part in columns)
    groups = Groups(pair)
    one, other = np.divmod(groups.keys[0], max(len(words), 1))
    longest = groups.largest(overlap_ns)
    table = Table({
        "name": [words[code] for code in one.tolist()],
        "other": [words[code] for code in other.tolist()],
        "count": groups.sum(count),
        "overlap_ns": groups.sum(overlap_ns),
        "trace": trace[longest],
        "row": row[longest],
    })  # fmt: skip
    return {"least_ns": LEAST_NS, "pairs": table.by("overlap_ns").records()}


def _pairs(view: RankView, names: int) -> tuple[np.ndarray, ...]:
    """(pair of names as a number, count, overlap, trace, row of an example) of one rank."""
    device = view.device
    name = view.names[device.rows]
    pair, count, overlap_ns, example = overlapping(device.start_ns, device.end_ns, device.stream, name, names, LEAST_NS)
    return pair, count, overlap_ns, np.full(len(pair), view.trace, np.int64), device.rows[example]


def overlapping(
    start_ns: np.ndarray, end_ns: np.ndarray, stream: np.ndarray, name: np.ndarray, names: int, least_ns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of names whose intervals, given by start, overlap on different streams for `least_ns` or longer.

    (lower name * names + higher name, how often, ns in all, a later interval of such a pair), i64 each. Costs intervals
    times how many are active at once.
    """
    return tuple(_overlapping(start_ns, end_ns, stream, name, names, least_ns))  # type: ignore[return-value]


@njit(cache=True, nogil=True)
def _overlapping(
    start: np.ndarray, end: np.ndarray, stream: np.ndarray, name: np.ndarray, names: int, least: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    slots = Dict.empty(types.int64, types.int64)
    found = np.zeros((16, 4), np.int64)
    active = np.empty(len(start), np.int64)
    open_ = 0
    for now in range(len(start)):
        kept = 0
        for at in range(open_):
            before = active[at]
            if end[before] <= start[now]:
                continue
            active[kept] = before
            kept += 1
            shared = min(end[before], end[now]) - start[now]
            if stream[before] == stream[now] or shared < least:
                continue
            pair = min(name[before], name[now]) * names + max(name[before], name[now])
            if pair not in slots:
                slots[pair] = len(slots)
                if len(slots) > len(found):
                    found = np.concatenate((found, np.zeros_like(found)))
                found[slots[pair], 0], found[slots[pair], 3] = pair, now
            slot = slots[pair]
            found[slot, 1] += 1
            found[slot, 2] += shared
        active[kept] = now
        open_ = kept + 1
    known = found[: len(slots)]
    return known[:, 0].copy(), known[:, 1].copy(), known[:, 2].copy(), known[:, 3].copy()
