"""What a file itself says about which row needs which: a side file of the trace, with a version of its own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

import numpy as np

from simulation.errors import StoreError
from simulation.store import open_table, write_table

DEPENDENCIES_VERSION = 1
"""Of the saved dependencies; a change brings an upgrader and an entry in docs/formats.md."""


class Need(IntEnum):
    """Why a row depends on another, by the file's own words."""

    DATA = 0
    CONTROL = 1


@dataclass(frozen=True)
class Dependencies:
    """Row r of the table depends on rows[offsets[r] .. offsets[r + 1]], data before control."""

    offsets: np.ndarray  # i64, rows of the table + 1
    rows: np.ndarray  # i32 per dependency
    need: np.ndarray  # u8 per dependency, Need

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of(cls, table_rows: int, row: np.ndarray, on: np.ndarray, need: np.ndarray) -> Dependencies:
        """From loose pairs (`row` depends on `on`), in whatever order; pairs that come twice are kept once."""
        order = np.lexsort((on, need, row))
        row, on, need = row[order], on[order], need[order]
        new = np.ones(len(row), bool)
        new[1:] = (np.diff(row) != 0) | (np.diff(on) != 0) | (np.diff(need) != 0)
        offsets = np.searchsorted(row[new], np.arange(table_rows + 1))
        return cls(offsets.astype(np.int64), on[new].astype(np.int32), need[new].astype(np.uint8))

    def of_row(self, row: int) -> np.ndarray:
        """Rows that `row` depends on: i32."""
        return np.asarray(self.rows[self.offsets[row] : self.offsets[row + 1]])

    def save(self, folder: Path) -> None:
        """Write both files; `dependencies.arrow`, with the version, comes last. They are not synced."""
        write_table(folder / "dependency_rows.arrow", {"row": self.rows, "need": self.need}, {}, synced=False)
        meta = {"version": DEPENDENCIES_VERSION}
        write_table(folder / "dependencies.arrow", {"offsets": self.offsets}, meta, synced=False)

    @classmethod
    def open(cls, folder: Path) -> Dependencies | None:
        """Map what `save` wrote; None where the trace has none. Raises StoreError."""
        if not (folder / "dependencies.arrow").exists():
            return None
        head, meta = open_table(folder / "dependencies.arrow")
        if meta["version"] != DEPENDENCIES_VERSION:
            raise StoreError(
                f"holds dependencies of version {meta['version']}, not {DEPENDENCIES_VERSION}", file=folder.name
            )
        edges, _ = open_table(folder / "dependency_rows.arrow")
        return cls(np.asarray(head["offsets"]), np.asarray(edges["row"]), np.asarray(edges["need"]))
