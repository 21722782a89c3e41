"""What of a run is written out: all of it, or a range of time, or some tracks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulation.events import EventTable
from simulation.run import Run


@dataclass(frozen=True)
class Selection:
    """Rows that touch the half-open range, of the traces and on the tracks named; None: no bound, all of them."""

    begin_ns: int | None = None  # since the run's origin
    end_ns: int | None = None
    tracks: frozenset[tuple[int, int]] | None = None  # (trace, track of its table)
    ranks: frozenset[int] | None = None  # places of traces in the run

    @property
    def is_whole(self) -> bool:
        """Traces are written with all that is in them, also what has no place on a timeline."""
        return self.begin_ns is None and self.end_ns is None and self.tracks is None

    def rows(self, run: Run, trace: int) -> np.ndarray:
        """The selected rows of a trace, in the order of its file: i64."""
        table = run.traces[trace]
        chosen = self._in_time(table, run.shift_ns[trace])
        if self.tracks is not None:
            wanted = np.array([(trace, track.index) in self.tracks for track in table.tracks])
            chosen &= wanted[table.track]
        rows = np.flatnonzero(chosen)
        return rows[np.argsort(table.source_index[rows])]

    def traces(self, run: Run) -> list[int]:
        """The traces of which something may be selected."""
        traces = list(range(len(run.traces)))
        if self.ranks is not None:
            traces = [trace for trace in traces if trace in self.ranks]
        if self.tracks is None:
            return traces
        of_tracks = {trace for trace, _ in self.tracks}
        return [trace for trace in traces if trace in of_tracks]

    def _in_time(self, table: EventTable, shift_ns: int) -> np.ndarray:
        chosen = np.ones(len(table), np.bool_)
        if self.end_ns is not None:
            chosen &= table.start_ns + shift_ns < self.end_ns
        if self.begin_ns is not None:
            begin_ns = self.begin_ns - shift_ns
            chosen &= (table.end_ns > begin_ns) | (table.start_ns >= begin_ns)
        return chosen


EVERYTHING = Selection()
