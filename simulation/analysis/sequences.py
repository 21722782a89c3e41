"""Kernels that an operator launches, as a sequence: how often, how long, and what the launches cost.

Of innermost operators it is HTA's `get_aten_op_kernels_and_delay`, of outermost ones with all below them its
`get_frequent_cuda_kernel_sequences`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.breakdown import Work
from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups, Table

FEWEST = 3
"""Kernels of an outermost operator's sequence that is listed (HTA's min_pattern_len)."""

FIRST = ("op_to_first_launch_ns", "first_launch_to_start_ns")
"""HTA's delays, means per call of the operator."""

SHOWN_KERNELS = 50
MOST = 200


def sequences_of(views: Sequence[RankView]) -> dict[str, Any]:
    """`innermost`: a line per operator and sequence that it launched itself; `outermost`: with all below it."""
    inner = {view.trace: _innermost(view) for view in views}
    outer = {view.trace: view.outermost_op for view in views}
    return {"innermost": _lines(views, inner, 1), "outermost": _lines(views, outer, FEWEST)}


def _innermost(view: RankView) -> np.ndarray:
    """The operator that launched each kernel itself, -1 of copies and sets: i64, in the order of `view.device`."""
    return np.where(np.isin(view.device.work, (Work.COPY, Work.SET)), -1, view.launching_op)


def _calls(view: RankView, owner: np.ndarray) -> dict[str, np.ndarray] | None:
    """Of each operator's call that launched something: its sequence as a number, and its times."""
    device, table = view.device, view.table
    launched = np.flatnonzero(owner >= 0)
    if not len(launched):
        return None
    by_op = Groups(owner[launched])
    members = launched[by_op.order]  # by operator, and by start within
    row = owner[members][by_op.begin]
    call_ns = table.start_ns[device.launch[launched]]
    to_launch_ns = call_ns - table.start_ns[owner[launched]]
    to_start_ns = device.start_ns[launched] - call_ns
    first = by_op.largest(-call_ns)
    return {
        "trace": np.full(len(row), view.trace, np.int64),
        "row": row,
        "name": view.names[row],
        "kernels": by_op.count,
        "sequence": _numbered(view.names[device.rows[members]], by_op),
        "host_ns": table.dur_ns[row],
        "device_ns": by_op.sum(device.dur_ns[launched]),
        "op_to_launch_ns": by_op.sum(to_launch_ns),
        "launch_to_start_ns": by_op.sum(to_start_ns),
        "op_to_first_launch_ns": to_launch_ns[first],
        "first_launch_to_start_ns": to_start_ns[first],
    }


def _numbered(names: np.ndarray, by_op: Groups) -> np.ndarray:
    """A 64-bit number per sequence of names; different ones have the same with a chance of 1 in 2 ** 64."""
    place = np.arange(len(names)) - np.repeat(by_op.begin, by_op.count)
    mixed = _mixed(names.astype(np.uint64) + np.uint64(1)) * _mixed(
        place.astype(np.uint64) * np.uint64(2) + np.uint64(1)
    )
    return np.asarray(np.add.reduceat(_mixed(mixed), by_op.begin).view(np.int64))


def _mixed(value: np.ndarray) -> np.ndarray:
    """splitmix64's finalizer: every bit depends on every bit."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(value ^ (value >> np.uint64(31)))


def _lines(views: Sequence[RankView], owners: dict[int, np.ndarray], fewest: int) -> list[dict[str, Any]]:
    """`owners`: by trace, the operator that each device event counts for."""
    parts = [part for view in views if (part := _calls(view, owners[view.trace]))]
    if not parts:
        return []
    words = views[0].run.names
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    columns = {name: values[columns["kernels"] >= fewest] for name, values in columns.items()}
    groups = Groups(columns["name"], columns["kernels"], columns["sequence"])
    longest = groups.largest(columns["device_ns"])
    launches = groups.sum(columns["kernels"])
    table = Table({
        "name": [words[code] for code in groups.keys[0].tolist()],
        "count": groups.count,
        "kernels": groups.keys[1],
        "host_ns": groups.sum(columns["host_ns"]),
        "device_ns": groups.sum(columns["device_ns"]),
        "op_to_launch_ns": groups.sum(columns["op_to_launch_ns"]) / np.maximum(launches, 1),
        "launch_to_start_ns": groups.sum(columns["launch_to_start_ns"]) / np.maximum(launches, 1),
        **{name: groups.sum(columns[name]) / groups.count for name in FIRST},
        "trace": columns["trace"][longest],
        "row": columns["row"][longest],
    })  # fmt: skip
    shown = table.by("device_ns").take(np.arange(min(len(table), MOST)))
    by_trace = {view.trace: view for view in views}
    return [
        {**line, "sequence": _names(by_trace[line["trace"]], owners[line["trace"]], line["row"], words)}
        for line in shown.records()
    ]


def _names(view: RankView, owner: np.ndarray, row: int, words: Sequence[str]) -> list[str]:
    """The first pieces of work of one call, in order of start."""
    mine = np.flatnonzero(owner == row)[:SHOWN_KERNELS]
    return [words[code] for code in view.names[view.device.rows[mine]].tolist()]
