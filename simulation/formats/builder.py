"""TableBuilder: the one way from a file format to an EventTable.

A format adds blocks of columns in the order of the file, names processes and threads, and calls `build`.
Everything that all formats share happens here and in the modules beside: which events are rows, tracks,
lanes, launches, steps, side tables, and what the quality report says about it.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from simulation.args import ArgsStore
from simulation.errors import DamagedTrace, EmptyTrace
from simulation.events import COLUMNS, SINCE, EventTable, Kind, TraceInfo, empty_side
from simulation.formats import decimals, links
from simulation.formats.details import Details, strings
from simulation.formats.modules import module_tree
from simulation.formats.naming import Labels, TrackPlan, plan_tracks
from simulation.formats.pairs import Pairs, pair_up
from simulation.formats.phases import ASYNC, BEGINS, ENDS, FLOW_END, TIMED, Role, roles
from simulation.formats.steps import mark_steps
from simulation.formats.words import Words
from simulation.quality import QualityReport
from simulation.store import Column
from simulation.tracks import Nesting, arrange, lane_counts, nest, side_by_side

SLICE = ord("X")
"""The phase of a slice with its duration, for formats that write no phases themselves."""

LIFTED = ("collectives", "shapes", "ops", "memory", "modules", "nodes")
"""Side tables that have a row wherever an event has one of their details."""


@dataclass(frozen=True)
class Block:
    """Events as columns, one entry per entry of the file's event list, in its order."""

    phase: np.ndarray  # i64, letter; 0 missing, -1 the entry is no object
    start_ns: np.ndarray  # i64
    start_flags: np.ndarray  # i64, see decimals
    dur_ns: np.ndarray  # i64
    dur_flags: np.ndarray  # i64
    name: np.ndarray  # i32 code into the builder's `names`
    category: np.ndarray  # i32 code into `categories`, normalized
    pid: np.ndarray  # i32 code into `places`
    tid: np.ndarray  # i32 code into `places`

    def __len__(self) -> int:
        return len(self.phase)

    @classmethod
    def joined(cls, blocks: list[Block]) -> Block:
        columns = {field.name: [getattr(block, field.name) for block in blocks] for field in fields(cls)}
        return cls(**{name: np.concatenate(parts) for name, parts in columns.items()})


class TableBuilder:
    """Takes events in, gives the table out. Words are codes into `names`, `categories`, `places`, `details.texts`."""

    def __init__(self) -> None:
        self.names, self.categories, self.places = Words(), Words(), Words()
        self.details = Details()
        self.labels = Labels()
        self.quality = QualityReport()
        self._blocks: list[Block] = []
        self.events = 0

    def add(self, block: Block) -> None:
        self._blocks.append(block)
        self.events += len(block)

    def build(self, info: TraceInfo, args: ArgsStore) -> EventTable:
        """Raises EmptyTrace where nothing has a place on a timeline, DamagedTrace where limits are exceeded."""
        if not self.events:
            raise EmptyTrace("holds no events", hint="Was the profiler stopped before it recorded a step?")
        return _Assembly(self, Block.joined(self._blocks)).table(info, args)


class _Assembly:
    """The steps from columns in file order to rows in (track, lane, start) order."""

    def __init__(self, builder: TableBuilder, events: Block) -> None:
        self.builder, self.events, self.quality = builder, events, builder.quality
        self.role = roles(events.phase)
        self.timed = (events.start_flags & decimals.UNUSABLE) == 0
        self.pairs = self._pairs()
        self.kind = self._kinds()
        self.placed = np.flatnonzero(self.kind >= 0)  # events that become rows
        if not len(self.placed):
            raise EmptyTrace("holds no event with a time", hint="There is nothing to show on a timeline.")
        self.is_async = np.isin(self.role[self.placed], ASYNC)
        self.plan: TrackPlan = plan_tracks(builder, events, self.placed, self.kind[self.placed], self.is_async)

    def _pairs(self) -> Pairs:
        events, is_slice = self.events, self.role == Role.SLICE
        known = (events.dur_flags & decimals.UNUSABLE) == 0
        given = (events.dur_flags & decimals.MISSING) == 0
        return pair_up(
            self.builder, events, self.role, self.timed & ~(is_slice & given & ~known), self.timed & is_slice & known
        )

    def _kinds(self) -> np.ndarray:
        """Kind of each event, -1 where it is no row."""
        role, pairs, events = self.role, self.pairs, self.events
        lasting = (events.dur_flags & (decimals.UNUSABLE & ~decimals.MISSING)) == 0
        lasting &= pairs.end_ns >= events.start_ns
        kind = np.full(len(events), -1, np.int64)
        kind[(role == Role.SLICE) & self.timed & lasting] = Kind.SLICE
        kind[np.isin(role, BEGINS) & self.timed] = Kind.SLICE
        kind[((role == Role.INSTANT) | (role == Role.ASYNC_INSTANT)) & self.timed] = Kind.INSTANT
        kind[(role == Role.COUNTER) & self.timed] = Kind.COUNTER
        return kind

    def table(self, info: TraceInfo, args: ArgsStore) -> EventTable:
        columns, lane_rows, counts = self._rows()
        row_of = self._row_of(columns["source_index"])
        details, rows = self.builder.details, len(columns["start_ns"])
        columns["correlation"] = details.dense("correlation", row_of, rows, 0)
        columns["external_id"] = details.dense("external_id", row_of, rows, 0)
        names, name_codes = self._used(self.builder.names, columns["name"])
        categories, category_codes = self._used(self.builder.categories, columns["category"])
        columns["name"], columns["category"] = name_codes, category_codes
        tracks = self.plan.tracks(lane_rows, counts)
        view = links.Rows(columns, names, categories, tracks, lane_rows, counts)
        flows = self._flows(view)
        columns["launch"] = links.launches(view, flows, self.quality)
        steps, columns["step"] = mark_steps(view, self.quality)
        sides = {
            **self._sides(view, row_of),
            **module_tree(view),
            "steps": steps,
            "flows": flows.columns(),
            "unplaced": self._unplaced(),
        }
        self._count_quality(view)
        return EventTable(
            info=info,
            columns={name: np.ascontiguousarray(columns[name], type_) for name, type_ in COLUMNS.items()},
            names=names,
            categories=categories,
            tracks=tracks,
            sides=sides,
            quality=self.quality,
            args=args,
        )

    def _rows(self) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """The columns that time and place decide, in row order; rows of lanes; lanes of tracks."""
        events, placed, track = self.events, self.placed, self.plan.track
        kind, start = self.kind[placed], events.start_ns[placed]
        dur = np.where(kind == Kind.SLICE, self.pairs.end_ns[placed] - start, 0)
        order, nesting = self._nested(start, dur, kind)
        counts, lane = lane_counts(track, nesting.lane, kind, self.plan.count)
        event_of, lane_rows = arrange(order, track, lane, counts)
        row_of_placed = np.empty(len(placed) + 1, np.int64)
        row_of_placed[event_of] = np.arange(len(placed))
        row_of_placed[-1] = -1  # the row of parent -1
        self._count_overlaps(nesting.partial, track)
        source = placed[event_of]
        columns = {
            "start_ns": start[event_of],
            "dur_ns": dur[event_of],
            "kind": kind[event_of],
            "name": events.name[source],
            "category": events.category[source],
            "track": track[event_of],
            "depth": nesting.depth[event_of],
            "lane": lane[event_of],
            "parent": row_of_placed[nesting.parent[event_of]],
            "source_index": source,
        }
        return columns, lane_rows, counts

    def _nested(self, start: np.ndarray, dur: np.ndarray, kind: np.ndarray) -> tuple[np.ndarray, Nesting]:
        """Placed events by (track, start, longer first), and their nesting; asynchronous ids nest each for itself."""
        track, strict = self.plan.track, self.plan.is_stream
        order = np.lexsort((-dur, start, track))
        if not self.is_async.any():
            return order, nest(order, track, start, dur, kind, strict)
        strand = np.where(self.is_async, len(strict) + self.pairs.strand[self.placed], track)
        by_strand = np.lexsort((-dur, start, strand))
        nesting = nest(by_strand, strand, start, dur, kind, np.append(strict, np.zeros(strand.max() + 1, np.bool_)))
        lane = side_by_side(by_strand[self.is_async[by_strand]], strand, track, start, dur, kind, nesting.lane)
        return order, replace(nesting, lane=lane)

    def _row_of(self, source_index: np.ndarray) -> np.ndarray:
        row_of = np.full(len(self.events), -1, np.int64)
        row_of[source_index] = np.arange(len(source_index))
        return row_of

    def _used(self, words: Words, codes: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        column = strings(codes, words.words)
        if words is self.builder.categories and len(column.words) > np.iinfo(np.int16).max:
            raise DamagedTrace(f"has {len(column.words):,} categories", hint="At most 32,767 can be told apart.")
        return column.words, column.codes

    def _flows(self, view: links.Rows) -> links.Flows:
        events, words = self.events, self.builder.categories.words
        at = np.flatnonzero(self.role == Role.FLOW)
        phase, category = events.phase[at], events.category[at]
        event, ids = self.builder.details.get("flow_id")
        flow_id = np.zeros(len(events), np.int64)
        flow_id[event] = ids
        launched = np.array([word == links.LAUNCH_FLOW for word in words] or [False])[category] & (phase == FLOW_END)
        track = np.where(self.timed[at], self.plan.track_of(events.pid[at], events.tid[at], launched), -1)
        binds_next = np.zeros(len(events), np.bool_)
        binds_next[self.builder.details.get("flow_binds_next")[0]] = True
        self.quality.add("dangling_flows", links.dangling(category, flow_id[at], phase))
        return links.Flows(
            source_index=at.astype(np.int32),
            phase=phase.astype(np.uint8),
            id=flow_id[at],
            category=strings(category, words),
            row=view.bound(track, events.start_ns[at], binds_next[at]),
        )

    def _sides(self, view: links.Rows, row_of: np.ndarray) -> dict[str, dict[str, Column]]:
        details, rows = self.builder.details, len(view)
        members = {
            "kernels": view.of_category("kernel"),
            "device": view.is_device,
            "syncs": view.of_category("cuda_sync") | details.rows_with("syncs", row_of, rows),
            **{name: details.rows_with(name, row_of, rows) for name in LIFTED},
        }
        sides = {name: details.table(name, row_of, mask) for name, mask in members.items()}
        added = {"ends": self._ends(row_of), "asyncs": self._asyncs(row_of), "counters": self._counters(row_of)}
        return {**{name: empty_side(name) for name in SINCE}, **sides, **added}

    def _ends(self, row_of: np.ndarray) -> dict[str, Column]:
        """The slices that the file gives as a begin and an end."""
        begin = np.flatnonzero(np.isin(self.role, BEGINS) & (row_of >= 0))
        begin = begin[np.argsort(row_of[begin])]
        return {"row": row_of[begin].astype(np.int32), "source_index": self.pairs.mate[begin].astype(np.int32)}

    def _asyncs(self, row_of: np.ndarray) -> dict[str, Column]:
        at = self.placed[self.is_async]
        at = at[np.argsort(row_of[at])]
        event, code = self.builder.details.get("async_id")
        of_event = np.full(len(self.events), -1, np.int64)
        of_event[event] = code
        return {"row": row_of[at].astype(np.int32), "id": strings(of_event[at], self.builder.details.texts.words)}

    def _counters(self, row_of: np.ndarray) -> dict[str, Column]:
        event, series = self.builder.details.get("series")
        _, bits = self.builder.details.get("series_value")
        row = row_of[event]
        order = np.flatnonzero(row >= 0)
        order = order[np.argsort(row[order], kind="stable")]
        if not len(order):
            return empty_side("counters")
        return {
            "row": row[order].astype(np.int32),
            "series": strings(series[order], self.builder.details.texts.words),
            "value": bits[order].view(np.float64),
        }

    @cached_property
    def _unplaced_reason(self) -> np.ndarray:
        """Why an event is no row, as a code into REASONS; 0: it is one, or belongs to one, or is a flow or a name."""
        role, kind = self.role, self.kind
        known = np.isin(role, TIMED)
        lost = known & (kind < 0)
        no_dur = (self.events.dur_flags & decimals.UNUSABLE) != 0
        reason = np.zeros(len(role), np.int64)
        reason[role == Role.UNKNOWN] = UNKNOWN_PHASE
        reason[self.events.phase == -1] = NO_OBJECT
        reason[lost] = NEGATIVE
        reason[lost & no_dur & (role == Role.SLICE)] = NO_DURATION
        is_end = np.isin(role, ENDS)
        reason[is_end] = np.where(self.pairs.mate[is_end] < 0, LONE_END, 0)
        reason[lost & ~self.timed] = NO_START
        return reason

    def _unplaced(self) -> dict[str, Column]:
        at = np.flatnonzero(self._unplaced_reason)
        phase = self.events.phase[at]
        letters = [chr(code) if code > 0 else "" for code in range(256)]
        return {
            "source_index": at.astype(np.int32),
            "phase": strings(np.maximum(phase, 0), letters),
            "name": strings(self.events.name[at], self.builder.names.words),
            "category": strings(self.events.category[at], self.builder.categories.words),
            "reason": strings(self._unplaced_reason[at], list(REASONS)),
        }

    def _count_overlaps(self, partial: np.ndarray, track: np.ndarray) -> None:
        on_stream = self.plan.is_stream[track[partial]]
        self._count("overlapping_slices", on_stream)
        self._count("child_outlasts_parent", ~on_stream)

    def _count_quality(self, view: links.Rows) -> None:
        reason, events, names = self._unplaced_reason, self.events, self.builder.names
        flags = np.concatenate([events.start_flags, events.dur_flags[self.role == Role.SLICE]])
        self._count("unplaced_events", (reason == NO_START) | (reason == NO_DURATION))
        self._count("negative_durations", reason == NEGATIVE)
        self._count("lone_ends", reason == LONE_END)
        self._count("unfinished_slices", self.pairs.unfinished)
        self._count("unknown_phases", (reason == UNKNOWN_PHASE) | (reason == NO_OBJECT))
        self._count("zero_durations", view.is_slice & (view.columns["dur_ns"] == 0))
        self._count("outside_dense_range", view.is_far)
        self._count("sub_nanosecond_times", flags & decimals.ROUNDED)
        self._count("text_numbers", ((flags & decimals.TEXT) > 0) & ((flags & decimals.UNUSABLE) == 0))
        self._count("invalid_utf8", np.array(names.replaced)[events.name])
        self._count("control_characters", np.array(names.controls)[events.name])

    def _count(self, code: str, touched: np.ndarray) -> None:
        self.quality.add(code, int(np.count_nonzero(touched)))


REASONS = (
    "",
    "not an object",
    "a phase that a timeline cannot show",
    "no usable start",
    "no usable duration",
    "negative duration",
    "an end without a begin",
)
"""Why an event is in the `unplaced` table."""
_, NO_OBJECT, UNKNOWN_PHASE, NO_START, NO_DURATION, NEGATIVE, LONE_END = range(len(REASONS))
