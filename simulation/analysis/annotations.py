"""Device time by the annotation around it (`record_function` as the device sees it), as HTA's
`get_gpu_user_annotation_breakdown`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.credit import credited
from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups, Table
from simulation.tracks import inherited

CATEGORY = frozenset({"gpu_user_annotation"})


def annotations_of(views: Sequence[RankView]) -> dict[str, Any]:
    """A line per annotation's name: direct is device time in no smaller annotation of the stream, subtree all in it."""
    parts = [part for view in views if (part := _rank(view)) is not None]
    if not parts:
        return {"annotations": []}
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    groups = Groups(columns["name"])
    longest = groups.largest(columns["subtree_ns"])
    words = views[0].run.names
    table = Table({
        "name": [words[code] for code in groups.keys[0].tolist()],
        "count": groups.count,
        **{name: groups.sum(columns[name]) for name in ("span_ns", "direct_ns", "subtree_ns", "events")},
        "trace": columns["trace"][longest],
        "row": columns["row"][longest],
    })  # fmt: skip
    return {"annotations": table.by("subtree_ns").records()}


def _rank(view: RankView) -> dict[str, np.ndarray] | None:
    table, device = view.table, view.device
    is_annotation = table.category_mask(CATEGORY)
    rows = np.flatnonzero(is_annotation)
    if not len(rows):
        return None
    own = np.where(is_annotation, np.arange(len(table)), -1)
    nearest = inherited(table.parent, own)
    above = np.where(table.parent >= 0, nearest[table.parent], -1)
    credit = credited(nearest[device.rows], above, device.start_ns, device.end_ns)
    used = rows[credit.subtree[rows] > 0] if view.selection.steps is not None else rows
    return {
        "name": view.names[used],
        "trace": np.full(len(used), view.trace, np.int64),
        "row": used,
        "span_ns": table.dur_ns[used],
        "direct_ns": credit.direct_ns[used],
        "subtree_ns": credit.subtree_ns[used],
        "events": credit.subtree[used],
    }
