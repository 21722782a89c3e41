"""Why a device waits: each gap by what ended it (HTA's `get_idle_time_breakdown`, with true ends)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.selection import DeviceEvents, RankView
from simulation.analysis.series import distribution

CONSECUTIVE_NS = 30_000
"""A shorter gap between queued kernels is what the device itself takes (HTA's `consecutive_kernel_delay`)."""

MICRO_NS = 10_000
"""Gaps of the whole device up to this are micro idle (TraceLens's `--micro_idle_thresh_us`; it has no default)."""

CAUSES = ("host_wait", "kernel_wait", "other")


def gaps(device: DeviceEvents, queue: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Before each event, how long nothing of its queue ran, and when that began: i64, i64. 0 before the first.

    `device` is by start; what ran until when is the running maximum of ends, so that overlaps hide nothing.
    """
    order = np.argsort(queue, kind="stable")
    sorted_queue, start, end = queue[order], device.start_ns[order], device.end_ns[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = sorted_queue[1:] != sorted_queue[:-1]
    until = np.zeros(len(order), np.int64)
    begins = np.append(np.flatnonzero(first), len(order))
    for begin, stop in zip(begins, begins[1:], strict=False):  # over streams
        until[begin + 1 : stop] = np.maximum.accumulate(end[begin : stop - 1])
    until[first] = start[first]
    gap_ns, since_ns = np.empty(len(order), np.int64), np.empty(len(order), np.int64)
    gap_ns[order], since_ns[order] = np.maximum(start - until, 0), until
    return gap_ns, since_ns


def causes(view: RankView, gap_ns: np.ndarray, since_ns: np.ndarray) -> np.ndarray:
    """Index into CAUSES of each gap: i64. The host was late if it called the launch after the work before had ended."""
    device = view.device
    late = (device.launch >= 0) & (view.table.start_ns[device.launch] > since_ns)
    return np.where(late, 0, np.where(gap_ns < CONSECUTIVE_NS, 1, 2))


def idle_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: the gaps of the device as a whole and of each stream, by cause."""
    return {"consecutive_ns": CONSECUTIVE_NS, "micro_ns": MICRO_NS, "ranks": [_rank(view) for view in views]}


def _rank(view: RankView) -> dict[str, Any]:
    device = view.device
    gap_ns, since_ns = gaps(device, np.zeros(len(device), np.int64))
    cause = causes(view, gap_ns, since_ns)
    micro = gap_ns <= MICRO_NS
    split = {"micro_idle_ns": int(gap_ns[micro].sum()), "macro_idle_ns": int(gap_ns[~micro].sum())}
    return {
        "rank": view.rank,
        **_summed(gap_ns, cause),
        **split,
        "longest": _longest(view, gap_ns, since_ns, cause),
        "streams": _streams(view),
        "steps": [
            {"step": int(view.step_numbers[line]), **_summed(gap_ns[mine], cause[mine])}
            for line in view.steps.tolist()
            for mine in [device.step == line]
        ],
    }


def _streams(view: RankView) -> list[dict[str, Any]]:
    device = view.device
    gap_ns, since_ns = gaps(device, device.stream)
    cause = causes(view, gap_ns, since_ns)
    found = []
    for track, first in zip(*(column.tolist() for column in np.unique(device.stream, return_index=True)), strict=True):
        mine = device.stream == track
        later = mine & (np.arange(len(device)) > first)
        spread = {name: distribution(gap_ns[later & (cause == at)]) for at, name in enumerate(CAUSES)}
        found.append({"stream": view.stream_of(track), **_summed(gap_ns[mine], cause[mine]), "intervals_ns": spread})
    return found


def _summed(gap_ns: np.ndarray, cause: np.ndarray) -> dict[str, Any]:
    by_cause = {f"{name}_ns": int(gap_ns[cause == at].sum()) for at, name in enumerate(CAUSES)}
    return {"idle_ns": int(gap_ns.sum()), "gaps": int(np.count_nonzero(gap_ns)), **by_cause}


def _longest(
    view: RankView, gap_ns: np.ndarray, since_ns: np.ndarray, cause: np.ndarray, most: int = 10
) -> list[dict[str, Any]]:
    """The longest gaps of the device, with the event that ended each."""
    rows = view.device.rows
    return [
        {
            "trace": view.trace,
            "row": int(rows[at]),
            "name": view.table.name_of(int(rows[at])),
            "begin_ns": int(since_ns[at]) + view.shift_ns,
            "dur_ns": int(gap_ns[at]),
            "cause": CAUSES[int(cause[at])],
        }
        for at in np.argsort(-gap_ns, kind="stable")[:most].tolist()
        if gap_ns[at]
    ]
