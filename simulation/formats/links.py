"""What ties rows together: launches and flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from simulation.events import CALL_CATEGORIES, DEVICE_CATEGORIES, WINDOW_CATEGORY, Kind, Track
from simulation.lod.overview import dense_view
from simulation.quality import QualityReport
from simulation.store import Column, Strings
from simulation.tracks import enclosing, following

LAUNCH_FLOW = "ac2g"
"""Category of the flows from a launch call to its device work."""

_FLOW_START, _FLOW_END = ord("s"), ord("f")


@dataclass(frozen=True)
class Rows:
    """The table while it is built: enough of it to link its rows."""

    columns: Mapping[str, np.ndarray]
    names: tuple[str, ...]
    categories: tuple[str, ...]
    tracks: tuple[Track, ...]
    lane_rows: np.ndarray  # i64, first row of each lane of all tracks, lanes + 1
    lanes: np.ndarray  # i64, of each track

    def __len__(self) -> int:
        return len(self.columns["start_ns"])

    @cached_property
    def end_ns(self) -> np.ndarray:
        return np.asarray(self.columns["start_ns"] + self.columns["dur_ns"])

    @cached_property
    def on_stream(self) -> np.ndarray:
        return self.on_kind("stream")

    def on_kind(self, kind: str) -> np.ndarray:
        """Rows on tracks of this kind: bool."""
        return np.asarray(np.array([track.kind == kind for track in self.tracks])[self.columns["track"]])

    @cached_property
    def is_slice(self) -> np.ndarray:
        return np.asarray(self.columns["kind"] == Kind.SLICE)

    @cached_property
    def is_device(self) -> np.ndarray:
        return self.of_category(*DEVICE_CATEGORIES)

    def of_category(self, *wanted: str) -> np.ndarray:
        """Slices of these categories: bool per row."""
        mask = np.array([category in wanted for category in self.categories] or [False])
        return np.asarray(mask[self.columns["category"]] & self.is_slice)

    @cached_property
    def is_far(self) -> np.ndarray:
        """Slices and instants outside of the region where the events are, to which the first view fits: bool."""
        windows = np.array([category == WINDOW_CATEGORY for category in self.categories] or [False])
        work = (self.columns["kind"] != Kind.COUNTER) & ~windows[self.columns["category"]]
        start, end = self.columns["start_ns"][work], self.end_ns[work]
        begin, stop = dense_view(start, end)
        return np.asarray((end < begin) | (start > stop))

    def bound(self, track: np.ndarray, at_ns: np.ndarray, binds_next: np.ndarray) -> np.ndarray:
        """Row of the slice that a flow binds to at a time of a track, -1 none: i32.

        The deepest that is open then; where `binds_next` (bool) the next to start, if there is one.
        """
        first_lane = np.concatenate([[0], np.cumsum(self.lanes)])
        start, kind = self.columns["start_ns"], self.columns["kind"]
        row: np.ndarray = enclosing(track, at_ns, self.lane_rows, first_lane, start, self.end_ns, kind)
        later = following(np.where(binds_next, track, -1), at_ns, self.lane_rows, first_lane, start, kind)
        return np.where(later >= 0, later, row)


@dataclass(frozen=True)
class Flows:
    """The `flows` side table while it is built."""

    source_index: np.ndarray  # i32
    phase: np.ndarray  # u8, letter
    id: np.ndarray  # i64
    category: Strings
    row: np.ndarray  # i32, of the slice it leaves or enters, -1 none

    def columns(self) -> dict[str, Column]:
        return dict(vars(self))


def launches(rows: Rows, flows: Flows, quality: QualityReport) -> np.ndarray:
    """Row of the call that launched each device-side row, -1 none: by correlation, else by flow."""
    correlation, start = rows.columns["correlation"], rows.columns["start_ns"]
    launch = np.full(len(rows), -1, np.int32)
    calls = np.flatnonzero(rows.of_category(*CALL_CATEGORIES) & (correlation != 0))
    by_id = calls[np.lexsort((rows.columns["source_index"][calls], start[calls], correlation[calls]))]
    ids, first = np.unique(correlation[by_id], return_index=True)
    quality.add("duplicate_correlations", len(calls) - len(ids))

    work = np.flatnonzero(rows.on_stream & rows.is_slice & (correlation != 0))
    launch[work] = _matched(correlation[work], ids, by_id[first])
    unlinked = rows.is_device & (correlation == 0)
    if unlinked.any():
        by_flow = _launches_by_flow(flows, len(rows))
        launch[unlinked] = by_flow[unlinked]

    ids = np.sort(rows.columns["external_id"][rows.of_category("cpu_op")])
    quality.add("duplicate_external_ids", int(np.count_nonzero((np.diff(ids) == 0) & (ids[1:] != 0))))
    linked = np.flatnonzero(rows.is_device & (launch >= 0))
    quality.add("launch_after_start", int(np.count_nonzero(start[linked] < start[launch[linked]])))
    quality.add("unlinked_device_events", int(np.count_nonzero(rows.is_device)) - len(linked))
    return launch


def _matched(wanted: np.ndarray, ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Row of each wanted id, -1 where it is not among the sorted `ids`."""
    if not len(ids):
        return np.full(len(wanted), -1, np.int64)
    place = np.minimum(np.searchsorted(ids, wanted), len(ids) - 1)
    return np.where(ids[place] == wanted, rows[place], -1)


def _launches_by_flow(flows: Flows, rows: int) -> np.ndarray:
    """For each row at which a launch flow ends: the row where it starts."""
    launch_flow = np.array([word == LAUNCH_FLOW for word in flows.category.words] or [False])
    bound = launch_flow[flows.category.codes] & (flows.row >= 0)
    starts = np.flatnonzero(bound & (flows.phase == _FLOW_START))
    ends = np.flatnonzero(bound & (flows.phase == _FLOW_END))
    known, first = np.unique(flows.id[starts], return_index=True)
    launch = np.full(rows, -1, np.int32)
    launch[flows.row[ends]] = _matched(flows.id[ends], known, flows.row[starts][first])
    return launch


def dangling(category: np.ndarray, flow_id: np.ndarray, phase: np.ndarray) -> int:
    """Flow events whose (category, id) has no start, or no finish."""
    order = np.lexsort((flow_id, category))
    begins = (np.diff(category[order], prepend=-1) != 0) | (np.diff(flow_id[order], prepend=0) != 0)
    arrow = np.cumsum(begins)
    starts = np.bincount(arrow, weights=phase[order] == _FLOW_START) > 0
    ends = np.bincount(arrow, weights=phase[order] == _FLOW_END) > 0
    return int(np.count_nonzero(~(starts & ends)[arrow]))
