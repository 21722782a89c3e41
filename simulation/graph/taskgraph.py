"""The task graph: CSR arrays in topological order, each edge with its family, rule and certainty.

Durations of device events are edges of the family DEVICE_WORK and can be replaced (`weights`); of what ranks do
together (COLLECTIVE, SEND_RECV) the part after the last one has come. Everything else about the graph stays. A saved
graph is a folder of Arrow files that any process maps and replays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from simulation.errors import StoreError
from simulation.graph.derived import Anchors
from simulation.graph.families import TRANSFERS, Family
from simulation.quality import QualityReport
from simulation.store import Column, open_table, sync, write_table

GRAPH_VERSION = 2
"""Of the saved graph; another version is not opened but built again."""


@dataclass(frozen=True)
class TaskGraph:
    """Nodes are starts and ends of replayed events in topological order; node 0 is the run's root, time 0."""

    zero_ns: int  # of the run's clock
    offsets: np.ndarray  # i64[nodes + 1]: edges into node v are offsets[v] .. offsets[v + 1]
    source: np.ndarray  # i32 per edge
    weight_ns: np.ndarray  # i64 per edge
    family: np.ndarray  # u8 per edge
    rule: np.ndarray  # u8 per edge
    certainty: np.ndarray  # u8 per edge
    measured_ns: np.ndarray  # i64 per node
    residual_ns: np.ndarray  # i64 per node: what the edges leave unexplained, 0 but at starts of device events
    start_node: np.ndarray  # i32 per global row, -1 not a node
    end_node: np.ndarray  # i32 per global row; an instant has one node for both
    deciding: np.ndarray  # u8 per global row, 1: its end may end the run
    derived: Anchors
    quality: QualityReport

    @property
    def nodes(self) -> int:
        return len(self.offsets) - 1

    @property
    def edges(self) -> int:
        return len(self.source)

    def edges_by_family(self) -> dict[str, int]:
        """How many edges of each family, those without any included."""
        counts = np.bincount(self.family, minlength=max(Family) + 1)
        return {family.name.lower(): int(counts[family]) for family in Family}

    @property
    def durations_ns(self) -> np.ndarray:
        """What `weights` takes, as measured: i64 per global row, 0 of what cannot be replaced.

        The duration of a device event; of a member of a collective or a pair, on the device or the host, its
        transfer: what it took after the last one had come. That may be negative by as much as clocks are uncertain.
        """
        durations = np.zeros(len(self.end_node), np.int64)
        for edge, row in self.lasting():
            durations[row] = self.weight_ns[edge]
        return durations

    def weights(self, durations_ns: np.ndarray) -> np.ndarray:
        """A copy of `weight_ns` in which events last `durations_ns` (i64 per global row, others are ignored)."""
        weight = self.weight_ns.copy()
        (work, worked), (transfer, moved) = self.lasting()
        weight[work] = np.maximum(durations_ns[worked], 0)
        weight[transfer] = durations_ns[moved]
        return weight

    def lasting(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """(edges, the rows that they end) of events by themselves, then of what ranks do together: i64, i64."""
        for chosen in (self.family == Family.DEVICE_WORK, np.isin(self.rule, TRANSFERS)):
            edge = np.flatnonzero(chosen)
            row = self._row_ended[np.searchsorted(self.offsets, edge, side="right") - 1]
            yield edge[row >= 0], row[row >= 0]

    @cached_property
    def _row_ended(self) -> np.ndarray:
        """The row that ends at each node, -1 none: i64."""
        rows = np.flatnonzero(self.end_node >= 0)
        row = np.full(self.nodes, -1, np.int64)
        row[self.end_node[rows]] = rows
        return row

    def save(self, folder: Path) -> None:
        """Write the graph's files into `folder`; `graph.arrow`, with the small print, comes last, when the disk holds
        the others."""
        tables = self._tables()
        for name, columns in tables.items():
            write_table(folder / f"{name}.arrow", columns, {}, synced=False)
        sync([folder, *(folder / f"{name}.arrow" for name in tables)])
        meta = {"version": GRAPH_VERSION, "zero_ns": self.zero_ns, "quality": self.quality.counts()}
        write_table(folder / "graph.arrow", {"offsets": self.offsets}, meta)

    def _tables(self) -> dict[str, Mapping[str, Column]]:
        edges = ("source", "weight_ns", "family", "rule", "certainty")
        return {
            "edges": {name: getattr(self, name) for name in edges},
            "nodes": {name: getattr(self, name) for name in ("measured_ns", "residual_ns")},
            "rows": {name: getattr(self, name) for name in ("start_node", "end_node", "deciding")},
            "derived": {name: getattr(self.derived, name) for name in Anchors.__dataclass_fields__},
        }

    @classmethod
    def open(cls, folder: Path) -> TaskGraph:
        """Map a saved graph. Raises StoreError if it is missing or of another version."""
        head, meta = open_table(folder / "graph.arrow")
        if meta["version"] != GRAPH_VERSION:
            raise StoreError(f"is a graph of version {meta['version']}, not {GRAPH_VERSION}", file=folder.name)
        columns: dict[str, Any] = {}
        for name in ("edges", "nodes", "rows"):
            columns |= open_table(folder / f"{name}.arrow")[0]
        anchors: dict[str, Any] = open_table(folder / "derived.arrow")[0]
        quality = QualityReport(meta["quality"])
        return cls(
            zero_ns=meta["zero_ns"], offsets=np.asarray(head["offsets"]), derived=Anchors(**anchors), quality=quality,
            **columns,
        )  # fmt: skip
