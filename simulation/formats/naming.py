"""Which track an event lies on, in which order tracks are shown, and what they are called."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from simulation.errors import DamagedTrace
from simulation.events import CALL_CATEGORIES, DEVICE_CATEGORIES, WINDOW_CATEGORY, Kind, Track
from simulation.formats.details import distinct
from simulation.formats.links import LAUNCH_FLOW
from simulation.formats.steps import STEP_NAME
from simulation.tracks import LIMIT

if TYPE_CHECKING:
    from simulation.formats.builder import Events, TableBuilder

STREAM_CATEGORIES = DEVICE_CATEGORIES | {
    "gpu_user_annotation",
    "cuda_sync",
    "cuda_event",
    "cuda_profiler_range",
    "mtia_ccp_events",
    "xpu_sync",
}
"""Normalized categories whose (pid, tid) means (device, stream)."""

THREAD_CATEGORIES = CALL_CATEGORIES | {
    "cpu_op",
    "hpu_op",
    "user_annotation",
    "cpu_instant_event",
    "python_function",
    "overhead",
    WINDOW_CATEGORY,
}
"""Those whose (pid, tid) means a thread; any other goes where its (pid, tid) leads."""

KINETO_CATEGORIES = (
    STREAM_CATEGORIES
    | THREAD_CATEGORIES
    | {LAUNCH_FLOW, "fwdbwd", "external_correlation", "mtia_insight", "mtia_counters", "collective_comm"}
    | {"xpu_scope_profiler", "hardware_counters"}
)
"""What Kineto writes; in a trace with none of it, another program did."""

QUOTE = '"'
"""Begins a pid or tid that is text in the file, so that 7 and "7" stay two places."""

MARKER_PIDS = frozenset({'"Spans', '"Traces', '"'})
"""Under which Kineto writes its own window and iteration marks."""

_HOST, _STREAM, _COUNTER, _ASYNC = 0, 1, 2, 3
_EITHER = -1

STREAM_WAITS = 1_000_000
"""What new builds of Kineto add to a stream's number for the row of its `Stream Sync` events."""

_KINETO_THREAD = re.compile(r"thread -?\d+ \((.*)\)")


@dataclass
class Labels:
    """What the file calls its processes and threads, by codes into the builder's `places`."""

    process: dict[int, str] = field(default_factory=dict)
    device: dict[int, str] = field(default_factory=dict)
    thread: dict[tuple[int, int], str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    """A track while its place in the order is sought."""

    way: int  # _HOST, _STREAM, _COUNTER, _ASYNC
    pid: str
    tid: str  # of a counter: its name; of asynchronous work: its category
    codes: tuple[int, int]
    events: int
    steps: int
    device: int
    stream: int

    @property
    def is_marker(self) -> bool:
        return self.way == _HOST and self.pid in MARKER_PIDS

    @property
    def kind(self) -> str:
        return "marker" if self.is_marker else ("thread", "stream", "counter", "async")[self.way]


@dataclass(frozen=True)
class TrackPlan:
    """The track of every event, and the tracks but for their rows."""

    track: np.ndarray  # u16 per placed event
    places: list[_Place]  # in display order
    labels: Labels

    @property
    def count(self) -> int:
        return len(self.places)

    @property
    def is_stream(self) -> np.ndarray:
        return np.array([place.kind == "stream" for place in self.places])

    def track_of(self, pid: np.ndarray, tid: np.ndarray, on_device: np.ndarray) -> np.ndarray:
        """Tracks of (pid, tid) pairs: where both exist, the stream if `on_device`, else the thread; -1 none."""
        known = {(place.way, *place.codes): index for index, place in enumerate(self.places)}
        longest = int(max(pid.max(initial=0), tid.max(initial=0))) + 1
        pairs, place = distinct((on_device.astype(np.int64) * longest + pid) * longest + tid)
        wishes = [(*divmod(code // longest, longest), code % longest) for code in pairs.tolist()]
        tracks = [known.get((wish, *codes), known.get((1 - wish, *codes), -1)) for wish, *codes in wishes]
        return np.array(tracks, np.int64)[place] if tracks else np.empty(0, np.int64)

    def tracks(self, lane_rows: np.ndarray, counts: np.ndarray) -> tuple[Track, ...]:
        first = np.concatenate([[0], np.cumsum(counts)]).tolist()
        rows = lane_rows.tolist()
        mains = _main_threads(self.places)
        return tuple(
            Track(
                index=index,
                kind=place.kind,
                pid=place.pid.removeprefix(QUOTE),
                tid="" if place.way in (_COUNTER, _ASYNC) else place.tid.removeprefix(QUOTE),
                process=_process_name(place, self.labels),
                name="main thread" if index in mains else _track_name(place, self.labels),
                device=place.device,
                stream=place.stream,
                sort=index,
                lane_rows=tuple(rows[first[index] : first[index + 1] + 1]),
            )
            for index, place in enumerate(self.places)
        )


def plan_tracks(
    builder: TableBuilder, events: Events, placed: np.ndarray, kind: np.ndarray, is_async: np.ndarray
) -> TrackPlan:
    """Give each placed event its track, and the tracks their order. Raises DamagedTrace where they are too many."""
    spots, spot = distinct(events.pid[placed] * np.int64(len(builder.places)) + events.tid[placed])
    way = _ways(builder, events.category[placed], spot, len(spots))
    way[is_async] = _ASYNC
    way[kind == Kind.COUNTER] = _COUNTER
    at = np.flatnonzero(way >= _COUNTER)
    key = 2 * spot + way
    named, key[at] = _titles(builder, events, placed[at], way[at], 2 * len(spots))
    keys, inverse = distinct(key)
    if len(keys) >= LIMIT:
        raise DamagedTrace(
            f"has {len(keys):,} threads, streams and counters; at most {LIMIT - 1:,} can be shown",
            hint="Record fewer threads, or split the file.",
        )
    counts = np.bincount(inverse, minlength=len(keys))
    is_step = np.array([STEP_NAME.fullmatch(word) is not None for word in builder.names.words] or [False])
    steps = np.bincount(inverse[is_step[events.name[placed]]], minlength=len(keys))
    device, stream = (_first_detail(builder, detail, placed, inverse, len(keys)) for detail in ("device", "stream"))
    places = []
    for index, key in enumerate(keys.tolist()):
        if key < 2 * len(spots):
            ways, words = key % 2, builder.places.words
            one, two = divmod(int(spots[key // 2]), len(words))
        else:
            ways, one, two = named[key - 2 * len(spots)]
            words = builder.names.words if ways == _COUNTER else builder.categories.words
        of_device = ways == _STREAM
        places.append(
            _Place(
                way=ways,
                pid=builder.places.words[one],
                tid=words[two],
                codes=(one, two),
                events=int(counts[index]),
                steps=int(steps[index]),
                device=_number(device[index], builder.places.words[one]) if of_device else -1,
                stream=_number(stream[index], words[two]) if of_device else -1,
            )
        )
    order = _display_order(places)
    position = np.empty(len(order), np.uint16)
    position[order] = np.arange(len(order))
    return TrackPlan(position[inverse], [places[index] for index in order], builder.labels)


def _titles(
    builder: TableBuilder, events: Events, at: np.ndarray, way: np.ndarray, first: int
) -> tuple[list[tuple[int, int, int]], np.ndarray]:
    """What tells counters (by name) and asynchronous work (by category) of a process apart.

    Of the events `at`: (distinct (way, process, name or category), which of them each has, counted from `first`).
    """
    longest = max(len(builder.names), len(builder.categories))
    word = np.where(way == _COUNTER, events.name[at], events.category[at])
    process = (way - np.int64(_COUNTER)) * len(builder.places) + events.pid[at]
    codes, place = distinct(process * longest + word)
    pairs = (divmod(code, longest) for code in codes.tolist())
    return [
        (_COUNTER + one // len(builder.places), one % len(builder.places), two) for one, two in pairs
    ], first + place


def _ways(builder: TableBuilder, category: np.ndarray, spot: np.ndarray, spots: int) -> np.ndarray:
    """_HOST or _STREAM of each event (i8): by its category, else by the company it keeps at its (pid, tid)."""
    of_category = np.array([_way_of(word) for word in builder.categories.words], np.int8)
    way: np.ndarray = of_category[category]
    is_device = np.zeros(spots, np.bool_)
    is_device[spot[way == _STREAM]] = True
    is_device[spot[way == _HOST]] = False
    either = way == _EITHER
    way[either] = np.where(is_device[spot[either]], _STREAM, _HOST)
    return way


def _way_of(category: str) -> int:
    if category in STREAM_CATEGORIES:
        return _STREAM
    return _HOST if category in THREAD_CATEGORIES else _EITHER


def _first_detail(builder: TableBuilder, detail: str, placed: np.ndarray, track: np.ndarray, tracks: int) -> np.ndarray:
    """The first value of a detail on each track, -1 none."""
    event, value = builder.details.get(detail)
    of_track = np.full(tracks, -1, np.int64)
    place = np.minimum(np.searchsorted(placed, event), len(placed) - 1)
    known = (placed[place] == event) & (value >= 0)
    of_track[track[place[known]][::-1]] = value[known][::-1]
    return of_track


def _number(value: int, word: str) -> int:
    """The value from the args, else the number that stands for pid or tid, else -1."""
    if value >= 0:
        return int(value)
    return int(word) if re.fullmatch(r"\d{1,9}", word) else -1


def _display_order(places: list[_Place]) -> list[int]:
    """Devices and their streams, processes (with steps, then busy, first) and their threads and then their
    asynchronous work, counters, marks.

    Devices come first: where the time went is asked of them, and a deep thread would push them off the screen.
    """
    steps: dict[str, int] = {}
    events: dict[str, int] = {}
    for place in places:
        if place.way == _HOST:
            steps[place.pid] = steps.get(place.pid, 0) + place.steps
            events[place.pid] = events.get(place.pid, 0) + place.events

    def key(index: int) -> tuple[object, ...]:
        place = places[index]
        if place.is_marker:
            return (3, 0, 0, place.pid, 0, 0, place.tid)
        if place.way == _STREAM:
            return (0, place.device, 0, place.pid, place.stream, len(place.tid), place.tid)
        if place.way == _COUNTER:
            return (2, 0, 0, place.pid, 0, 0, place.tid)
        last, busy = (1, 0) if place.way == _ASYNC else (-place.steps, -place.events)
        return (1, -steps.get(place.pid, 0), -events.get(place.pid, 0), place.pid, last, busy, place.tid)

    return sorted(range(len(places)), key=key)


def _main_threads(places: list[_Place]) -> set[int]:
    """Of each process, the thread that runs the steps, or whose id is the process's own.

    No process has id 0: Kineto writes Python stacks there when it knows no thread for them.
    """
    first: dict[str, int] = {}
    for index, place in enumerate(places):
        if place.kind == "thread" and (place.steps or place.pid == place.tid != "0"):
            first.setdefault(place.pid, index)
    return set(first.values())


def _process_name(place: _Place, labels: Labels) -> str:
    if place.is_marker:
        return "profiler"
    if place.way == _STREAM:
        label = labels.device.get(place.codes[0], "")
        return label if label and label != "CPU" else f"GPU {place.device}"
    return f"{labels.process.get(place.codes[0], 'process')} {place.pid.removeprefix(QUOTE)}".strip()


def _track_name(place: _Place, labels: Labels) -> str:
    tid = place.tid.removeprefix(QUOTE)
    if place.way in (_COUNTER, _ASYNC):
        return tid or "async"
    given = labels.thread.get(place.codes, "").strip()
    if place.way == _STREAM:
        if tid == str(place.stream + STREAM_WAITS):
            return f"stream {place.stream} waits"
        return given if given.startswith("stream") else f"stream {tid}"
    if place.is_marker:
        return given or tid or "marks"
    kineto = _KINETO_THREAD.fullmatch(given)
    if kineto and kineto[1] != labels.process.get(place.codes[0]):
        return f"{kineto[1]} {tid}"
    return f"thread {tid}" if kineto or not given else given
