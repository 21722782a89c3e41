"""Operators by name: time on the host, and on the device directly and with all below (TraceLens's ops_summary)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.categories import CATEGORIES, categories_of
from simulation.analysis.credit import Credit, credited, outermost
from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups, Table, share


def op_credit(view: RankView) -> Credit:
    """Of every row that is an operator."""
    device = view.device
    return credited(view.launching_op, view.op_above, device.start_ns, device.end_ns)


def host_self_ns(view: RankView) -> np.ndarray:
    """Per row: an operator's duration less that of the operators directly in it: i64; 0 of other rows."""
    table = view.table
    own = np.where(view.is_op, table.dur_ns, 0)
    inner = np.flatnonzero(view.is_op & (view.op_above >= 0))
    above = view.op_above[inner]
    inside = np.minimum(table.end_ns[inner], table.end_ns[above]) - table.start_ns[inner]
    np.subtract.at(own, above, np.maximum(inside, 0))
    return np.maximum(own, 0)


def ops_of(views: Sequence[RankView]) -> dict[str, Any]:
    """A line per operator's name, over all selected ranks; most direct device time first.

    Where an operator calls one of its own name, the outer call stands for both in host_ns and subtree_*.
    """
    parts = [_rank(view) for view in views]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}
    if not columns:
        return {"total_ns": 0, "ops": []}
    groups = Groups(columns["name"])
    words = views[0].run.names
    longest = groups.largest(columns["subtree_ns"])
    total = int(columns["direct_ns"].sum())
    launches = columns["category"] >= 0
    does = Groups(columns["name"][launches], columns["category"][launches]).keys
    summed = ("host_ns", "host_self_ns", "direct_ns", "subtree_ns", "direct_events", "subtree_events", "launching")
    table = Table({
        "name": [words[code] for code in groups.keys[0].tolist()],
        "categories": [
            [CATEGORIES[code] for code in does[1][does[0] == name].tolist()]
            for name in groups.keys[0].tolist()
        ],
        "count": groups.count,
        **{name: groups.sum(columns[name]) for name in summed},
        "percent": share(groups.sum(columns["direct_ns"]), total),
        "trace": columns["trace"][longest],
        "row": columns["row"][longest],
    })  # fmt: skip
    return {"total_ns": total, "ops": table.by("host_self_ns").by("subtree_ns").by("direct_ns").records()}


def _rank(view: RankView) -> dict[str, np.ndarray]:
    rows = np.flatnonzero(view.is_op & view.is_selected)
    credit = op_credit(view)
    outer = outermost(view.names, view.op_above, rows)
    return {
        "name": view.names[rows],
        "category": categories_of(view)[rows],
        "trace": np.full(len(rows), view.trace, np.int64),
        "row": rows,
        "host_ns": np.where(outer, view.table.dur_ns[rows], 0),
        "host_self_ns": host_self_ns(view)[rows],
        "direct_ns": credit.direct_ns[rows],
        "subtree_ns": np.where(outer, credit.subtree_ns[rows], 0),
        "direct_events": credit.direct[rows],
        "subtree_events": np.where(outer, credit.subtree[rows], 0),
        "launching": (credit.direct[rows] > 0).astype(np.int64),
    }


def op_categories_of(views: Sequence[RankView]) -> dict[str, Any]:
    """A line per category over all selected ranks (TraceLens's ops_summary_by_category); most device time first."""
    parts = []
    for view in views:
        category = categories_of(view)
        rows = np.flatnonzero(view.is_op & view.is_selected & (category >= 0))
        parts.append((category[rows], op_credit(view).direct_ns[rows], np.full(len(rows), view.trace, np.int64), rows))
    if not parts:
        return {"total_ns": 0, "categories": []}
    category, direct_ns, trace, row = (np.concatenate(column) for column in zip(*parts, strict=True))
    groups, total = Groups(category), int(direct_ns.sum())
    longest = groups.largest(direct_ns)
    table = Table({
        "category": [CATEGORIES[code] for code in groups.keys[0].tolist()],
        "count": groups.count,
        "direct_ns": groups.sum(direct_ns),
        "percent": share(groups.sum(direct_ns), total),
        "trace": trace[longest],
        "row": row[longest],
    })  # fmt: skip
    return {"total_ns": total, "categories": table.by("direct_ns").records()}
