"""A value that changes in steps over time: queue lengths, memory, bandwidth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

POINTS = 400
"""A curve on a screen needs no more; bins keep their largest value, so that peaks stay."""


@dataclass(frozen=True)
class Steps:
    """`value[i]` from `at_ns[i]` until the next; at_ns ascends."""

    at_ns: np.ndarray  # i64
    value: np.ndarray  # i64 or f64

    @classmethod
    def of_changes(cls, at_ns: np.ndarray, change: np.ndarray) -> Steps:
        """The running sum of changes; of several at one time, rises come first."""
        order = np.lexsort((-change, at_ns))
        return cls(at_ns[order], np.cumsum(change[order]))

    @property
    def dur_ns(self) -> np.ndarray:
        return np.append(np.diff(self.at_ns), 0)

    def time_at(self, least: float) -> int:
        """How long the value is `least` or more, in ns."""
        return int(self.dur_ns[self.value >= least].sum())

    def figures(self) -> dict[str, Any]:
        """Most, when first, and the mean over time."""
        peak = int(np.argmax(self.value))
        whole = int(self.at_ns[-1] - self.at_ns[0])
        mean = float((self.value * self.dur_ns).sum() / whole) if whole else float(self.value[peak])
        return {"max": self.value[peak].item(), "mean": mean, "points": len(self.at_ns)}

    def thinned(self, shift_ns: int = 0, points: int = POINTS) -> dict[str, list[Any]]:
        """At most `points` of them: the largest value of each of as many equal bins of time, and when it was."""
        if len(self.at_ns) <= points:
            return {"at_ns": (self.at_ns + shift_ns).tolist(), "value": self.value.tolist()}
        span = int(self.at_ns[-1] - self.at_ns[0])
        bins = (self.at_ns - self.at_ns[0]) * points // (span + 1) if span else np.zeros(len(self.at_ns), np.int64)
        order = np.lexsort((np.arange(len(bins)), -self.value, bins))
        first = np.ones(len(bins), np.bool_)
        first[1:] = bins[order][1:] != bins[order][:-1]
        kept = np.sort(order[first])
        return {"at_ns": (self.at_ns[kept] + shift_ns).tolist(), "value": self.value[kept].tolist()}


def distribution(values: np.ndarray) -> dict[str, Any] | None:
    """Count, mean, deviation (of the sample, None of one), least, quartiles and most, as pandas describes it; None of
    nothing."""
    if not len(values):
        return None
    least, quarter, median, three_quarters, most = np.percentile(values, (0, 25, 50, 75, 100)).tolist()
    return {
        "count": len(values),
        "mean": float(values.mean()),
        "deviation": float(values.std(ddof=1)) if len(values) > 1 else None,
        "min": least,
        "quarter": quarter,
        "median": median,
        "three_quarters": three_quarters,
        "max": most,
    }
