"""Edges as columns, before they are sorted into a graph."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulation.graph.families import Certainty, Family


@dataclass(frozen=True)
class Edges:
    """`target` happens no earlier than `weight_ns` after `source`; all columns of one length."""

    source: np.ndarray  # i32, node
    target: np.ndarray  # i32, node
    weight_ns: np.ndarray  # i64; negative only where host and device clocks differ
    family: np.ndarray  # u8, Family
    rule: np.ndarray  # u8, Rule
    certainty: np.ndarray  # u8, Certainty

    @classmethod
    def of(
        cls,
        family: Family | np.ndarray,
        source: np.ndarray,
        target: np.ndarray,
        weight_ns: np.ndarray,
        rule: np.ndarray | int,
        certainty: np.ndarray | Certainty,
    ) -> Edges:
        """Edges; `family`, `rule` and `certainty` may be one for all."""

        def column(value: np.ndarray | int) -> np.ndarray:
            return np.broadcast_to(np.asarray(value, np.uint8), len(source))

        return cls(
            source.astype(np.int32, copy=False),
            target.astype(np.int32, copy=False),
            weight_ns.astype(np.int64, copy=False),
            column(family),
            column(rule),
            column(certainty),
        )

    @classmethod
    def joined(cls, parts: Sequence[Edges]) -> Edges:
        return cls(*(np.concatenate([getattr(part, name) for part in parts]) for name in cls.__dataclass_fields__))

    @classmethod
    def empty(cls, count: int) -> Edges:
        """Room for so many."""
        kinds = (np.int32, np.int32, np.int64, np.uint8, np.uint8, np.uint8)
        return cls(*(np.empty(count, kind) for kind in kinds))

    @property
    def columns(self) -> tuple[np.ndarray, ...]:
        return tuple(getattr(self, name) for name in self.__dataclass_fields__)

    def put(self, first: int, edges: Edges) -> None:
        """Set the edges from `first` on, in place."""
        for room, column in zip(self.columns, edges.columns, strict=True):
            room[first : first + len(edges)] = column

    def renumbered(self, place: np.ndarray) -> Edges:
        """The same between nodes of other numbers: `place` (i32) of each."""
        return replace(self, source=place[self.source], target=place[self.target])

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, wanted: np.ndarray) -> Edges:
        """The edges of a mask, or in the order of an index array."""
        return Edges(*(getattr(self, name)[wanted] for name in self.__dataclass_fields__))
