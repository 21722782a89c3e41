"""The rows of the table: each stage of the engine, in events per second."""

from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from simulation.analysis.report import analyze
from simulation.events import EventTable
from simulation.formats import read_trace
from simulation.graph import TaskGraph, build_graph
from simulation.lod import PIXELS, LodIndex, Palette, TileSource, overview_level, tile
from simulation.replay import replay, replay_run
from simulation.run import Run
from simulation.tracks import arrange, lane_counts, nest
from tests.benchmarks.timing import Figure, measure, measure_in_turn

JSON_LOADS, READ, LANES, INDEX = "json.loads", "read", "lanes", "index"
GRAPH, REPLAY, GRAPH_AND_REPLAY = "graph", "replay", "graph, replay, report"
ANALYSIS = "analysis"
VIEWPORT, CLOSE_VIEWPORT = "viewport, whole run", "viewport, a sixteenth of it"

CLOSER_LEVELS = 4


def of_file(source: str, path: Path) -> list[Figure]:
    """Reading `path`, beside the standard library's parser on its text, and all that follows."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    table = read_trace(path)
    run, entries = Run.of([table]), table.info.events
    return [
        *measure_in_turn(source, entries, {JSON_LOADS: lambda: json.loads(text), READ: lambda: read_trace(path)}),
        *of_run(source, run),
        measure(source, GRAPH_AND_REPLAY, len(table), lambda: replay_run(run)),
        measure(source, ANALYSIS, entries, lambda: analyze(_afresh(run))),
    ]


def of_run(source: str, run: Run) -> list[Figure]:
    """Lanes, index, viewport, graph and replay of a run of one trace."""
    (table,), rows = run.traces, len(run.traces[0])
    built: deque[TaskGraph] = deque(maxlen=1)
    return [
        measure(source, LANES, rows, _Nesting(table).lanes),
        measure(source, INDEX, rows, lambda: LodIndex.build(table.start_ns, table.dur_ns, table.lane_offsets)),
        *_viewports(source, run),
        measure(source, GRAPH, rows, lambda: built.append(build_graph(run))),
        measure(source, REPLAY, rows, lambda: replay(built[0])),
    ]


def _afresh(run: Run) -> Run:
    """The same run, with nothing worked out yet."""
    return replace(run, traces=tuple(replace(table) for table in run.traces))


class _Nesting:
    """A table's events as the reader hands them to `tracks`: in the order of the file."""

    def __init__(self, table: EventTable) -> None:
        in_file = np.argsort(table.source_index, kind="stable")
        self.tracks = len(table.tracks)
        self.track = table.track[in_file].astype(np.int64)
        self.start_ns, self.dur_ns = table.start_ns[in_file], table.dur_ns[in_file]
        self.kind = table.kind[in_file].astype(np.int64)
        self.is_stream = np.array([track.kind == "stream" for track in table.tracks])

    def lanes(self) -> None:
        """Nesting, lanes and the order of rows, as at reading."""
        order = np.lexsort((-self.dur_ns, self.start_ns, self.track))
        nesting = nest(order, self.track, self.start_ns, self.dur_ns, self.kind, self.is_stream)
        counts, lane = lane_counts(self.track, nesting.lane, self.kind, self.tracks)
        arrange(order, self.track, lane, counts)


def _viewports(source: str, run: Run) -> list[Figure]:
    """Every track of the run, as a screen that shows all lanes asks for them: the whole run, and its middle."""
    table, shift_ns = run.traces[0], run.shift_ns[0]
    index = LodIndex.build(table.start_ns, table.dur_ns, table.lane_offsets)
    palette = Palette.of(table.names, table.categories)
    tiles = TileSource(table.columns, index, palette, run.name_codes[0], shift_ns)
    end_ns = int(table.end_ns.max()) + shift_ns
    level = overview_level(end_ns)
    close = max(0, level - CLOSER_LEVELS)
    middle = (end_ns // 2 >> close) // PIXELS
    views = ((VIEWPORT, level, (0, 1)), (CLOSE_VIEWPORT, close, (middle, middle + 1)))
    return [_viewport(source, what, table, tiles, at, numbers) for what, at, numbers in views]


def _viewport(
    source: str, what: str, table: EventTable, tiles: TileSource, level: int, numbers: Sequence[int]
) -> Figure:
    def draw() -> int:
        parts = [tile(tiles, track.lane_rows, level, number) for track in table.tracks for number in numbers]
        return sum(int(part.count.sum()) for part in parts)

    return measure(source, what, draw(), draw)
