"""The tree of nn.Modules: calls, host time and device time of each (needs recorded Python stacks)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.credit import credited
from simulation.analysis.selection import RankView

FRAME_PREFIX = "nn.Module: "


def modules_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: a line per module, outer ones before inner ones, with the line of the one around it (`parent`)."""
    return {"ranks": [{"rank": view.rank, "modules": _lines(view)} for view in views]}


def _lines(view: RankView) -> list[dict[str, Any]]:
    table, device = view.table, view.device
    tree = table.sides["module_tree"]
    above = np.asarray(tree["parent"], np.int64)
    if not len(above):
        return []
    node = node_of(view)
    credit = credited(node[device.rows], above, device.start_ns, device.end_ns)
    is_frame = np.array([name.startswith(FRAME_PREFIX) for name in table.names])[table.name]
    frames = np.flatnonzero(is_frame & (node >= 0) & view.is_selected)
    calls = np.bincount(node[frames], minlength=len(above))
    host_ns = np.zeros(len(above), np.int64)
    np.add.at(host_ns, node[frames], table.dur_ns[frames])
    first = np.full(len(above), -1, np.int64)
    first[node[frames][::-1]] = frames[::-1]
    return [
        {
            "name": str(tree["name"][line]),
            "parent": int(above[line]),
            "calls": int(calls[line]),
            "host_ns": int(host_ns[line]),
            "direct_ns": int(credit.direct_ns[line]),
            "subtree_ns": int(credit.subtree_ns[line]),
            "events": int(credit.subtree[line]),
            "trace": view.trace,
            "row": int(first[line]),
        }
        for line in range(len(above))
    ]


def node_of(view: RankView) -> np.ndarray:
    """The innermost module around each row, as a line of the tree, -1 none: i64."""
    inside = view.table.sides["module_rows"]
    node = np.full(len(view.table), -1, np.int64)
    node[np.asarray(inside["row"])] = np.asarray(inside["node"])
    return node
