"""Figures over time that go into an exported trace as counters, beside the events that they were made from."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from simulation.formats.selection import Selection
from simulation.formats.texts import large, microseconds, together
from simulation.run import Run


@dataclass(frozen=True)
class Counter:
    """`value[i]` from `at_ns[i]` until the next, as the table's times; shown with the process of a track."""

    name: str
    what: str  # the key of its value
    track: int
    at_ns: np.ndarray  # i64
    value: np.ndarray  # i64 or f64
    id: int | None = None  # tells counters of one name apart

    def within(self, selection: Selection, trace: int, shift_ns: int) -> Counter:
        """Its values in the selected range; none where tracks are selected and its own is not."""
        at_ns = self.at_ns + shift_ns
        chosen = np.full(len(at_ns), selection.tracks is None or (trace, self.track) in selection.tracks)
        if selection.begin_ns is not None:
            chosen &= at_ns >= selection.begin_ns
        if selection.end_ns is not None:
            chosen &= at_ns < selection.end_ns
        return self.at(chosen)

    def at(self, chosen: np.ndarray | slice) -> Counter:
        return replace(self, at_ns=self.at_ns[chosen], value=self.value[chosen])

    def text(self, pid: str, shift_ns: int) -> pa.Array:
        """Its C events, a text each. `shift_ns` makes the table's times those of the file."""
        numbered: dict[str, Any] = {} if self.id is None else {"id": self.id}
        head = json.dumps({"ph": "C", "name": self.name, **numbered})[:-1] + f', "pid": {pid}, "ts": '
        return together(
            large([head] * len(self.at_ns)),
            microseconds(self.at_ns + shift_ns),
            f', "args": {{{json.dumps(self.what)}: ',
            large(self.value),
            "}}",
        )


Counters = Callable[[Run, int], Sequence[Counter]]
"""What makes the counters of a trace of a run."""


def no_counters(run: Run, trace: int) -> Sequence[Counter]:
    return ()
