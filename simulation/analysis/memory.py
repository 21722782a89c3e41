"""Memory over time and its peaks, from the allocator's own records (`profile_memory`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.selection import RankView
from simulation.analysis.series import Steps
from simulation.analysis.tables import Groups

DEVICE_TYPES = {0: "CPU", 1: "GPU"}


def memory_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank and device: peaks of allocated and reserved memory with when they were, and the curve of both."""
    return {"ranks": [{"rank": view.rank, "devices": _devices(view)} for view in views]}


def _devices(view: RankView) -> list[dict[str, Any]]:
    side = view.table.sides["memory"]
    rows = np.asarray(side["row"])
    kept = view.is_selected[rows]
    columns = {name: np.asarray(values, np.int64)[kept] for name, values in side.items()}
    groups = Groups(columns["device_type"], columns["device"])
    found = []
    for begin, count in zip(groups.begin.tolist(), groups.count.tolist(), strict=True):
        lines = groups.order[begin : begin + count]
        found.append(_device(view, {name: values[lines] for name, values in columns.items()}))
    return found


def _device(view: RankView, records: dict[str, np.ndarray]) -> dict[str, Any]:
    at_ns = view.table.start_ns[records["row"]]
    order = np.argsort(at_ns, kind="stable")
    at_ns, records = at_ns[order], {name: values[order] for name, values in records.items()}
    size = records["size_bytes"]
    allocated, reserved = (Steps(at_ns, records[name]) for name in ("allocated_bytes", "reserved_bytes"))
    peak = int(np.argmax(allocated.value))
    kind = int(records["device_type"][0])
    return {
        "device_type": DEVICE_TYPES.get(kind, str(kind)),
        "device": int(records["device"][0]),
        "records": len(size),
        "allocations": int(np.count_nonzero(size > 0)),
        "allocated_in_all_bytes": int(size[size > 0].sum()),
        "freed_in_all_bytes": -int(size[size < 0].sum()),
        "peak_allocated_bytes": int(allocated.value[peak]),
        "peak_at_ns": int(at_ns[peak]) + view.shift_ns,
        "peak_reserved_bytes": int(reserved.value.max()),
        "first_allocated_bytes": int(allocated.value[0]),
        "last_allocated_bytes": int(allocated.value[-1]),
        "trace": view.trace,
        "row": int(records["row"][peak]),
        "allocated": allocated.thinned(view.shift_ns),
        "reserved": reserved.thinned(view.shift_ns),
    }
