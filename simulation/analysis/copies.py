"""Copies and memory sets: bytes, time and bandwidth (HTA's memory bandwidth series, from exact bytes and ns)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.breakdown import Work
from simulation.analysis.intervals import union_ns
from simulation.analysis.selection import RankView
from simulation.analysis.series import Steps


def copies_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank and kind of copy ("Memcpy HtoD"): count, bytes, time, and bandwidth where the bytes are known."""
    return {"ranks": [{"rank": view.rank, "kinds": _kinds(view)} for view in views]}


def _kinds(view: RankView) -> list[dict[str, Any]]:
    device = view.device
    copies = device.at(np.isin(device.work, (Work.COPY, Work.SET)))
    side = view.table.sides["device"]
    size_bytes = np.asarray(side["size_bytes"])[np.searchsorted(np.asarray(side["row"]), copies.rows)]
    words: dict[str, int] = {}
    code = [words.setdefault(name.partition("(")[0].strip(), len(words)) for name in view.table.names]
    kind = np.array(code or [0], np.int64)[view.table.name[copies.rows]]
    labels, found = list(words), []
    for number in np.unique(kind).tolist():
        mine = kind == number
        start, end, size = copies.start_ns[mine], copies.end_ns[mine], size_bytes[mine]
        longest = int(np.argmax(end - start))
        line = {
            "kind": labels[number],
            "count": len(start),
            "total_ns": int((end - start).sum()),
            "busy_ns": union_ns(start, end),
            **_bandwidth(start, end, size),
            "trace": view.trace,
            "row": int(copies.rows[mine][longest]),
        }
        found.append(line)
    return sorted(found, key=lambda line: -line["total_ns"])


def _bandwidth(start: np.ndarray, end: np.ndarray, size: np.ndarray) -> dict[str, Any]:
    """Bytes per ns is GB/s. `peak` is the most at one time, over copies that run side by side."""
    known = (size >= 0) & (end > start)
    if not known.any():
        return {"bytes": None, "gb_per_s": None, "peak_gb_per_s": None, "max_gb_per_s": None}
    start, end, size = start[known], end[known], size[known]
    rate = size / (end - start)
    active = Steps.of_changes(np.concatenate([start, end]), np.concatenate([rate, -rate]))
    settled = np.append(active.at_ns[1:] != active.at_ns[:-1], True)  # between two times, not within one
    return {
        "bytes": int(size.sum()),
        "gb_per_s": float(size.sum() / (end - start).sum()),
        "max_gb_per_s": float(rate.max()),
        "peak_gb_per_s": float(active.value[settled].max()),
    }
