"""Groups of edges that one might make faster together: all of a kernel's runs, an operator's, a module's, ...

Each way of grouping takes an edge at most once; the ways overlap (a kernel is also part of its operator's work).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulation.replay.causes import (
    CAUSES,
    COMMUNICATION,
    COMPUTE,
    COPY,
    HOST_OP,
    RUNTIME_CALL,
    Causes,
    Rows,
)
from simulation.replay.scenarios import UNSCALED
from simulation.store import Strings

DEVICE_WORK = (COMPUTE, COMMUNICATION, COPY)
HOST_WORK = (HOST_OP, RUNTIME_CALL)
OPERATORS = frozenset({"cpu_op"})
NO_GROUP = "group not recorded"


@dataclass(frozen=True)
class Grouping:
    """One way of grouping edges."""

    kind: str
    names: Sequence[str]  # of the groups
    of_edge: np.ndarray  # i32 per edge, UNSCALED: of none


def groupings(rows: Rows, causes: Causes) -> list[Grouping]:
    """All ways; `causes` of all edges. Cost: O(edges + rows * depth)."""
    device = np.isin(causes.cause, DEVICE_WORK) & (causes.row >= 0)
    host = np.isin(causes.cause, HOST_WORK) & (causes.row >= 0)
    return [
        _by_row("kernel", causes, device, rows.name, rows.run.names),
        _by_row("operator", causes, device, _launching(rows), rows.run.names),
        _by_row("module", causes, device | host, *_modules(rows)),
        _by_row("collective", causes, device, *_collectives(rows)),
        _by_row("host", causes, host, rows.name, rows.run.names),
        _by_cause(causes, ~device & ~host),
    ]


def _by_row(kind: str, causes: Causes, chosen: np.ndarray, code: np.ndarray, names: Sequence[str]) -> Grouping:
    """Group the chosen edges by the code (i64 per row, -1 none) of their row."""
    of_edge = np.full(len(chosen), UNSCALED, np.int32)
    of_edge[chosen] = code[causes.row[chosen]]
    used, compact = np.unique(of_edge, return_inverse=True)
    none = int(np.searchsorted(used, 0))  # 1 where some edges have no code
    return Grouping(kind, [names[at] for at in used[none:].tolist()], (compact - none).astype(np.int32))


def _by_cause(causes: Causes, chosen: np.ndarray) -> Grouping:
    """What is no work: gaps and the costs of dependencies, by cause."""
    codes = np.where(chosen, causes.cause, UNSCALED)
    used = np.unique(codes[chosen])
    of_edge = np.where(chosen, np.searchsorted(used, codes), UNSCALED)
    return Grouping("gap", [CAUSES[code] for code in used.tolist()], of_edge.astype(np.int32))


def _launching(rows: Rows) -> np.ndarray:
    """Name code of the innermost operator around each row's launch: i64 per row, -1 none."""
    is_operator = rows.of_category(OPERATORS)
    around = rows.launch.copy()
    while (upward := (around >= 0) & ~is_operator[around]).any():  # as often as slices are nested
        around[upward] = rows.parent[around[upward]]
    return np.where(around >= 0, rows.name[around], -1)


def _modules(rows: Rows) -> tuple[np.ndarray, list[str]]:
    """The innermost module that each row ran in, by its path, the same on all ranks: (i64 per row, paths)."""
    codes: dict[str, int] = {}
    of_row = np.full(int(rows.run.row_base[-1]), -1)
    for table, base in zip(rows.run.traces, rows.run.row_base, strict=False):
        tree, inside = table.sides["module_tree"], table.sides["module_rows"]
        paths: list[str] = []
        names = _strings(tree["name"])
        for parent, name in zip(np.asarray(tree["parent"]).tolist(), names.codes.tolist(), strict=True):
            own_name = names.words[name]
            paths.append(f"{paths[parent]}.{own_name}" if parent >= 0 else own_name)
        own = np.array([codes.setdefault(path, len(codes)) for path in paths], np.int64)
        if len(own):
            of_row[base + np.asarray(inside["row"])] = own[np.asarray(inside["node"])]
    return of_row, list(codes)


def _collectives(rows: Rows) -> tuple[np.ndarray, list[str]]:
    """The process group, and what is done in it, of each row that communicates: (i64 per row, names)."""
    codes = {NO_GROUP: 0}
    of_row = np.full(int(rows.run.row_base[-1]), -1)
    device = np.flatnonzero(rows.is_device)
    of_row[device[rows.work(device) == COMMUNICATION]] = 0
    described = {group.name: group.description for group in rows.run.groups if group.description}
    for table, base in zip(rows.run.traces, rows.run.row_base, strict=False):
        side = table.sides["collectives"]
        columns = [_strings(side[name]) for name in ("collective", "group", "group_ranks")]
        key = np.stack([column.codes for column in columns])
        kinds, back = np.unique(key, axis=1, return_inverse=True)
        names = [_collective_name(columns, kind, described) for kind in kinds.T.tolist()]
        own = np.array([codes.setdefault(name, len(codes)) for name in names], np.int64)
        at = base + np.asarray(side["row"], np.int64)
        of_row[at] = np.where(rows.is_device[at], own[back] if len(own) else -1, -1)
    return of_row, list(codes)


def _collective_name(columns: Sequence[Strings], codes: Sequence[int], described: dict[str, str]) -> str:
    collective, group, ranks = (
        column.words[code] if code >= 0 else "" for column, code in zip(columns, codes, strict=True)
    )
    where = " ".join(part for part in (described.get(group, group), ranks) if part)
    return f"{collective or 'communication'} in {where}" if where else NO_GROUP


def _strings(column: object) -> Strings:
    assert isinstance(column, Strings)
    return column
