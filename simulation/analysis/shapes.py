"""Operators that launch device work, by name and the shapes and types of their inputs (TraceLens's ops_unique_args)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulation.analysis.ops import op_credit
from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups, Table, share
from simulation.meetings import taken, words_of


def ops_by_shape_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per rank: a line per operator, shapes and types; only operators that launch something themselves."""
    return {"ranks": [{"rank": view.rank, "ops": _lines(view)} for view in views]}


def _lines(view: RankView) -> list[dict[str, Any]]:
    credit, side = op_credit(view), view.table.sides["shapes"]
    rows = np.flatnonzero(credit.direct > 0)
    described = np.asarray(side["row"])
    line = np.searchsorted(described, rows)
    line[np.append(described, -1)[line] != rows] = -1
    groups = Groups(view.names[rows], taken(side["dims"], line), taken(side["types"], line))
    dims, types, words = words_of(side["dims"]), words_of(side["types"]), view.run.names
    busy_ns = credit.direct_ns[rows]
    figures = groups.spread(busy_ns)
    table = Table({
        "name": [words[code] for code in groups.keys[0].tolist()],
        "dims": [dims[code] for code in groups.keys[1].tolist()],
        "types": [types[code] for code in groups.keys[2].tolist()],
        **figures,
        "median_ns": groups.middle(busy_ns),
        "percent": share(figures["total_ns"], int(busy_ns.sum())),
        "host_ns": groups.sum(view.table.dur_ns[rows]),
        "events": groups.sum(credit.direct[rows]),
        "trace": np.full(len(groups), view.trace, np.int64),
        "row": rows[groups.largest(busy_ns)],
    })  # fmt: skip
    return table.by("total_ns").records()
