"""Launches: how long work waits between its call and its start, and what that says about who holds up whom.

TKLQT (total kernel launch and queueing time) is that of SKIP (arXiv 2504.11750): the sum over kernels of the time from
the launch call's start to the kernel's start. Launch statistics are HTA's `get_cuda_kernel_launch_stats`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.idle import causes, gaps
from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups, Table, share

SLOW_CALL_NS = 50_000
"""A launch call that takes longer is an outlier (HTA's runtime_cutoff)."""

LATE_NS = 100_000
"""Work that starts later than this after its call ended is an outlier (HTA's launch_delay_cutoff)."""


def launches_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: the verdict, TKLQT of all and of each step, and a line per launching call's name."""
    return {"slow_call_ns": SLOW_CALL_NS, "late_ns": LATE_NS, "ranks": [_rank(view) for view in views]}


class Launches:
    """The linked device work of a rank by start, with the calls that launched it; i64 columns."""

    def __init__(self, view: RankView) -> None:
        device = view.device
        linked = device.launch >= 0
        self.work = device.at(linked)
        call = self.work.launch
        self.call_start_ns, self.call_dur_ns = view.table.start_ns[call], view.table.dur_ns[call]
        self.wait_ns = self.work.start_ns - self.call_start_ns
        self.delay_ns = np.maximum(self.wait_ns - self.call_dur_ns, 0)
        _, since_ns = gaps(device, device.stream)
        first = np.zeros(len(device), np.bool_)
        first[np.unique(device.stream, return_index=True)[1]] = True
        # The stream had nothing to do when the call came, so that the wait is the launch itself and no queueing.
        self.onto_idle = (since_ns[linked] <= self.call_start_ns) | first[linked]


def _rank(view: RankView) -> dict[str, Any]:
    found = Launches(view)
    everything = np.ones(len(found.work), np.bool_)
    steps = [
        {"step": int(view.step_numbers[line]), **_queueing(found, found.work.step == line)}
        for line in view.steps.tolist()
    ]
    return {
        "rank": view.rank,
        **_queueing(found, everything),
        "verdict": verdict(view, found),
        "calls": _calls(view, found),
        "steps": steps,
    }


def _queueing(found: Launches, chosen: np.ndarray) -> dict[str, Any]:
    count, wait_ns = int(np.count_nonzero(chosen)), int(found.wait_ns[chosen].sum())
    return {
        "launched": count,
        "tklqt_ns": wait_ns,
        "tklqt_per_kernel_ns": wait_ns / count if count else None,
        "onto_idle_percent": share(np.count_nonzero(found.onto_idle[chosen]), count) if count else None,
    }


def verdict(view: RankView, found: Launches) -> dict[str, Any] | None:
    """Who holds up whom: "CPU-bound" where more launches find their stream idle than busy, else "GPU-bound".

    On an idle stream a kernel's wait is the bare cost of a launch, which more work per kernel would not change; on a
    busy one it is queueing. None without linked work.
    """
    if not len(found.work):
        return None
    gap_ns, since_ns = gaps(view.device, np.zeros(len(view.device), np.int64))
    late_ns = int(gap_ns[causes(view, gap_ns, since_ns) == 0].sum())
    span_ns = int(view.device.end_ns.max() - view.device.start_ns.min())
    idle = share(int(np.count_nonzero(found.onto_idle)), len(found.work))
    bound = "CPU-bound" if idle > 50 else "GPU-bound"
    waited = share(late_ns, span_ns)
    per_kernel_us = found.wait_ns.mean() / 1000
    per_kernel = f"{per_kernel_us / 1000:.3g} ms" if per_kernel_us >= 1000 else f"{per_kernel_us:.0f} us"
    return {
        "bound": bound,
        "onto_idle_percent": idle,
        "host_wait_percent": waited,
        "reason": (
            f"{idle:.0f} % of launches find their stream idle; a kernel starts {per_kernel} after its call "
            f"on average; the device waits for the host {waited:.1f} % of its time"
        ),
    }


def _calls(view: RankView, found: Launches) -> list[dict[str, Any]]:
    dur_ns = found.work.dur_ns
    groups = Groups(view.names[found.work.launch])
    words = view.run.names
    worst = groups.largest(found.delay_ns)

    def counted(mask: np.ndarray) -> np.ndarray:
        return groups.sum(mask.astype(np.int64))

    table = Table({
        "name": [words[code] for code in groups.keys[0].tolist()],
        "count": groups.count,
        "call_ns": groups.sum(found.call_dur_ns),
        "call_median_ns": groups.median(found.call_dur_ns),
        "device_ns": groups.sum(dur_ns),
        "delay_ns": groups.sum(found.delay_ns),
        "delay_median_ns": groups.median(found.delay_ns),
        "delay_max_ns": groups.max(found.delay_ns),
        "tklqt_ns": groups.sum(found.wait_ns),
        "slow_calls": counted(found.call_dur_ns > SLOW_CALL_NS),
        "late": counted(found.delay_ns > LATE_NS),
        "shorter_than_call": counted(dur_ns < found.call_dur_ns),
        "trace": np.full(len(groups), view.trace),
        "row": found.work.rows[worst],
    })  # fmt: skip
    return table.by("tklqt_ns").records()
