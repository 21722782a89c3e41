"""Work done again in the backward pass to save memory (activation checkpointing), as TraceLens's recompute detection.

It is what happens below `recompute_fn` of torch.utils.checkpoint, which recorded Python stacks show, or below a
CheckpointFunctionBackward (reentrant checkpoints), save for the backward pass that this starts when it is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.credit import credited
from simulation.analysis.intervals import union_ns
from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups, Table, share
from simulation.tracks import inherited

FILE, FUNCTION = "torch/utils/checkpoint.py", "recompute_fn"
REENTRANT = "CheckpointFunctionBackward"
BACKWARD = "autograd::engine::evaluate_function"


def recompute_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: how much of the device's time it is, in each step, and a line per operator that launched some."""
    return {"ranks": [_rank(view) for view in views]}


def is_recompute(view: RankView) -> np.ndarray:
    """Rows that are done again: bool."""
    names = view.table.names
    begins = np.array([_begins(name) for name in names] or [False])[view.table.name]
    ends = np.array([name.startswith(BACKWARD) for name in names] or [False])[view.table.name]
    own = np.where(begins, 1, np.where(ends, 0, -1))
    return np.asarray(inherited(view.table.parent, own.astype(np.int64)) == 1)


def _begins(name: str) -> bool:
    return name == REENTRANT or (FUNCTION in name and FILE in name)


def _rank(view: RankView) -> dict[str, Any]:
    device, again = view.device, is_recompute(view)
    mine = np.flatnonzero((device.launch >= 0) & again[device.launch])
    start, end, step = device.start_ns[mine], device.end_ns[mine], device.step[mine]
    busy_ns = union_ns(start, end)
    names = np.array([_begins(name) for name in view.table.names] or [False])
    return {
        "rank": view.rank,
        "regions": int(np.count_nonzero(names[view.table.name] & view.is_selected)),
        "events": len(mine),
        "busy_ns": busy_ns,
        "percent": share(busy_ns, union_ns(device.start_ns, device.end_ns)),
        "steps": [
            {"step": int(view.step_numbers[line]), "busy_ns": union_ns(start[step == line], end[step == line])}
            for line in view.steps.tolist()
        ],
        "ops": _ops(view, mine),
    }


def _ops(view: RankView, mine: np.ndarray) -> list[dict[str, Any]]:
    device, op = view.device, view.launching_op[mine]
    none = np.full(len(view.table), -1, np.int64)
    credit = credited(op, none, device.start_ns[mine], device.end_ns[mine])
    rows = np.flatnonzero(credit.direct > 0)
    groups, direct_ns = Groups(view.names[rows]), credit.direct_ns[rows]
    table = Table({
        "name": [view.run.names[code] for code in groups.keys[0].tolist()],
        "count": groups.count,
        "direct_ns": groups.sum(direct_ns),
        "events": groups.sum(credit.direct[rows]),
        "trace": np.full(len(groups), view.trace, np.int64),
        "row": rows[groups.largest(direct_ns)],
    })  # fmt: skip
    return table.by("direct_ns").records()
