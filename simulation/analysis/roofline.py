"""FLOPs, bytes and share of the roofline of each operator whose shapes are recorded (TraceLens's unified_perf_summary).

A device event counts for the innermost operator around its launch that has a formula. Roofline time is
max(flops / peak, bytes / bandwidth); its share is that over the time that the device was busy with the operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from simulation.analysis.credit import credited
from simulation.analysis.peaks import Peak, peak_of
from simulation.analysis.recorded import extracted
from simulation.analysis.selection import RankView
from simulation.analysis.tables import share
from simulation.analysis.volumes import FORMULAS, NEEDS_VALUES, Inputs, Volume, volume
from simulation.meetings import words_of
from simulation.tracks import inherited

CONCRETE = r'"Concrete Inputs"\s*:\s*(?P<value>\[(?:"(?:[^"\\]|\\.)*"|[^"\]])*\])'
"""A list of strings, in which brackets count for nothing."""


def roofline_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: a line per operator, shapes and types; most device time first. Share is None where no peak is known."""
    return {"ranks": [_rank(view) for view in views]}


def _rank(view: RankView) -> dict[str, Any]:
    device, peak = view.device, peak_of(view.table)
    rows, group, kinds = _kinds(view)
    volumes = [volume(name, inputs) for name, inputs in kinds]
    known = np.array([found is not None for found in volumes] or [False])
    rows, group = rows[known[group]], group[known[group]]
    own = np.full(len(view.table), -1, np.int64)
    own[rows] = rows
    nearest = inherited(view.table.parent, own)
    above = np.where(view.table.parent >= 0, nearest[view.table.parent], -1)
    owner = np.where(device.launch >= 0, nearest[device.launch], -1)
    busy_ns = credited(owner, above, device.start_ns, device.end_ns).direct_ns[rows]
    lines = []
    launching = busy_ns > 0
    rows, group, busy_ns = rows[launching], group[launching], busy_ns[launching]
    for kind in np.unique(group).tolist():
        mine = group == kind
        found = volumes[kind]
        assert found is not None
        longest = rows[mine][int(np.argmax(busy_ns[mine]))]
        lines.append(_line(view, kinds[kind], found, busy_ns[mine], int(longest), peak))
    total = int(device.dur_ns.sum())
    return {
        "rank": view.rank,
        "device": peak.name if peak else None,
        "covered_percent": share(int(busy_ns.sum()), total),
        "flops": sum(line["flops"] for line in lines),
        "ops": sorted(lines, key=lambda line: -line["busy_ns"]),
    }


def _line(
    view: RankView, kind: tuple[str, Inputs], each: Volume, busy_ns: np.ndarray, row: int, peak: Peak | None
) -> dict[str, Any]:
    name, inputs = kind
    count, busy = len(busy_ns), int(busy_ns.sum())
    line: dict[str, Any] = {
        "name": name,
        "dims": inputs.dims,
        "types": inputs.types,
        "count": count,
        "busy_ns": busy,
        "flops": each.flops * count,
        "bytes": each.bytes * count,
        "flops_per_byte": each.flops / each.bytes if each.bytes else None,
        "tflops_per_s": each.flops * count / busy / 1000,
        "gb_per_s": each.bytes * count / busy,
        "bound": None,
        "roofline_percent": None,
        "trace": view.trace,
        "row": row,
    }
    if peak is None:
        return line
    compute_ns = each.flops / ((peak.matrix(each.width_bytes) if each.is_matrix else peak.vector) * 1000)
    memory_ns = each.bytes / peak.memory_gb_per_s
    line["bound"] = "compute" if compute_ns > memory_ns else "memory"
    line["roofline_percent"] = share(max(compute_ns, memory_ns) * count, busy)
    return line


def _kinds(view: RankView) -> tuple[np.ndarray, np.ndarray, list[tuple[str, Inputs]]]:
    """(rows of operators with shapes and a formula, kind of each, name and inputs of each kind)."""
    table, side = view.table, view.table.sides["shapes"]
    line_rows = np.asarray(side["row"], np.int64)
    formula = np.array([_has_formula(name) for name in table.names] or [False])
    chosen = formula[table.name[line_rows]] & view.is_op[line_rows] & view.is_selected[line_rows]
    rows = line_rows[chosen]
    dims_code, types_code = (_codes(side[name])[chosen] for name in ("dims", "types"))
    values, words = _values(view, rows)
    keys = np.stack([table.name[rows].astype(np.int64), dims_code, types_code, values])
    found, group = np.unique(keys, axis=1, return_inverse=True)
    dims, types = words_of(side["dims"]), words_of(side["types"])
    kinds = [
        (table.names[name], Inputs(_decoded(dims[d]), _decoded(types[t]), words[v]))
        for name, d, t, v in found.T.tolist()
    ]
    return rows, group.reshape(-1), kinds


def _codes(column: Any) -> np.ndarray:
    return np.asarray(column.codes, np.int64)


def _values(view: RankView, rows: np.ndarray) -> tuple[np.ndarray, list[list[str]]]:
    """(code of each row's inputs that are no tensors, those inputs by code); only read where a formula needs them."""
    code, words = np.zeros(len(rows), np.int64), [list[str]()]
    needs = np.array([name in NEEDS_VALUES for name in view.table.names] or [False])
    at = np.flatnonzero(needs[view.table.name[rows]])
    texts = extracted(view.table, rows[at], CONCRETE).fill_null("[]").dictionary_encode()
    code[at] = texts.indices.to_numpy(zero_copy_only=False) + len(words)
    for text in texts.dictionary.to_pylist():
        words.append([value if isinstance(value, str) else "" for value in _decoded(text)])
    return code, words


def _decoded(text: str) -> list[Any]:
    """A list as recorded; empty where it is cut or missing."""
    try:
        return msgspec.json.decode(text, type=list[Any])
    except msgspec.DecodeError:
        return []


def _has_formula(name: str) -> bool:
    return name in FORMULAS or name.removesuffix("_") in FORMULAS
