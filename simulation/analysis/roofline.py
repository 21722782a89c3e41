"""FLOPs, bytes and share of the roofline of each operator whose shapes are recorded (TraceLens's unified_perf_summary).

A device event counts for the outermost operator around its launch whose shapes a formula knows: what an operator calls
is part of its work. Those of which TraceLens has no model (not in WHOLE) stand behind what they call.
Roofline time is max(flops / peak, bytes / bandwidth); its share is that over the time that the device was busy.
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
from simulation.analysis.tables import Groups, Table, share
from simulation.analysis.volumes import NEEDS_VALUES, WHOLE, Inputs, Volume, formula_of, volume
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
    whole = np.array([formula_of(name) in WHOLE for name, _ in kinds] or [False])[group]
    owner = _owners(view, rows, whole)
    none = np.full(len(view.table), -1, np.int64)
    busy_ns = credited(owner, none, device.start_ns, device.end_ns).direct_ns[rows]
    launching = busy_ns > 0
    rows, group, busy_ns = rows[launching], group[launching], busy_ns[launching]
    groups = Groups(group)
    figures = {**groups.spread(busy_ns), "median_ns": groups.middle(busy_ns)}
    figures |= {"host_ns": groups.sum(view.table.dur_ns[rows]), "row": rows[groups.largest(busy_ns)]}
    lines = [
        _line(view, kinds[kind], each, line, peak)
        for kind, line in zip(groups.keys[0].tolist(), Table(figures).records(), strict=True)
        if (each := volumes[kind]) is not None
    ]
    total = int(device.dur_ns.sum())
    return {
        "rank": view.rank,
        "device": peak.name if peak else None,
        "covered_percent": share(int(busy_ns.sum()), total),
        "flops": sum(line["flops"] for line in lines),
        "ops": sorted(lines, key=lambda line: -line["busy_ns"]),
    }


def _owners(view: RankView, rows: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The one of `rows` that each device event counts for, -1 none: i64, in the order of `view.device`."""
    outer, inner = (_nearest(view, rows[chosen]) for chosen in (whole, ~whole))
    launch, above = view.device.launch, np.append(view.table.parent, -1)
    found = np.where(launch >= 0, outer[launch], -1)
    while (higher := (found >= 0) & (outer[above[found]] >= 0)).any():
        found = np.where(higher, outer[above[found]], found)
    return np.where((found < 0) & (launch >= 0), inner[launch], found)


def _nearest(view: RankView, rows: np.ndarray) -> np.ndarray:
    """The innermost of `rows` at each row, and -1 at the end for what has no row: i64."""
    own = np.full(len(view.table), -1, np.int64)
    own[rows] = rows
    return np.append(inherited(view.table.parent, own), -1)


def _line(
    view: RankView, kind: tuple[str, Inputs], each: Volume, figures: dict[str, Any], peak: Peak | None
) -> dict[str, Any]:
    name, inputs = kind
    count, busy = figures["count"], figures.pop("total_ns")
    line: dict[str, Any] = {
        "name": name,
        "dims": inputs.dims,
        "types": inputs.types,
        "count": count,
        "busy_ns": busy,
        **figures,
        "flops": each.flops * count,
        "bytes": each.bytes * count,
        "flops_per_byte": each.flops / each.bytes if each.bytes else None,
        "tflops_per_s": each.flops * count / busy / 1000,
        "gb_per_s": each.bytes * count / busy,
        "bound": None,
        "roofline_percent": None,
        "trace": view.trace,
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
    formula = np.array([formula_of(name) is not None for name in table.names] or [False])
    chosen = formula[table.name[line_rows]] & view.is_op[line_rows] & view.is_selected[line_rows]
    rows = line_rows[chosen]
    dims_code, types_code = (_codes(side[name])[chosen] for name in ("dims", "types"))
    values, words = _values(view, rows)
    found = Groups(table.name[rows], dims_code, types_code, values)
    dims, types = words_of(side["dims"]), words_of(side["types"])
    kinds = [
        (table.names[name], Inputs(_decoded(dims[d]), _decoded(types[t]), words[v]))
        for name, d, t, v in zip(*(key.tolist() for key in found.keys), strict=True)
    ]
    return rows, found.place, kinds


def _codes(column: Any) -> np.ndarray:
    return np.asarray(column.codes, np.int64)


def _values(view: RankView, rows: np.ndarray) -> tuple[np.ndarray, list[list[str]]]:
    """(code of each row's inputs that are no tensors, those inputs by code); only read where a formula needs them."""
    code, words = np.zeros(len(rows), np.int64), [list[str]()]
    needs = np.array([formula_of(name) in NEEDS_VALUES for name in view.table.names] or [False])
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
