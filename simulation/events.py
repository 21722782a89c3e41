"""EventTable: the one table that everything shares.

One trace (one rank) is a folder of Arrow files: `events.arrow` (a row per slice, instant or counter
sample), `args.arrow` (the raw args), a typed side table per kind of detail, and derived files (level of
detail, graph) that can be deleted and made again. Rows are sorted by (track, lane, start), so that a lane
is one contiguous run of rows. Everything is immutable once written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from simulation.args import ArgsStore
from simulation.dependencies import Dependencies
from simulation.errors import StoreError
from simulation.quality import QualityReport
from simulation.store import Column, Strings, open_table, write_table

FORMAT_VERSION = 2
"""Of the folder; a change brings an upgrader here, an entry in docs/formats.md, and a test with an old folder."""


class Kind(IntEnum):
    """What a row is."""

    SLICE = 0
    INSTANT = 1
    COUNTER = 2


COLUMNS: dict[str, type[np.generic]] = {
    "start_ns": np.int64,  # relative to the trace's base_ns
    "dur_ns": np.int64,  # >= 0; 0 for instants and counters
    "kind": np.uint8,  # Kind
    "name": np.int32,  # code into `names`
    "category": np.int16,  # code into `categories`
    "track": np.uint16,  # index into `tracks`
    "depth": np.uint16,  # nesting within the track, 0 = outermost
    "lane": np.uint16,  # drawing row within the track; no two slices of a lane overlap
    "parent": np.int32,  # row of the enclosing slice, -1 none
    "launch": np.int32,  # row of the call that launched a device event, -1 none
    "correlation": np.int64,  # 0 none
    "external_id": np.int64,  # 0 none
    "step": np.int32,  # index into the `steps` side table, -1 none
    "source_index": np.int32,  # position in the file's event list: the anchor of comments and links
}
"""The columns of `events.arrow`. `name` and `category` are stored as dictionary columns."""

TEXT = str
"""Marks a dictionary column in SIDE_TABLES."""

SIDE_TABLES: dict[str, dict[str, Any]] = {
    # Every `row` column is a row of the event table, ascending. Absent integers are -1 unless said.
    "steps": {"row": np.int32, "number": np.int64},
    "kernels": {
        "row": np.int32,
        "grid_x": np.int32, "grid_y": np.int32, "grid_z": np.int32,
        "block_x": np.int32, "block_y": np.int32, "block_z": np.int32,
        "registers": np.int32,
        "shared_memory_bytes": np.int64,
    },
    "device": {"row": np.int32, "device": np.int32, "stream": np.int64, "graph": np.int64, "size_bytes": np.int64},
    "collectives": {
        "row": np.int32,
        "collective": TEXT, "group": TEXT, "group_ranks": TEXT, "dtype": TEXT,
        "group_size": np.int32, "sequence": np.int64,
        "in_elements": np.int64, "out_elements": np.int64,
        "source_rank": np.int32, "target_rank": np.int32,
    },
    "shapes": {"row": np.int32, "dims": TEXT, "types": TEXT},
    "ops": {"row": np.int32, "record_function": np.int64, "sequence": np.int64, "forward_thread": np.int64},
    "syncs": {
        "row": np.int32, "sync": TEXT, "stream": np.int64,
        "wait_stream": np.int64, "wait_record_correlation": np.int64, "event": np.int64,
    },
    "flows": {"source_index": np.int32, "phase": np.uint8, "id": np.int64, "category": TEXT, "row": np.int32},
    "counters": {"row": np.int32, "series": TEXT, "value": np.float64},
    "memory": {
        "row": np.int32, "address": np.int64, "size_bytes": np.int64,
        "allocated_bytes": np.int64, "reserved_bytes": np.int64, "device_type": np.int32, "device": np.int32,
    },
    "modules": {"row": np.int32, "python_id": np.int64, "python_parent": np.int64, "module": np.int64},
    "module_tree": {"parent": np.int32, "name": TEXT},  # a line is a module; its parent is an earlier line
    "module_rows": {"row": np.int32, "node": np.int32},  # innermost module around a row, line of module_tree
    "ends": {"row": np.int32, "source_index": np.int32},  # slices of a begin and an end: where the end stands
    "asyncs": {"row": np.int32, "id": TEXT},  # rows on tracks of kind "async"
    "nodes": {
        "row": np.int32, "node": np.int64, "node_type": TEXT,
        "operations": np.int64, "tensor_bytes": np.int64, "message_bytes": np.int64, "message_tag": np.int64,
    },
    "pairs": {"row": np.int32, "paired_row": np.int32},  # the same operation in the `paired` table
    "unplaced": {"source_index": np.int32, "phase": TEXT, "name": TEXT, "category": TEXT, "reason": TEXT},
}  # fmt: skip
"""The typed side tables: what the engine needs of the args, lifted at reading."""

SINCE = {"module_tree": 2, "module_rows": 2, "ends": 2, "asyncs": 2, "nodes": 2, "pairs": 2}
"""Side table -> first version of the folder that has it; in an older folder it is empty."""

DEVICE_CATEGORIES = frozenset({"kernel", "gpu_memcpy", "gpu_memset"})
"""Work that occupies the device, by normalized category (`categories` hold normalized names)."""

CALL_CATEGORIES = frozenset(
    {
        "cuda_runtime",
        "cuda_driver",
        "xpu_runtime",
        "xpu_driver",
        "privateuse1_runtime",
        "privateuse1_driver",
        "mtia_runtime",
        "glow_runtime",
    }
)
"""Calls into a device runtime; HIP calls are `cuda_runtime` in the files."""

WINDOW_CATEGORY = "Trace"
"""The profiler's own marker of its window: in the table, in no figure."""


@dataclass(frozen=True)
class Track:
    """A thread, a stream, a counter or a process's asynchronous work of one category: the timeline's unit."""

    index: int
    kind: str  # "thread" | "stream" | "counter" | "async" | "marker" (profiler's own spans)
    pid: str  # as in the file, text whatever its type there
    tid: str
    process: str  # what to show: "python3 4711", "GPU 0"
    name: str  # what to show: "main thread", "stream 7"
    device: int  # of a stream, else -1
    stream: int  # of a stream, else -1
    sort: int  # order within the rank
    lane_rows: tuple[int, ...]  # rows of lane l: lane_rows[l] .. lane_rows[l + 1]

    @property
    def lanes(self) -> int:
        return len(self.lane_rows) - 1

    @property
    def rows(self) -> slice:
        return slice(self.lane_rows[0], self.lane_rows[-1])


@dataclass(frozen=True)
class TraceInfo:
    """What one file says about itself."""

    format: str  # "kineto", "chrome"
    file_name: str
    source_sha256: str  # of the file as given, "" when not read from a file
    base_ns: int  # unix ns that start_ns counts from, exact
    events: int  # entries in the file's event list, of every phase
    rank: int | None = None
    world_size: int | None = None
    metadata: dict[str, Any] = field(default_factory=dict)  # the file's own top-level keys, large lists cut
    spellings: dict[str, list[str]] = field(default_factory=dict)  # normalized category -> as in the file, if not so
    archive_sha256: str = ""  # of the archive that the file came in

    @property
    def placed(self) -> str:
        """Where the times come from: "recorded", or "replay" where the reader placed nodes by their dependencies."""
        return "replay" if self.metadata.get("placed") == "replay" else "recorded"

    @property
    def placing(self) -> str:
        """Which dependencies the placed nodes wait for, "data and control" or "data"; "" where times are recorded."""
        return str(self.metadata.get("placing", "")) if self.placed == "replay" else ""


@dataclass(frozen=True)
class EventTable:
    """The events of one trace; arrays are read-only views of the mapped file once opened from a store."""

    info: TraceInfo
    columns: Mapping[str, np.ndarray]
    names: tuple[str, ...]
    categories: tuple[str, ...]
    tracks: tuple[Track, ...]
    sides: Mapping[str, Mapping[str, Column]]
    quality: QualityReport
    args: ArgsStore
    dependencies: Dependencies | None = None  # that the file itself states
    paired: EventTable | None = None  # execution trace of the same rank; side table `pairs` ties its rows to these

    def __len__(self) -> int:
        return len(self.columns["start_ns"])

    def __getattr__(self, column: str) -> np.ndarray:
        try:
            values: np.ndarray = self.__dict__["columns"][column]
        except KeyError:
            raise AttributeError(column) from None
        return values

    @cached_property
    def end_ns(self) -> np.ndarray:
        return np.asarray(self.columns["start_ns"] + self.columns["dur_ns"])

    @cached_property
    def by_time(self) -> np.ndarray:
        """Rows by (start, longer first): i32 permutation."""
        return np.lexsort((-self.columns["dur_ns"], self.columns["start_ns"])).astype(np.int32)

    @cached_property
    def lane_offsets(self) -> np.ndarray:
        """Rows of all lanes of all tracks, in track and lane order: i64, lanes + 1 entries."""
        starts = [row for track in self.tracks for row in track.lane_rows[:-1]]
        return np.array([*starts, len(self)], dtype=np.int64)

    def category_mask(self, categories: frozenset[str]) -> np.ndarray:
        """Rows whose normalized category is one of `categories`: bool."""
        wanted = np.array([name in categories for name in self.categories] or [False])
        return np.asarray(wanted[self.columns["category"]])

    @cached_property
    def is_device(self) -> np.ndarray:
        """Rows that occupy the device (kernel, memcpy, memset), linked or not: bool."""
        return np.asarray(self.category_mask(DEVICE_CATEGORIES) & (self.columns["kind"] == Kind.SLICE))

    @cached_property
    def is_window(self) -> np.ndarray:
        """Rows of the profiler's own window markers: bool."""
        return self.category_mask(frozenset({WINDOW_CATEGORY}))

    @property
    def counts_in_span(self) -> np.ndarray:
        """Rows from the first to the last of which a run lasts: slices, but not the profiler's window: bool."""
        return np.asarray((self.kind == Kind.SLICE) & ~self.is_window)

    def name_of(self, row: int) -> str:
        return self.names[int(self.columns["name"][row])]

    def category_of(self, row: int) -> str:
        return self.categories[int(self.columns["category"][row])]

    def module_path(self, row: int) -> tuple[str, ...]:
        """The modules in which a row ran, outermost first; nothing where Python's stacks were not recorded."""
        tree, inside = self.sides["module_tree"], self.sides["module_rows"]
        rows, path = np.asarray(inside["row"]), list[str]()
        line = int(np.searchsorted(rows, row))
        node = int(inside["node"][line]) if line < len(rows) and rows[line] == row else -1
        while node >= 0:
            path.append(str(tree["name"][node]))
            node = int(tree["parent"][node])
        return tuple(path[::-1])

    def content_hash(self) -> str:
        """Identifies the rows and their order; a predicted run names it and is refused for another."""
        digest = hashlib.sha256(self.info.source_sha256.encode())
        for column in ("source_index", "start_ns", "dur_ns"):
            digest.update(np.ascontiguousarray(self.columns[column]).data)
        return digest.hexdigest()

    def with_times(self, start_ns: np.ndarray, dur_ns: np.ndarray) -> EventTable:
        """The same events at other times (a predicted run): rows, lanes and args are shared, not copied."""
        return replace(self, columns={**self.columns, "start_ns": start_ns, "dur_ns": dur_ns})

    def save(self, folder: Path) -> None:
        """Write the table and its side tables; args are written by the reader as it goes. Nothing is synced."""
        columns: dict[str, Column] = dict(self.columns)
        columns["name"] = Strings(self.columns["name"], self.names)
        columns["category"] = Strings(self.columns["category"], self.categories)
        self.args.save(folder / "args.arrow")
        for name, side in self.sides.items():
            write_table(folder / f"{name}.arrow", side, {"format_version": FORMAT_VERSION}, synced=False)
        if self.dependencies is not None:
            self.dependencies.save(folder)
        if self.paired is not None:
            self.paired.save(folder / "paired")
        meta = {
            "format_version": FORMAT_VERSION,
            "info": asdict(self.info),
            "tracks": [asdict(track) for track in self.tracks],
            "quality": self.quality.stored(),
        }
        write_table(folder / "events.arrow", columns, meta, synced=False)

    @classmethod
    def open(cls, folder: Path) -> EventTable:
        """Map a saved table; costs milliseconds whatever its size. Raises StoreError."""
        columns, meta = open_table(folder / "events.arrow")
        version = readable_version(meta, folder)
        names, categories = columns["name"], columns["category"]
        assert isinstance(names, Strings) and isinstance(categories, Strings)
        return cls(
            info=TraceInfo(**meta["info"]),
            columns={
                **{name: column for name, column in columns.items() if isinstance(column, np.ndarray)},
                "name": names.codes,
                "category": categories.codes,
            },
            names=names.words,
            categories=categories.words,
            tracks=tuple(Track(**{**track, "lane_rows": tuple(track["lane_rows"])}) for track in meta["tracks"]),
            sides=_Sides(folder, version),
            quality=QualityReport(meta["quality"]),
            args=ArgsStore.open(folder / "args.arrow"),
            dependencies=Dependencies.open(folder),
            paired=cls.open(folder / "paired") if (folder / "paired").is_dir() else None,
        )


class _Sides(dict[str, Mapping[str, Column]]):
    """Side tables of a saved trace, each mapped when first asked for; the upgrader of folders without some of them."""

    def __init__(self, folder: Path, version: int) -> None:
        self.folder, self.version = folder, version

    def __missing__(self, name: str) -> Mapping[str, Column]:
        if name not in SIDE_TABLES:
            raise KeyError(name)
        columns = empty_side(name)
        if self.version >= SINCE.get(name, 1):
            columns, _ = open_table(self.folder / f"{name}.arrow")
        self[name] = columns
        return columns


def readable_version(meta: Mapping[str, Any], folder: Path) -> int:
    """The version of a stored folder. Raises StoreError where this program cannot read or upgrade it."""
    version = meta["format_version"]
    if version not in range(1, FORMAT_VERSION + 1):
        raise StoreError(
            f"is of store version {version}, this program reads versions 1 to {FORMAT_VERSION}",
            file=folder.name,
            hint="Read the run again from its original file.",
        )
    return int(version)


def empty_side(name: str) -> dict[str, Column]:
    """A side table without lines."""
    return {
        column: Strings(np.empty(0, np.int32), ()) if type_ is TEXT else np.empty(0, type_)
        for column, type_ in SIDE_TABLES[name].items()
    }
