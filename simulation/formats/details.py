"""What is lifted from events' args while reading, and the typed side tables that are made of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.events import SIDE_TABLES, TEXT
from simulation.formats.words import Words
from simulation.spool import Growing, Spool
from simulation.store import Column, Strings

MADE_OF: dict[str, dict[str, str]] = {
    "kernels": {
        **{name: name for name in ("grid_x", "grid_y", "grid_z", "block_x", "block_y", "block_z")},
        "registers": "registers",
        "shared_memory_bytes": "shared_memory_bytes",
    },
    "device": {"device": "device", "stream": "stream", "graph": "graph", "size_bytes": "size_bytes"},
    "collectives": {
        "collective": "collective",
        "group": "group",
        "group_ranks": "group_ranks",
        "dtype": "dtype",
        "group_size": "group_size",
        "sequence": "group_sequence",
        "in_elements": "in_elements",
        "out_elements": "out_elements",
        "source_rank": "source_rank",
        "target_rank": "target_rank",
    },
    "shapes": {"dims": "dims", "types": "types"},
    "ops": {
        "record_function": "record_function",
        "sequence": "sequence",
        "forward_thread": "forward_thread",
    },
    "syncs": {
        "sync": "sync",
        "stream": "stream",
        "wait_stream": "wait_stream",
        "wait_record_correlation": "wait_record_correlation",
        "event": "wait_event",
    },
    "memory": {
        "address": "address",
        "size_bytes": "memory_bytes",
        "allocated_bytes": "allocated_bytes",
        "reserved_bytes": "reserved_bytes",
        "device_type": "device_type",
        "device": "memory_device",
    },
    "nodes": {
        "node": "node",
        "node_type": "node_type",
        "operations": "operations",
        "tensor_bytes": "tensor_bytes",
        "message_bytes": "message_bytes",
        "message_tag": "message_tag",
    },
    "modules": {"python_id": "python_id", "python_parent": "python_parent", "module": "module"},
}
"""Side table -> column -> name of the detail it holds."""

SHARED = frozenset({"device", "stream"})
"""Details that several tables hold, and that alone make no row in them."""

ABSENT = -1


class Details:
    """Sparse values of events by detail: `(position of the event in the file, value)`."""

    def __init__(self, spool: Spool) -> None:
        self.texts = Words()
        self._spool = spool
        self._columns: dict[str, tuple[Growing, Growing]] = {}

    def add(self, detail: str, event: np.ndarray, value: np.ndarray) -> None:
        """Values of `detail` (integers, or codes into `texts`); of an event given twice the later one counts."""
        if detail not in self._columns:
            type_ = np.int32 if value.dtype == np.int32 else np.int64  # codes of words are i32
            self._columns[detail] = self._spool.column(np.int32), self._spool.column(type_)
        for column, values in zip(self._columns[detail], (event, value), strict=True):
            column.add(values)

    def get(self, detail: str) -> tuple[np.ndarray, np.ndarray]:
        """(events i32, values i64, or i32 of words), read anew."""
        if detail not in self._columns:
            return np.empty(0, np.int32), np.empty(0, np.int64)
        event, value = self._columns[detail]
        return event.whole(), value.whole()

    def dense(self, detail: str, row_of: np.ndarray, rows: int, absent: int) -> np.ndarray:
        """One value per row of the table, i64. `row_of` maps events to rows, -1 = not in the table."""
        values = np.full(rows, absent, np.int64)
        event, value = self.get(detail)
        row = row_of[event]
        del event
        placed = row >= 0
        values[row[placed]] = value[placed]
        return values

    def rows_with(self, table: str, row_of: np.ndarray, rows: int) -> np.ndarray:
        """Rows that have at least one detail of the table's own: bool."""
        mask = np.zeros(rows, np.bool_)
        for detail in MADE_OF[table].values():
            if detail not in SHARED:
                row = row_of[self.get(detail)[0]]
                mask[row[row >= 0]] = True
        return mask

    def table(self, table: str, row_of: np.ndarray, mask: np.ndarray) -> dict[str, Column]:
        """The side table of the rows in `mask` (bool per row)."""
        rows = np.flatnonzero(mask).astype(np.int32)
        columns: dict[str, Column] = {"row": rows}
        for column, detail in MADE_OF[table].items():
            event, value = self.get(detail)
            row = row_of[event]
            known = (row >= 0) & mask[row]
            values = np.full(len(rows), ABSENT, np.int64)
            values[np.searchsorted(rows, row[known])] = value[known]
            columns[column] = self._typed(values, SIDE_TABLES[table][column])
        return columns

    def _typed(self, values: np.ndarray, type_: Any) -> Column:
        return strings(values, self.texts.words) if type_ is TEXT else narrowed(values, type_)


def narrowed(values: np.ndarray, type_: type[np.generic]) -> np.ndarray:
    """i64 as a smaller type; what does not fit is absent."""
    limits = np.iinfo(type_)  # type: ignore[type-var]
    return np.where((values >= limits.min) & (values <= limits.max), values, ABSENT).astype(type_)


def strings(codes: np.ndarray, words: list[str]) -> Strings:
    """A text column that names only the words it uses; -1 is none."""
    used, dense = distinct(codes.astype(np.int32) + np.int32(1))
    absent = int(len(used) > 0 and used[0] == 0)
    dense -= absent
    return Strings(dense, tuple(words[code - 1] for code in used[absent:].tolist()))


def distinct(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(distinct values ascending, place of each among them), as np.unique, of integers from 0 on: i64, i32.

    Without a sort where a table of all values up to the largest is no larger than a few times the input.
    """
    limit = int(codes.max(initial=-1)) + 1
    if limit > 4 * len(codes) + 65_536:
        values, place = np.unique(codes, return_inverse=True)
        return values, place.astype(np.int32)
    seen = np.zeros(limit, np.bool_)
    seen[codes] = True
    return np.flatnonzero(seen), (np.cumsum(seen, dtype=np.int32) - np.int32(1))[codes]
