"""Where time goes: what of a window is covered by which classes of intervals. Every breakdown is one sweep, here.

`mixes_ns(start_ns, end_ns, class_, classes)` takes arrays of any intervals, measured or replayed, and gives for each
set of classes the time in which exactly that set is active; all shares are sums of those, and so add up to the ns.
`breakdowns(start_ns, end_ns, class_, group, window_ns)` makes of it the parts of a device's time, per group (step).

Definitions: docs/analysis.md, "Breakdown". Exclusive times per combination are HTA's `get_gpu_kernel_breakdown`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numba import njit


class Work(IntEnum):
    """What occupies a device; the number of its bit in a mix."""

    COMPUTE = 0
    COMMUNICATION = 1
    COPY = 2  # memcpy
    SET = 3  # memset


COMPUTE, COMMUNICATION, COPY, SET = (1 << work for work in Work)
MIXES = 1 << len(Work)


@dataclass(frozen=True)
class Breakdown:
    """One window of a device: `mix_ns[mask]` is the time in which exactly the kinds of work in `mask` are active.

    `exposed_compute + exposed_communication + overlapped + copying + idle == window`, to the ns.
    """

    window_ns: int
    mix_ns: np.ndarray  # i64 (MIXES,); [0] is idle

    def where(self, active: int = 0, not_active: int = 0) -> int:
        """Time in which something of `active` runs and nothing of `not_active`; masks of work. 0: anything at all."""
        mask = np.arange(MIXES)
        chosen = ((mask & (active or MIXES - 1)) != 0) & ((mask & not_active) == 0)
        return int(self.mix_ns[chosen].sum())

    @property
    def busy_ns(self) -> int:
        return self.where()

    @property
    def idle_ns(self) -> int:
        return int(self.mix_ns[0])

    @property
    def compute_ns(self) -> int:
        return self.where(COMPUTE)

    @property
    def communication_ns(self) -> int:
        return self.where(COMMUNICATION)

    @property
    def exposed_compute_ns(self) -> int:
        return self.where(COMPUTE, COMMUNICATION)

    @property
    def exposed_communication_ns(self) -> int:
        return self.where(COMMUNICATION, COMPUTE)

    @property
    def overlapped_ns(self) -> int:
        """Compute and communication at once."""
        return self.compute_ns - self.exposed_compute_ns

    @property
    def copying_ns(self) -> int:
        """Copies and memory sets with neither compute nor communication beside them."""
        return self.where(COPY | SET, COMPUTE | COMMUNICATION)

    def figures(self) -> dict[str, int]:
        """The parts, and the sums that are asked for most; ns."""
        return {
            "window_ns": self.window_ns,
            "exposed_compute_ns": self.exposed_compute_ns,
            "overlapped_ns": self.overlapped_ns,
            "exposed_communication_ns": self.exposed_communication_ns,
            "copying_ns": self.copying_ns,
            "idle_ns": self.idle_ns,
            "busy_ns": self.busy_ns,
            "compute_ns": self.compute_ns,
            "communication_ns": self.communication_ns,
            "copy_ns": self.where(COPY | SET),
        }

    def mixes(self) -> dict[str, int]:
        """The time of each combination that occurs, by name: "compute + copy"."""
        return {mix_name(mask): int(ns) for mask, ns in enumerate(self.mix_ns.tolist()) if ns}


def mix_name(mask: int) -> str:
    return " + ".join(work.name.lower() for work in Work if mask >> work & 1) or "idle"


def breakdowns(
    start_ns: np.ndarray, end_ns: np.ndarray, class_: np.ndarray, group: np.ndarray, window_ns: np.ndarray
) -> list[Breakdown]:
    """The breakdown of each group's window. Costs a sort of the intervals.

    start_ns, end_ns i64 (n,), class_ (n,) of Work, group (n,) from 0 on (-1: of none), window_ns i64 (groups, 2):
    begin and end of each. What of an interval lies outside its group's window does not count.
    """
    mine = group >= 0
    group = group[mine]
    begin, end = window_ns[group, 0], window_ns[group, 1]
    start, stop = (np.clip(times[mine], begin, end) for times in (start_ns, end_ns))
    mix_ns = mixes_ns(start, stop, class_[mine], len(Work), group, len(window_ns))
    mix_ns[:, 0] = (window_ns[:, 1] - window_ns[:, 0]) - mix_ns[:, 1:].sum(axis=1)
    return [Breakdown(int(last - first), mix) for (first, last), mix in zip(window_ns.tolist(), mix_ns, strict=True)]


def mixes_ns(
    start_ns: np.ndarray,
    end_ns: np.ndarray,
    class_: np.ndarray,
    classes: int,
    group: np.ndarray | None = None,
    groups: int = 1,
) -> np.ndarray:
    """Time in which exactly a set of classes is active, for each set: i64 (groups, 2 ** classes).

    start_ns, end_ns i64 (n,), end >= start; class_ (n,), 0 .. classes - 1; group (n,), 0 .. groups - 1. Set 0 holds
    the gaps between a group's first start and last end.
    """
    at = np.concatenate([start_ns, end_ns])
    order = np.argsort(at, kind="stable")  # nearly sorted runs: cheap
    place = np.zeros(len(start_ns), np.int64) if group is None else group.astype(np.int64)
    if groups > 1:
        order = order[np.argsort(np.concatenate([place, place])[order], kind="stable")]
    return _mixes(order, at, np.ascontiguousarray(class_, np.int64), classes, place, groups)


@njit(cache=True, nogil=True)
def _mixes(
    order: np.ndarray, at: np.ndarray, class_: np.ndarray, classes: int, group: np.ndarray, groups: int
) -> np.ndarray:
    """`order` has the 2n bounds by group and time; bound i is the start of interval i, bound n + i its end."""
    mixes = np.zeros((groups, 1 << classes), np.int64)
    active = np.zeros(classes, np.int64)
    count, mask, last, current = len(class_), 0, 0, -1
    for bound in order:
        opens = bound < count
        interval = bound if opens else bound - count
        if group[interval] != current:
            current = group[interval]
        else:
            mixes[current, mask] += at[bound] - last
        last = at[bound]
        # An end may be met before its start where both are at the same time: counts pass through -1 and come back.
        active[class_[interval]] += 1 if opens else -1
        if active[class_[interval]] > 0:
            mask |= 1 << class_[interval]
        else:
            mask &= ~(1 << class_[interval])
    return mixes


def spans_ns(start_ns: np.ndarray, end_ns: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """First start and last end of each group: i64 (groups, 2); 0, 0 where it has nothing. Group -1 is of none."""
    mine = group >= 0
    first = np.full(groups, np.iinfo(np.int64).max)
    last = np.full(groups, np.iinfo(np.int64).min)
    np.minimum.at(first, group[mine], start_ns[mine])
    np.maximum.at(last, group[mine], end_ns[mine])
    empty = first > last
    return np.stack([np.where(empty, 0, first), np.where(empty, 0, last)], axis=1)
