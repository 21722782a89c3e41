"""Rows put together by equal keys, with exact sums, and small tables of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

Column = np.ndarray | Sequence[Any]


@dataclass(frozen=True)
class Table:
    """Columns of equal length, by name; words as lists, figures as arrays."""

    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def by(self, column: str) -> Table:
        """The same lines, largest of a column first; equal ones stay in order."""
        order = np.argsort(-np.asarray(self.columns[column]), kind="stable")
        return self.take(order)

    def take(self, lines: np.ndarray) -> Table:
        return Table({
            name: column[lines] if isinstance(column, np.ndarray) else [column[line] for line in lines.tolist()]
            for name, column in self.columns.items()
        })  # fmt: skip

    def records(self) -> list[dict[str, Any]]:
        """One object per line, of plain numbers and words; a number that is not known (NaN) is None."""
        values = [plain(column) for column in self.columns.values()]
        return [dict(zip(self.columns, line, strict=True)) for line in zip(*values, strict=True)]


def plain(column: Column) -> list[Any]:
    values = column.tolist() if isinstance(column, np.ndarray) else list(column)
    return [None if isinstance(value, float) and value != value else value for value in values]


class Groups:
    """Rows with equal keys (integer arrays of one length). Costs one sort; every figure after that is O(n)."""

    def __init__(self, *keys: np.ndarray) -> None:
        self.order = np.lexsort(keys[::-1])
        sorted_keys = [key[self.order] for key in keys]
        change = np.zeros(len(self.order), np.bool_)
        change[:1] = True
        for key in sorted_keys:
            change[1:] |= key[1:] != key[:-1]
        self.begin = np.flatnonzero(change)
        self.keys = [key[self.begin] for key in sorted_keys]

    def __len__(self) -> int:
        return len(self.begin)

    @cached_property
    def count(self) -> np.ndarray:
        return np.diff(np.append(self.begin, len(self.order)))

    @cached_property
    def place(self) -> np.ndarray:
        """Of each row, its group: i64."""
        found = np.empty(len(self.order), np.int64)
        found[self.order] = np.repeat(np.arange(len(self)), self.count)
        return found

    def sum(self, values: np.ndarray) -> np.ndarray:
        return self._reduced(np.add, values)

    def min(self, values: np.ndarray) -> np.ndarray:
        return self._reduced(np.minimum, values)

    def max(self, values: np.ndarray) -> np.ndarray:
        return self._reduced(np.maximum, values)

    def largest(self, values: np.ndarray) -> np.ndarray:
        """Per group the row that has the largest value, the first of equal ones."""
        place = np.repeat(np.arange(len(self)), self.count)
        order = np.lexsort((np.arange(len(place)), -values[self.order], place))
        return np.asarray(self.order[order[self.begin]])

    def median(self, values: np.ndarray) -> np.ndarray:
        """The lower median."""
        place = np.repeat(np.arange(len(self)), self.count)
        ordered = values[self.order][np.lexsort((values[self.order], place))]
        return np.asarray(ordered[self.begin + (self.count - 1) // 2])

    def middle(self, values: np.ndarray) -> np.ndarray:
        """The median as pandas has it: halfway between the two middle values of an even number: f64."""
        place = np.repeat(np.arange(len(self)), self.count)
        ordered = values[self.order][np.lexsort((values[self.order], place))].astype(np.float64)
        return np.asarray((ordered[self.begin + (self.count - 1) // 2] + ordered[self.begin + self.count // 2]) / 2)

    def spread(self, dur_ns: np.ndarray) -> dict[str, np.ndarray]:
        """Count, sum, least, most, mean and standard deviation (of the sample, as pandas has it; NaN of one)."""
        total, count = self.sum(dur_ns), self.count
        mean = total / count
        apart = dur_ns.astype(np.float64)
        apart[self.order] -= np.repeat(mean, count)
        with np.errstate(invalid="ignore", divide="ignore"):
            deviation = np.sqrt(self.sum(apart * apart) / (count - 1))
        return {
            "count": count,
            "total_ns": total,
            "mean_ns": mean,
            "min_ns": self.min(dur_ns),
            "max_ns": self.max(dur_ns),
            "deviation_ns": deviation,
        }

    def _reduced(self, how: np.ufunc, values: np.ndarray) -> np.ndarray:
        return np.asarray(how.reduceat(values[self.order], self.begin)) if len(self) else values[:0]


def share(part: Any, whole: float) -> Any:
    """Per cent; 0 of nothing."""
    return part * (100.0 / whole if whole else 0.0)
