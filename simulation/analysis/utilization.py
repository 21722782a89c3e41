"""How well the device is used, by the TensorBoard plugin's definitions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow.compute as pc

from simulation.analysis.intervals import union_ns
from simulation.analysis.recorded import extracted
from simulation.analysis.selection import RankView
from simulation.analysis.tables import share
from simulation.events import EventTable

OCCUPANCY = r'"est\. achieved occupancy %"\s*:\s*(?P<value>[0-9.]+)'


def utilization_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: share of time in which the device is busy, in which its multiprocessors have blocks, and occupancy.

    The time is that of the selected steps on the host, as the plugin has it, else the device's own span.
    """
    return {"ranks": [_rank(view) for view in views]}


def _rank(view: RankView) -> dict[str, Any]:
    device = view.device
    windows = view.step_windows_ns
    whole_ns = int((windows[:, 1] - windows[:, 0]).sum())
    start, end = device.start_ns, device.end_ns
    busy_ns = sum(union_ns(*_inside(start, end, begin, stop)) for begin, stop in windows.tolist())
    if not len(windows) and len(device):
        whole_ns, busy_ns = int(end.max() - start.min()), union_ns(start, end)
    covered = np.zeros(len(device), np.int64) if len(windows) else device.dur_ns
    for begin, stop in windows.tolist():
        covered = covered + np.maximum(np.minimum(end, stop) - np.maximum(start, begin), 0)
    return {
        "rank": view.rank,
        "time_ns": whole_ns,
        "busy_ns": busy_ns,
        "gpu_utilization_percent": share(busy_ns, whole_ns) if whole_ns else None,
        "sm_efficiency_percent": _sm_efficiency(view, covered, whole_ns),
        "achieved_occupancy_percent": _occupancy(view, device.dur_ns),
    }


def _inside(start: np.ndarray, end: np.ndarray, begin: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    chosen = (start < stop) & (end > begin)
    return np.maximum(start[chosen], begin), np.minimum(end[chosen], stop)


def _sm_efficiency(view: RankView, covered_ns: np.ndarray, whole_ns: int) -> float | None:
    """sum(min(blocks per multiprocessor, 1) * time) / time of all; None where grid or device are not recorded."""
    line = _kernel_lines(view)
    multiprocessors = multiprocessors_of(view.table)
    if multiprocessors is None or not whole_ns or not (line >= 0).any():
        return None
    side, known = view.table.sides["kernels"], line >= 0
    grid = np.prod([np.asarray(side[f"grid_{axis}"], np.int64)[line[known]] for axis in "xyz"], axis=0)
    blocks = np.where(grid > 0, grid / multiprocessors, 0)
    return float(share((np.minimum(blocks, 1.0) * covered_ns[known]).sum(), whole_ns))


def multiprocessors_of(table: EventTable) -> int | None:
    """Of the device that the trace uses; None where the file does not tell."""
    listed = table.info.metadata.get("deviceProperties")
    used = next((track.device for track in table.tracks if track.kind == "stream" and track.device >= 0), 0)
    for entry in listed if isinstance(listed, list) else []:
        count = entry.get("numSms") if isinstance(entry, dict) and entry.get("id") == used else None
        if isinstance(count, int) and count > 0:
            return count
    return None


def _occupancy(view: RankView, dur_ns: np.ndarray) -> float | None:
    """Mean of the kernels' estimated occupancy, weighted by their time. Unpacks the args of the device's events."""
    kernels = np.flatnonzero(_kernel_lines(view) >= 0)
    if not len(kernels):
        return None
    found = extracted(view.table, view.device.rows[kernels], OCCUPANCY)
    percent = np.asarray(pc.cast(found, "float64").to_numpy(zero_copy_only=False), np.float64)
    weight = dur_ns[kernels].astype(np.float64)
    told = ~np.isnan(percent)
    return float((percent[told] * weight[told]).sum() / weight[told].sum()) if weight[told].sum() else None


def _kernel_lines(view: RankView) -> np.ndarray:
    """Line of the kernels' side table for each device event, -1 none."""
    rows = np.asarray(view.table.sides["kernels"]["row"])
    line = np.searchsorted(rows, view.device.rows)
    line[np.append(rows, -1)[line] != view.device.rows] = -1
    return line
