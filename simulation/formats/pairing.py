"""A Kineto trace and an execution trace of the same rank: one trace, tied operation by operation.

They belong together by rank, else by process id. Operations are the same if they have the same record-function id and
name; where the Kineto file is older than these ids, if they stand at the same place of the same thread, in order of
start, and have the same name. Pairs are kept where they are at least half of all; else the files are not of one run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from simulation import ranks
from simulation.events import EventTable, Kind
from simulation.formats.steps import STEP_NAME
from simulation.quality import QualityReport
from simulation.store import Strings

LEAST_SHARE = 0.5

OPERATIONS = frozenset({"cpu_op", "user_annotation"})
"""Categories of what an execution trace records too."""

OF_PLACING = (
    "placed_by_replay",
    "unknown_durations",
    "dependency_cycles",
    "no_steps",
    "steps_from_annotation",
    "rank_unknown",
)
"""Findings in an execution trace that mean nothing once its operations have recorded times."""


@dataclass(frozen=True)
class Join:
    """Rows of the recorded table and of the execution trace that are the same operation."""

    by: str
    row: np.ndarray  # i64, ascending
    node_row: np.ndarray  # i64


def paired(tables: Sequence[EventTable]) -> list[EventTable]:
    """The traces of a run, execution traces taken into the recorded traces that they belong to.

    Those left over, whose times have no zero of their own, begin where the first recorded trace does.
    """
    claimed = ranks.claims([table.info for table in tables])
    merged, left = list(tables), list[int]()
    for at, table in enumerate(tables):
        if table.info.format != "pytorch_et":
            continue
        partner = _partner(table, claimed[at], merged, claimed)
        join = find_join(merged[partner], table) if partner is not None else None
        if partner is not None and join is not None:
            merged[partner] = _joined(merged[partner], table, join, claimed[at])
            left.append(at)
    kept = [table for at, table in enumerate(merged) if at not in left]
    return _together(kept)


def _partner(
    nodes: EventTable, rank: int | None, tables: Sequence[EventTable], claimed: Sequence[int | None]
) -> int | None:
    """The recorded trace of the same rank and, if there are several, process; None where there is none."""
    free = [
        at
        for at, table in enumerate(tables)
        if table.info.placed == "recorded" and table.info.format != "pytorch_et" and table.paired is None
    ]
    pid = str(nodes.info.metadata.get("pid", ""))
    same_process = [at for at in free if any(track.pid == pid for track in tables[at].tracks)]
    same_rank = [at for at in free if rank is not None and claimed[at] == rank]
    strangers = [at for at in same_process if rank is None or claimed[at] is None]
    best = [at for at in same_rank if at in same_process] or same_rank or strangers
    return best[0] if best else None


def find_join(recorded: EventTable, nodes: EventTable) -> Join | None:
    """The better way to tie the operations of both, None where too few are the same."""
    wanted = len(_operations(nodes))
    for join in (by_record_function(recorded, nodes), by_thread_order(recorded, nodes)):
        if wanted and len(join.row) >= LEAST_SHARE * wanted:
            return join
    return None


def by_record_function(recorded: EventTable, nodes: EventTable) -> Join:
    """Same id, same name; of an id that comes twice the first."""
    rows, ids = _record_functions(recorded)
    node_rows, node_ids = _record_functions(nodes)
    known, first = np.unique(ids, return_index=True)
    if not len(known) or not len(node_rows):
        return _join("record function id", np.empty(0, np.int64), np.empty(0, np.int64))
    place = np.minimum(np.searchsorted(known, node_ids), len(known) - 1)
    same = known[place] == node_ids
    row, node_row = rows[first[place[same]]], node_rows[same]
    agree = recorded.name[row] == _names_in(recorded, nodes)[nodes.name[node_row]]
    return _join("record function id", row[agree], node_row[agree])


def by_thread_order(recorded: EventTable, nodes: EventTable) -> Join:
    """Same place in the order of a thread, same name. Threads are matched by how well they agree."""
    names = _names_in(recorded, nodes)
    mine, theirs = _threads(recorded, recorded.start_ns), _threads(nodes, _begun(nodes))
    agreements = {
        (one, other): _agreeing(recorded.name[mine[one]], names[nodes.name[theirs[other]]])
        for one in range(len(mine))
        for other in range(len(theirs))
    }
    row, node_row = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    free, free_nodes = set(range(len(mine))), set(range(len(theirs)))
    for (one, other), at in sorted(agreements.items(), key=lambda item: -len(item[1])):
        if one in free and other in free_nodes and len(at):
            free.remove(one)
            free_nodes.remove(other)
            row.append(mine[one][at])
            node_row.append(theirs[other][at])
    return _join("thread order", np.concatenate(row), np.concatenate(node_row))


def _join(by: str, row: np.ndarray, node_row: np.ndarray) -> Join:
    order = np.argsort(row, kind="stable")
    return Join(by, row[order], node_row[order])


def _agreeing(names: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Places at which both have the same name: i64."""
    length = min(len(names), len(other))
    return np.flatnonzero(names[:length] == other[:length])


def _operations(table: EventTable) -> np.ndarray:
    """Rows of operators and annotations on threads: i64."""
    on_thread = np.array([track.kind == "thread" for track in table.tracks])
    wanted = table.category_mask(OPERATIONS) & (table.kind == Kind.SLICE)
    return np.flatnonzero(wanted & on_thread[table.track])


def _threads(table: EventTable, begun: np.ndarray) -> list[np.ndarray]:
    """Operations of each thread by when they have `begun`, outer ones first; without steps, which only Kineto has."""
    is_step = np.array([STEP_NAME.fullmatch(name) is not None for name in table.names])
    rows = _operations(table)
    rows = rows[~is_step[table.name[rows]]]
    order = np.lexsort((table.source_index[rows], -table.dur_ns[rows], begun[rows], table.track[rows]))
    cuts = np.searchsorted(table.track[rows][order], np.arange(1, len(table.tracks)))
    return [part for part in np.split(rows[order], cuts) if len(part)]


def _begun(nodes: EventTable) -> np.ndarray:
    """Of each row its place in the order of starts: the record-function id."""
    begun = np.zeros(len(nodes), np.int64)
    rows, ids = _record_functions(nodes)
    begun[rows] = ids
    return begun


def _record_functions(table: EventTable) -> tuple[np.ndarray, np.ndarray]:
    """(rows, ids) of operations that have one."""
    ops: Any = table.sides["ops"]
    known = np.asarray(ops["record_function"]) > 0
    return np.asarray(ops["row"])[known], np.asarray(ops["record_function"])[known]


def _names_in(recorded: EventTable, nodes: EventTable) -> np.ndarray:
    """Code in `recorded` of each name of `nodes`, -1 where it has no such name."""
    codes = {name: code for code, name in enumerate(recorded.names)}
    return np.array([codes.get(name, -1) for name in nodes.names])


def _joined(recorded: EventTable, nodes: EventTable, join: Join, rank: int | None) -> EventTable:
    """`recorded` with `nodes` in it; what it does not know of itself is taken from there."""
    operations = len(_operations(nodes))
    info, of_nodes = recorded.info, nodes.info
    told = {"file": of_nodes.file_name, "by": join.by, "pairs": len(join.row), "operations": operations}
    quality = QualityReport.merged([recorded.quality])
    quality.add("unpaired_nodes", operations - len(join.row))
    for finding in nodes.quality:
        if finding.code not in OF_PLACING:
            quality.add(finding.code, finding.count)
    pairs: dict[str, np.ndarray | Strings] = {
        "row": join.row.astype(np.int32),
        "paired_row": join.node_row.astype(np.int32),
    }
    return replace(
        recorded,
        info=replace(
            info,
            rank=info.rank if info.rank is not None else rank,
            world_size=info.world_size or of_nodes.world_size,
            metadata={**info.metadata, "paired": told},
        ),
        sides={**recorded.sides, "pairs": pairs},
        quality=quality,
        paired=nodes,
    )


def _together(tables: list[EventTable]) -> list[EventTable]:
    starts = [table.info.base_ns + int(table.start_ns.min()) for table in tables if table.info.placed == "recorded"]
    if not starts:
        return tables
    return [
        table if table.info.placed == "recorded" else replace(table, info=replace(table.info, base_ns=min(starts)))
        for table in tables
    ]
