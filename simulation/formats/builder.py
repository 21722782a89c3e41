"""TableBuilder: the one way from a file format to an EventTable.

A format adds blocks of columns in the order of the file, names processes and threads, and calls `build`.
Everything that all formats share happens here and in the modules beside: which events are rows, tracks,
lanes, launches, steps, side tables, and what the quality report says about it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from simulation.args import ArgsStore
from simulation.errors import DamagedTrace, EmptyTrace
from simulation.events import COLUMNS, SINCE, EventTable, Kind, TraceInfo, empty_side
from simulation.formats import decimals, links
from simulation.formats.details import Details, strings
from simulation.formats.modules import module_tree
from simulation.formats.naming import Labels, TrackPlan, plan_tracks
from simulation.formats.pairs import Pairs, pair_up
from simulation.formats.phases import ASYNC, BEGINS, ENDS, FLOW_END, TIMED, Role, among, roles
from simulation.formats.steps import mark_steps
from simulation.formats.words import Words
from simulation.quality import QualityReport
from simulation.spool import Spool
from simulation.store import Column, Strings
from simulation.tracks import Nesting, arrange, lane_counts, nest, side_by_side

SLICE = ord("X")
"""The phase of a slice with its duration, for formats that write no phases themselves."""

LIFTED = ("collectives", "shapes", "ops", "memory", "modules", "nodes")
"""Side tables that have a row wherever an event has one of their details."""


@dataclass(frozen=True)
class Block:
    """Events as columns, one entry per entry of the file's event list, in its order."""

    phase: np.ndarray  # integer, letter; 0 missing, -1 the entry is no object
    start_ns: np.ndarray  # i64
    start_flags: np.ndarray  # u8, see decimals
    dur_ns: np.ndarray  # i64
    dur_flags: np.ndarray  # u8
    name: np.ndarray  # i32 code into the builder's `names`
    category: np.ndarray  # i32 code into `categories`, normalized
    pid: np.ndarray  # i32 code into `places`
    tid: np.ndarray  # i32 code into `places`

    def __len__(self) -> int:
        return len(self.phase)


class Events:
    """All blocks, by column: each is read again wherever it is named, so that few are in memory at a time."""

    TYPES: ClassVar[dict[str, type[np.generic]]] = {
        "phase": np.int16,
        "start_ns": np.int64,
        "start_flags": np.uint8,
        "dur_ns": np.int64,
        "dur_flags": np.uint8,
        **dict.fromkeys(("name", "category", "pid", "tid"), np.int32),
    }

    def __init__(self, spool: Spool) -> None:
        self._columns = {name: spool.column(type_) for name, type_ in self.TYPES.items()}

    def add(self, block: Block) -> None:
        for name, column in self._columns.items():
            column.add(getattr(block, name))

    def __len__(self) -> int:
        return len(self._columns["phase"])

    def __getattr__(self, column: str) -> np.ndarray:
        if column not in Events.TYPES:
            raise AttributeError(column)
        return self._columns[column].whole()


class TableBuilder:
    """Takes events in, gives the table out, once.

    Words are codes into `names`, `categories`, `places`, `details.texts`.
    """

    def __init__(self, scratch: Path | None = None) -> None:
        """`scratch`: the folder in which columns wait that are too large for the memory, None: the system's."""
        self.names, self.categories, self.places = Words(), Words(), Words()
        self.spool = Spool(scratch)
        self.details = Details(self.spool)
        self.labels = Labels()
        self.quality = QualityReport()
        self._events = Events(self.spool)

    @property
    def events(self) -> int:
        """How many were added."""
        return len(self._events)

    def add(self, block: Block) -> None:
        self._events.add(block)

    def build(self, info: TraceInfo, args: ArgsStore) -> EventTable:
        """Raises EmptyTrace where nothing has a place on a timeline, DamagedTrace where limits are exceeded."""
        if not self.events:
            raise EmptyTrace("holds no events", hint="Was the profiler stopped before it recorded a step?")
        self.spool.rest()
        try:
            return _Assembly(self, self._events).table(info, args)
        finally:
            self.spool.close()


class _Assembly:
    """The steps from columns in file order to rows in (track, lane, start) order.

    At most a few columns are in memory at a time: what is finished is kept in mapped pages, of which `rest` lets go.
    """

    def __init__(self, builder: TableBuilder, events: Events) -> None:
        self.builder, self.events, self.quality, self.spool = builder, events, builder.quality, builder.spool
        self.role = roles(events.phase)
        self.timed = (events.start_flags & decimals.UNUSABLE) == 0
        self.pairs = self._pairs()
        self.kind = self._kinds()
        self.placed = np.flatnonzero(self.kind >= 0).astype(np.int32)  # events that become rows
        if not len(self.placed):
            raise EmptyTrace("holds no event with a time", hint="There is nothing to show on a timeline.")
        self.dur_ns = self._durations()
        self.is_async = among(self.role[self.placed], ASYNC)
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
        kind = np.full(len(events), -1, np.int8)
        kind[(role == Role.SLICE) & self.timed & lasting] = Kind.SLICE
        kind[among(role, BEGINS) & self.timed] = Kind.SLICE
        kind[((role == Role.INSTANT) | (role == Role.ASYNC_INSTANT)) & self.timed] = Kind.INSTANT
        kind[(role == Role.COUNTER) & self.timed] = Kind.COUNTER
        return kind

    def _durations(self) -> np.ndarray:
        """Of each placed event, i64."""
        dur = self.pairs.end_ns[self.placed]
        self.pairs = replace(self.pairs, end_ns=dur[:0])  # nobody asks for it again
        dur -= self.events.start_ns[self.placed]
        dur[self.kind[self.placed] != Kind.SLICE] = 0
        return self.spool.keep(dur)

    def table(self, info: TraceInfo, args: ArgsStore) -> EventTable:
        columns, lane_rows, counts = self._rows()
        self.spool.rest()
        row_of = self._row_of(columns["source_index"], len(self.events))
        details, rows = self.builder.details, len(columns["start_ns"])
        for name in ("correlation", "external_id"):
            columns[name] = self._kept(name, details.dense(name, row_of, rows, 0))
        names, columns["name"] = self._used("name", self.builder.names, columns)
        categories, columns["category"] = self._used("category", self.builder.categories, columns)
        self.spool.rest()
        tracks = self.plan.tracks(lane_rows, counts)
        view = links.Rows(columns, names, categories, tracks, lane_rows, counts)
        flows = self._flows(view)
        self.spool.rest()
        columns["launch"] = self._kept("launch", links.launches(view, flows, self.quality))
        steps, step = mark_steps(view, self.quality)
        columns["step"] = self._kept("step", step)
        self.spool.rest()
        sides = {
            **self._sides(view, row_of),
            **module_tree(view),
            "steps": steps,
            "flows": {name: self._side(values) for name, values in flows.columns().items()},
            "unplaced": self._unplaced(),
        }
        self._count_quality(view)
        self.spool.rest()
        return EventTable(
            info=info,
            columns={name: columns[name] for name in COLUMNS},
            names=names,
            categories=categories,
            tracks=tracks,
            sides=sides,
            quality=self.quality,
            args=args,
        )

    def _rows(self) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
        """The columns that time and place decide, in row order; rows of lanes; lanes of tracks."""
        track, columns = self.plan.track, dict[str, np.ndarray]()
        self.spool.rest()
        start, kind = self.events.start_ns[self.placed], self.kind[self.placed]
        order, nesting = self._nested(start, self.dur_ns, kind)
        del start
        self._count_overlaps(nesting.partial, track)
        self.spool.rest()
        counts, lane = lane_counts(track, nesting.lane, kind, self.plan.count)
        event_of, lane_rows = arrange(order, track, lane, counts)
        del order

        def put(name: str, values: np.ndarray) -> None:
            columns[name] = self._kept(name, values)

        for name, of_event in (("kind", kind), ("track", track), ("depth", nesting.depth), ("lane", lane)):
            put(name, of_event[event_of])
        put("parent", self._row_of(event_of, len(event_of) + 1)[nesting.parent[event_of]])  # the last one of parent -1
        del nesting, kind, lane, of_event
        put("dur_ns", self.dur_ns[event_of])
        source = self.placed[event_of]
        del event_of
        put("source_index", source)
        for name in ("start_ns", "name", "category"):
            columns[name] = self.spool.keep(getattr(self.events, name)[source])
        return columns, lane_rows, counts

    def _kept(self, column: str, values: np.ndarray) -> np.ndarray:
        return self.spool.keep(np.ascontiguousarray(values, COLUMNS[column]))

    def _nested(self, start: np.ndarray, dur: np.ndarray, kind: np.ndarray) -> tuple[np.ndarray, Nesting]:
        """Placed events by (track, start, longer first), and their nesting; asynchronous ids nest each for itself."""
        track, strict = self.plan.track, self.plan.is_stream
        order = np.lexsort((-dur, start, track)).astype(np.int32)
        if not self.is_async.any():
            return order, nest(order, track, start, dur, kind, strict)
        strand = np.where(self.is_async, len(strict) + self.pairs.strand[self.placed], track)
        by_strand = np.lexsort((-dur, start, strand)).astype(np.int32)
        nesting = nest(by_strand, strand, start, dur, kind, np.append(strict, np.zeros(strand.max() + 1, np.bool_)))
        lane = side_by_side(by_strand[self.is_async[by_strand]], strand, track, start, dur, kind, nesting.lane)
        return order, replace(nesting, lane=lane)

    def _row_of(self, event: np.ndarray, events: int) -> np.ndarray:
        """Row of each of so many events, -1 none: i32. `event` is the event of each row."""
        row_of = np.full(events, -1, np.int32)
        row_of[event] = np.arange(len(event), dtype=np.int32)
        return row_of

    def _used(self, name: str, words: Words, columns: dict[str, np.ndarray]) -> tuple[tuple[str, ...], np.ndarray]:
        column = strings(columns[name], words.words)
        if name == "category" and len(column.words) > np.iinfo(np.int16).max:
            raise DamagedTrace(f"has {len(column.words):,} categories", hint="At most 32,767 can be told apart.")
        return column.words, self._kept(name, column.codes)

    def _flows(self, view: links.Rows) -> links.Flows:
        events, words = self.events, self.builder.categories.words
        at = np.flatnonzero(self.role == Role.FLOW)
        phase, category = events.phase[at], events.category[at]
        event, ids = self.builder.details.get("flow_id")
        flow_id = np.zeros(len(at), np.int64)
        flow_id[np.searchsorted(at, event)] = ids
        launched = np.array([word == links.LAUNCH_FLOW for word in words] or [False])[category] & (phase == FLOW_END)
        track = np.where(self.timed[at], self.plan.track_of(events.pid[at], events.tid[at], launched), -1)
        binds_next = np.zeros(len(events), np.bool_)
        binds_next[self.builder.details.get("flow_binds_next")[0]] = True
        self.quality.add("dangling_flows", links.dangling(category, flow_id, phase))
        return links.Flows(
            source_index=at.astype(np.int32),
            phase=phase.astype(np.uint8),
            id=flow_id,
            category=strings(category, words),
            row=view.bound(track, events.start_ns[at], binds_next[at]),
        )

    def _sides(self, view: links.Rows, row_of: np.ndarray) -> dict[str, dict[str, Column]]:
        details, rows = self.builder.details, len(view)

        def table(name: str, members: np.ndarray) -> dict[str, Column]:
            return {name: self._side(values) for name, values in details.table(name, row_of, members).items()}

        sides = {
            "kernels": table("kernels", view.of_category("kernel")),
            "device": table("device", view.is_device),
            "syncs": table("syncs", view.of_category("cuda_sync") | details.rows_with("syncs", row_of, rows)),
            **{name: table(name, details.rows_with(name, row_of, rows)) for name in LIFTED},
        }
        self.spool.rest()
        added = {"ends": self._ends(row_of), "asyncs": self._asyncs(row_of), "counters": self._counters(row_of)}
        return {**{name: empty_side(name) for name in SINCE}, **sides, **added}

    def _side(self, values: Column) -> Column:
        if isinstance(values, Strings):
            return Strings(self.spool.keep(values.codes), values.words)
        return self.spool.keep(values)

    def _ends(self, row_of: np.ndarray) -> dict[str, Column]:
        """The slices that the file gives as a begin and an end."""
        begin = np.flatnonzero(among(self.role, BEGINS) & (row_of >= 0))
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
        known = among(role, TIMED)
        lost = known & (kind < 0)
        no_dur = (self.events.dur_flags & decimals.UNUSABLE) != 0
        reason = np.zeros(len(role), np.uint8)
        reason[role == Role.UNKNOWN] = UNKNOWN_PHASE
        reason[self.events.phase == -1] = NO_OBJECT
        reason[lost] = NEGATIVE
        reason[lost & no_dur & (role == Role.SLICE)] = NO_DURATION
        is_end = among(role, ENDS)
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
