"""What ran on the device, by name; by the operator that launched it; and what is too short to be worth a launch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from simulation.analysis.breakdown import Work
from simulation.analysis.categories import CATEGORIES, categories_of
from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups, Table, share

SHORT_NS = 10_000
"""TraceLens's default for a short kernel."""

BINS = 100


def kernels_of(views: Sequence[RankView]) -> dict[str, Any]:
    """A line per kind of work and name, over all selected ranks; most time first."""
    joined = Joined(views)
    groups = Groups(joined.work, joined.name)
    figures = groups.spread(joined.dur_ns)
    words = joined.words

    def mean(of_ranks: Iterable[np.ndarray]) -> np.ndarray:
        return _weighted(groups, _joined(of_ranks), joined.dur_ns)

    table = Table({
        "name": [words[code] for code in groups.keys[1].tolist()],
        "work": [Work(code).name.lower() for code in groups.keys[0].tolist()],
        **figures,
        "percent": share(figures["total_ns"], joined.total_ns),
        "linked": groups.sum((joined.launched >= 0).astype(np.int64)),
        "launch_wait_ns": groups.sum(joined.wait_ns),
        "blocks_per_multiprocessor": mean(view.blocks_per_multiprocessor for view in views),
        "occupancy_percent": mean(view.occupancy_percent for view in views),
        **joined.doors(groups.largest(joined.dur_ns)),
    })  # fmt: skip
    return {"total_ns": joined.total_ns, "kernels": table.by("total_ns").records()}


def kernels_by_op_of(views: Sequence[RankView]) -> dict[str, Any]:
    """A line per launching operator, name and stream (TraceLens's kernel_summary)."""
    joined = Joined(views)
    groups = Groups(joined.op, joined.name, joined.stream)
    words = joined.words
    figures = groups.spread(joined.dur_ns)
    category = _joined(_categories(view) for view in views)[groups.order[groups.begin]]
    table = Table({
        "op": [words[code] if code >= 0 else None for code in groups.keys[0].tolist()],
        "category": [CATEGORIES[code] if code >= 0 else None for code in category.tolist()],
        "name": [words[code] for code in groups.keys[1].tolist()],
        "stream": [stream if stream >= 0 else None for stream in groups.keys[2].tolist()],
        **figures,
        "percent": share(figures["total_ns"], joined.total_ns),
        **joined.doors(groups.largest(joined.dur_ns)),
    })  # fmt: skip
    return {"total_ns": joined.total_ns, "kernels": table.by("total_ns").records()}


def short_kernels_of(views: Sequence[RankView], short_ns: int = SHORT_NS) -> dict[str, Any]:
    """Kernels shorter than `short_ns`: a histogram of them in BINS equal bins, and by operator and name."""
    joined = Joined(views)
    short = np.flatnonzero((joined.dur_ns < short_ns) & joined.is_kernel)
    dur_ns = joined.dur_ns[short]
    counts, edges = np.histogram(dur_ns, BINS) if len(short) else (np.empty(0, np.int64), np.empty(0))
    groups = Groups(joined.op[short], joined.name[short])
    words = joined.words
    figures = groups.spread(dur_ns)
    table = Table({
        "op": [words[code] if code >= 0 else None for code in groups.keys[0].tolist()],
        "name": [words[code] for code in groups.keys[1].tolist()],
        **figures,
        "percent": share(figures["total_ns"], joined.total_ns),
        **joined.doors(short[groups.largest(dur_ns)]),
    })  # fmt: skip
    return {
        "short_ns": short_ns,
        "count": len(short),
        "total_ns": int(dur_ns.sum()),
        "percent_of_kernels": share(len(short), int(np.count_nonzero(joined.is_kernel))),
        "histogram": {"edges_ns": edges.tolist(), "counts": counts.tolist()},
        "kernels": table.by("total_ns").records(),
    }


class Joined:
    """The device events of several ranks, one after another: i64 columns, names in the run's string table."""

    def __init__(self, views: Sequence[RankView]) -> None:
        empty = np.empty(0, np.int64)
        self.words = views[0].run.names if views else ()
        self.trace = _joined(np.full(len(view.device), view.trace, np.int64) for view in views)
        self.row = _joined(view.device.rows for view in views)
        self.dur_ns = _joined(view.device.dur_ns for view in views)
        self.start_ns = _joined(view.device.start_ns + view.shift_ns for view in views)
        self.work = _joined(view.device.work for view in views)
        self.launched = _joined(view.device.launch for view in views)
        self.name = _joined(view.names[view.device.rows] for view in views)
        self.stream = _joined(view.stream_numbers[view.device.stream] for view in views)
        self.op = _joined(np.where(op >= 0, view.names[op], -1) for view in views for op in [view.launching_op])
        self.wait_ns = _joined(_launch_wait_ns(view) for view in views)
        self.is_kernel = np.isin(self.work, (Work.COMPUTE, Work.COMMUNICATION))
        self.total_ns = int(self.dur_ns.sum()) if len(self.dur_ns) else int(empty.sum())

    def doors(self, chosen: np.ndarray) -> dict[str, np.ndarray]:
        """Where to look in the timeline: the trace and row of an example."""
        return {"trace": self.trace[chosen], "row": self.row[chosen]}


def _launch_wait_ns(view: RankView) -> np.ndarray:
    """From the start of the launch call to the start of the work; 0 without a launch."""
    device = view.device
    return np.where(device.launch >= 0, device.start_ns - view.table.start_ns[device.launch], 0)


def _categories(view: RankView) -> np.ndarray:
    """What the operator that launched each device event does, a code into CATEGORIES; -1 without one."""
    op = view.launching_op
    return np.where(op >= 0, categories_of(view)[op], -1)


def _weighted(groups: Groups, values: np.ndarray, dur_ns: np.ndarray) -> np.ndarray:
    """Mean per group of what is known (not NaN), weighted by time; NaN where nothing is: f64."""
    weight = np.where(np.isnan(values), 0, dur_ns)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(groups.sum(np.nan_to_num(values) * weight) / groups.sum(weight))


def _joined(parts: Any) -> np.ndarray:
    return np.concatenate([np.empty(0, np.int64), *parts])
