"""How much work waits in each stream's queue: +1 when it is called, -1 when it starts (HTA's queue length)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.selection import RankView
from simulation.analysis.series import Steps, distribution

FULL = 1024
"""Launches that a stream holds before the next call blocks (HTA's CUDA_MAX_LAUNCH_QUEUE_PER_STREAM)."""


def queue_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank and stream: longest, mean over time, time at FULL or above, and the length over time."""
    return {"full": FULL, "ranks": [{"rank": view.rank, "streams": _streams(view)} for view in views]}


def queue_length(view: RankView, track: int) -> Steps:
    """The length of one stream's queue over time, of linked work."""
    device = view.device
    mine = (device.stream == track) & (device.launch >= 0)
    called = view.table.start_ns[device.launch[mine]]
    return Steps.of_changes(
        np.concatenate([called, np.maximum(device.start_ns[mine], called)]),
        np.repeat(np.array([1, -1]), np.count_nonzero(mine)),
    )


def _streams(view: RankView) -> list[dict[str, Any]]:
    found = []
    for track in np.unique(view.device.stream).tolist():
        length = queue_length(view, track)
        if len(length.at_ns):
            figures = {"stream": view.stream_of(track), **length.figures(), "full_ns": length.time_at(FULL)}
            found.append(figures | {"lengths": distribution(length.value), "series": length.thinned(view.shift_ns)})
    return found
