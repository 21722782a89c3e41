"""How well the device is used, by the TensorBoard plugin's definitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.breakdown import Work
from simulation.analysis.intervals import Covered
from simulation.analysis.selection import DeviceEvents, RankView
from simulation.analysis.series import Steps
from simulation.analysis.tables import share


def utilization_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: share of time in which the device is busy, in which its multiprocessors have blocks, and occupancy.

    The time is that of the selected steps on the host, as the plugin has it, else the device's own span.
    """
    return {"ranks": [_rank(view) for view in views]}


def _rank(view: RankView) -> dict[str, Any]:
    device, windows = view.device, view.step_windows_ns
    if not len(windows) and len(device):
        windows = np.array([[device.start_ns[0], device.end_ns.max()]])
    whole_ns = int((windows[:, 1] - windows[:, 0]).sum())
    kernels = device.at(np.isin(device.work, (Work.COMPUTE, Work.COMMUNICATION)))
    busy_ns, kernel_ns = (_busy_ns(work, windows) for work in (device, kernels))
    return {
        "rank": view.rank,
        "time_ns": whole_ns,
        "busy_ns": busy_ns,
        "gpu_utilization_percent": share(busy_ns, whole_ns) if whole_ns else None,
        "kernel_utilization_percent": share(kernel_ns, whole_ns) if whole_ns else None,
        "sm_efficiency_percent": _sm_efficiency(view, windows, whole_ns),
        "achieved_occupancy_percent": _occupancy(view, windows),
    }


def _busy_ns(work: DeviceEvents, windows: np.ndarray) -> int:
    """Union of the work in the windows, which do not overlap."""
    return int(Covered(work.start_ns, work.end_ns).within(windows[:, 0], windows[:, 1]).sum())


def _sm_efficiency(view: RankView, windows: np.ndarray, whole_ns: int) -> float | None:
    """Share of the time in which multiprocessors have blocks: those of all kernels that run at once, 1 at most; None
    where grid or device are not recorded."""
    blocks = view.blocks_per_multiprocessor
    known = blocks > 0  # NaN is not
    if not known.any() or not whole_ns:
        return None
    start, end, value = view.device.start_ns[known], view.device.end_ns[known], blocks[known]
    steps = Steps.of_changes(np.concatenate([start, end]), np.concatenate([value, -value]))
    filled = np.clip(steps.value, 0.0, 1.0)
    until = np.concatenate([[0.0], np.cumsum(filled[:-1] * np.diff(steps.at_ns))])
    return float(share(np.diff(np.interp(windows, steps.at_ns, until), axis=1).sum(), whole_ns))


def _occupancy(view: RankView, windows: np.ndarray) -> float | None:
    """Mean of the kernels' estimated occupancy, weighted by their time in the windows."""
    device, percent = view.device, view.occupancy_percent
    inside = Covered(windows[:, 0], windows[:, 1]).within(device.start_ns, device.end_ns)
    weight = np.where(np.isnan(percent), 0, inside)
    return float(np.nansum(percent * weight) / weight.sum()) if weight.any() else None
