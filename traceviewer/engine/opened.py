"""Opened runs: the stored files of a run mapped into this process, the least recently used closed first."""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from django.conf import settings

from simulation import rendezvous
from simulation.analysis.waiting import Waits
from simulation.errors import StoreError
from simulation.events import EventTable
from simulation.lod import LodIndex, Palette, TileSource
from simulation.rendezvous import Rendezvous
from simulation.replay import Prediction
from simulation.run import Run as EngineRun
from simulation.run import measured_times
from traceviewer.runs import store
from traceviewer.runs.indexing import ALIGNED_LAYOUT, LAYOUT, Launches, trace_folder
from traceviewer.runs.models import Run


@dataclass(frozen=True)
class Files:
    """Where the files of a run lie: all that opening it needs to know, so that it needs no database."""

    id: str
    kind: str
    folder: str
    files: dict[str, int] = field(compare=False)  # the folder says it all
    measured: Files | None
    is_aligned: bool = False  # asked for with the clocks' offsets taken off all times

    @classmethod
    def of(cls, run: Run) -> Files:
        """No query. A predicted run rests on the version of its measured run that it was computed from."""
        base = None
        if run.measured_run_id:
            base = cls(str(run.measured_run_id), Run.Kind.MEASURED, run.base_folder, run.base_files, None)
        return cls(str(run.pk), run.kind, run.folder, run.files, base)

    @property
    def version(self) -> str:
        return self.folder.rpartition("/")[2] + ("-aligned" if self.is_aligned else "")

    @property
    def key(self) -> tuple[str, bool]:
        return self.folder, self.is_aligned


class OpenedRun:
    """A run whose files are mapped; everything else is worked out when first asked for. Never changes."""

    def __init__(self, files: Files) -> None:
        self.files = files
        self.folder = store.local(files.folder, files.files)
        self.slack_ns: tuple[np.ndarray, ...] = ()  # of a prediction, per trace and row
        if files.is_aligned:
            recorded = OPENED.get(replace(files, is_aligned=False))  # its maps are shared
            self.measured, self.run = recorded.measured, recorded.run.aligned()
            self.slack_ns = recorded.slack_ns
        elif files.measured:
            self.measured = OPENED.get(files.measured).run  # shared, so that pairing by origin is a glance
            prediction = Prediction.open(self.folder, self.measured)
            self.run, self.slack_ns = prediction.predicted, prediction.slack_ns
        else:
            self.measured = None
            self.run = EngineRun.open(self.folder)

    @cached_property
    def layout(self) -> dict[str, Any]:
        """As docs/protocol.md, "Timeline layout", says. Raises StoreError."""
        name = ALIGNED_LAYOUT if self.run.is_aligned and self.run.has_clocks else LAYOUT
        try:
            stored = json.loads((self.folder / name).read_text())
        except OSError as error:
            raise StoreError(f"cannot be opened ({error.strerror})", file=name) from error
        clock = "aligned" if self.run.is_aligned else "recorded"
        asked = {"run": self.files.id, "kind": self.files.kind, "version": self.files.version, "clock": clock}
        traces = [{**trace, "clock": self._clock(trace["index"])} for trace in stored["traces"]]
        return {"placing": [], **asked, **stored, "traces": traces}  # layouts of earlier versions say no placing

    @cached_property
    def tracks(self) -> list[tuple[int, int]]:
        """(trace, track of its table) by position in the layout."""
        return [(track["trace"], track["index"]) for track in self.layout["tracks"]]

    @cached_property
    def track_numbers(self) -> dict[tuple[int, int], int]:
        """Position in the layout by (trace, track of its table)."""
        return {place: number for number, place in enumerate(self.tracks)}

    @cached_property
    def sources(self) -> list[TileSource]:
        """Per trace, what tiles are cut from."""
        return [self._source(index, table) for index, table in enumerate(self.run.traces)]

    @cached_property
    def waits(self) -> Waits:
        """Who waited for whom: what met is told by the measured run, when by this one."""
        return Waits.of(self.met, *measured_times(self.run.aligned()))

    @cached_property
    def met(self) -> Rendezvous:
        """The collectives of the measured run."""
        return rendezvous.find(self.measured or self.run)

    @cached_property
    def launches(self) -> list[Launches]:
        """Per trace, the rows that each call launched."""
        return [Launches(trace_folder(self.folder, index)) for index in range(len(self.run.traces))]

    def _clock(self, trace: int) -> dict[str, int] | None:
        clock = self.run.clocks[trace]
        return clock and {"offset_ns": clock.offset_ns, "uncertainty_ns": clock.uncertainty_ns}

    def _source(self, index: int, table: EventTable) -> TileSource:
        return TileSource(
            columns=table.columns,
            index=LodIndex.open(trace_folder(self.folder, index) / "lod.arrow"),
            palette=Palette.of(table.names, table.categories),
            name_codes=self.run.name_codes[index],
            shift_ns=self.run.shift_ns[index],
        )


class OpenedRuns:
    """The runs opened last, at most `ENGINE_OPEN_RUNS`. Safe to ask from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._opened: OrderedDict[tuple[str, bool], OpenedRun] = OrderedDict()

    def get(self, files: Files) -> OpenedRun:
        """The opened run. Two threads that open it at the same time both do the work; one result is kept."""
        with self._lock:
            opened = self._opened.get(files.key)
        opened = opened or OpenedRun(files)
        with self._lock:
            opened = self._opened.setdefault(files.key, opened)
            self._opened.move_to_end(files.key)
            while len(self._opened) > settings.ENGINE_OPEN_RUNS:
                self._opened.popitem(last=False)
        return opened


OPENED = OpenedRuns()
