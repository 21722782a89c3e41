"""Copies and memory sets: bytes, time and bandwidth over time (HTA's memory bandwidth series).

A file whose times are whole microseconds has cut them: a set of 1.6 us lasts 1 us. The bandwidth that is recorded with
each was worked out before, so that there it tells the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from simulation.analysis.breakdown import Work
from simulation.analysis.intervals import union_ns
from simulation.analysis.recorded import extracted
from simulation.analysis.selection import RankView
from simulation.analysis.series import Steps, distribution

RECORDED = r'"memory bandwidth \(GB/s\)"\s*:\s*(?P<value>[0-9.]+(?:[eE][+-]?[0-9]+)?)'


def copies_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank and kind of copy ("Memcpy HtoD"): count, bytes, time, and bandwidth where the bytes are known."""
    return {"ranks": [{"rank": view.rank, "kinds": _kinds(view)} for view in views]}


class Copies:
    """The copies and sets of a rank by start, with their kind, bytes (-1 unknown) and rate in GB/s (NaN unknown)."""

    def __init__(self, view: RankView) -> None:
        device = view.device
        self.work = device.at(np.isin(device.work, (Work.COPY, Work.SET)))
        side = view.table.sides["device"]
        self.size_bytes = np.asarray(side["size_bytes"])[np.searchsorted(np.asarray(side["row"]), self.work.rows)]
        words: dict[str, int] = {}
        code = [words.setdefault(name.partition("(")[0].strip(), len(words)) for name in view.table.names]
        self.kind = np.array(code or [0], np.int64)[view.table.name[self.work.rows]]
        self.kinds = list(words)
        self.gb_per_s = self._rates(view)

    def _rates(self, view: RankView) -> np.ndarray:
        dur_ns = self.work.dur_ns
        rate = np.where((self.size_bytes >= 0) & (dur_ns > 0), self.size_bytes / np.maximum(dur_ns, 1), np.nan)
        if len(dur_ns) == 0 or (dur_ns % 1000).any():
            return np.asarray(rate)
        texts = extracted(view.table, self.work.rows, RECORDED)
        told = np.asarray(texts.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            cut_ns = self.size_bytes / told - dur_ns
        return np.where((cut_ns > -1) & (cut_ns < 1000), told, rate)

    def over_time(self, mine: np.ndarray) -> Steps:
        """GB/s at one time, over those of `mine` (bool) that run side by side; one value per instant."""
        known = mine & ~np.isnan(self.gb_per_s)
        start, end, rate = self.work.start_ns[known], self.work.end_ns[known], self.gb_per_s[known]
        at_ns, one = np.concatenate([start, end]), np.ones(len(start), np.int64)
        steps = Steps.of_changes(at_ns, np.concatenate([rate, -rate]))
        running = Steps.of_changes(at_ns, np.concatenate([one, -one])).value
        settled = np.append(steps.at_ns[1:] != steps.at_ns[:-1], True)  # between two times, not within one
        value = np.where(running > 0, steps.value, 0.0)  # not what is left of float64 sums
        return Steps(steps.at_ns[settled], value[settled])


def _kinds(view: RankView) -> list[dict[str, Any]]:
    copies, found = Copies(view), []
    for number in np.unique(copies.kind).tolist():
        mine = copies.kind == number
        start, end = copies.work.start_ns[mine], copies.work.end_ns[mine]
        line = {
            "kind": copies.kinds[number],
            "count": len(start),
            "total_ns": int((end - start).sum()),
            "busy_ns": union_ns(start, end),
            **_bandwidth(copies, mine, view.shift_ns),
            "trace": view.trace,
            "row": int(copies.work.rows[mine][int(np.argmax(end - start))]),
        }
        found.append(line)
    return sorted(found, key=lambda line: -line["total_ns"])


def _bandwidth(copies: Copies, mine: np.ndarray, shift_ns: int) -> dict[str, Any]:
    """Bytes per ns is GB/s. `peak` is the most at one time, over copies that run side by side."""
    known = mine & ~np.isnan(copies.gb_per_s)
    if not known.any():
        return {
            "bytes": None,
            "gb_per_s": None,
            "peak_gb_per_s": None,
            "max_gb_per_s": None,
            "rates": None,
            "series": None,
        }
    rate, size, steps = copies.gb_per_s[known], copies.size_bytes[known], copies.over_time(mine)
    moved = rate > 0
    return {
        "bytes": int(size.sum()),
        "gb_per_s": float(size.sum() / (size[moved] / rate[moved]).sum()) if moved.any() else 0.0,
        "max_gb_per_s": float(rate.max()),
        "peak_gb_per_s": float(steps.value.max()),
        "rates": distribution(steps.value[steps.value > 0]),
        "series": steps.thinned(shift_ns),
    }
