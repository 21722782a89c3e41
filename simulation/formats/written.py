"""Rows as the entries that Chrome's JSON has for them: a slice of a begin and an end is two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.events import EventTable

LETTERS = ("X", "i", "C", "B", "E", "b", "n", "e")
"""Phases; the first three are those of each Kind."""

SLICE, INSTANT, COUNTER, BEGIN, END, ASYNC_BEGIN, ASYNC_INSTANT, ASYNC_END = range(len(LETTERS))


@dataclass(frozen=True)
class Written:
    """In the order of the file that was read, which decides how begins and ends of the same time are paired."""

    row: np.ndarray  # i64
    phase: np.ndarray  # i64, into LETTERS
    source_index: np.ndarray  # i64, whose args it has; ascending

    @classmethod
    def of(cls, trace: EventTable, rows: np.ndarray) -> Written:
        """The entries of `rows` (in any order)."""
        chosen = np.zeros(len(trace), np.bool_)
        chosen[rows] = True
        is_async = np.array([track.kind == "async" for track in trace.tracks] or [False])[trace.track]
        phase = np.where(is_async, ASYNC_INSTANT, trace.kind.astype(np.int64))
        begin, end = (np.asarray(trace.sides["ends"][column]).astype(np.int64) for column in ("row", "source_index"))
        phase[begin] = np.where(is_async[begin], ASYNC_BEGIN, BEGIN)
        known = chosen[begin] & (end >= 0)
        closed, end = begin[known], end[known]
        row = np.concatenate([np.flatnonzero(chosen), closed])
        phases = np.concatenate([phase[chosen], np.where(is_async[closed], ASYNC_END, END)])
        source = np.concatenate([trace.source_index[chosen].astype(np.int64), end])
        order = np.argsort(source)
        return cls(row[order], phases[order], source[order])

    @property
    def is_end(self) -> np.ndarray:
        return np.asarray((self.phase == END) | (self.phase == ASYNC_END))

    def at(self, part: np.ndarray) -> Written:
        return Written(self.row[part], self.phase[part], self.source_index[part])
