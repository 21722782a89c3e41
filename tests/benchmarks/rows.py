"""The rows of the table: each stage of the engine, in events per second."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from simulation.analysis.report import analyze
from simulation.events import EventTable
from simulation.formats import read_trace
from simulation.graph import TaskGraph, build_graph
from simulation.lod import PIXELS, LodIndex, Palette, TileSource, overview_level, tile
from simulation.replay import critical_path, last_node, replay, replay_run
from simulation.replay.causes import Rows
from simulation.replay.path import CriticalPath, by_cause, path_causes
from simulation.replay.sensitivity import sensitivity
from simulation.run import Run
from simulation.tracks import arrange, lane_counts, nest
from tests.benchmarks import passes, reading
from tests.benchmarks.timing import Figure, measure, together

LANES, INDEX = "lanes", "index"
GRAPH, REPLAY, GRAPH_AND_REPLAY = "graph", "replay", "graph, replay, report"
PATH, PATH_SHARES = "graph, replay, path", "graph, replay, path, shares"
SENSITIVITY, FIRST_USE = "sensitivity", "first use in a fresh process"
ANALYSIS = "analysis"
VIEWPORT, CLOSE_VIEWPORT = "viewport, whole run", "viewport, a sixteenth of it"

CLOSER_LEVELS = 4


def of_file(source: str, path: Path) -> list[Figure]:
    """Reading `path`, and all that follows."""
    run = Run.of([read_trace(path)])
    return [
        *reading.of_file(source, path),
        *of_run(source, run),
        measure(source, PATH, len(run.traces[0]), lambda: path_of(run)),
        measure(source, PATH_SHARES, len(run.traces[0]), lambda: shares_of_path(run)),
        measure(source, GRAPH_AND_REPLAY, len(run.traces[0]), lambda: replay_run(run)),
        measure(source, ANALYSIS, run.traces[0].info.events, lambda: analyze(_afresh(run))),
        *_scenarios(source, run),
        measure(source, FIRST_USE, run.traces[0].info.events, lambda: in_fresh_process(path)),
    ]


def path_of(run: Run) -> tuple[TaskGraph, CriticalPath]:
    """The critical path of the run, from its table: the nodes, the edges between them, and when."""
    graph = build_graph(run)
    times = replay(graph)
    path = critical_path(times, last_node(times))
    assert len(path.bounds_ns) == len(path.edges)  # both are worked out when asked for
    return graph, path


def shares_of_path(run: Run) -> list[dict[str, object]]:
    """What the critical path of the run is made of, from its table."""
    graph, path = path_of(run)
    return by_cause(path, path_causes(path, Rows(run, graph)))


def in_fresh_process(path: Path) -> None:
    """`traceviewer replay` as a person types it, kernels compiled before."""
    command = [sys.executable, "-m", "traceviewer.cli", "replay", str(path), "--json"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def _scenarios(source: str, run: Run) -> list[Figure]:
    graph = build_graph(run)
    replays = 2 * len(sensitivity(run, graph)["entries"])
    return [
        passes.of_scenarios(source, graph),
        measure(source, SENSITIVITY, replays * graph.edges, lambda: sensitivity(run, graph)),
    ]


def of_run(source: str, run: Run, graph: bool = True) -> list[Figure]:
    """Lanes, index and viewport, all traces one after the other; graph and replay of the run."""
    return [
        together(measure(source, LANES, len(table), _Nesting(table).lanes) for table in run.traces),
        together(measure(source, INDEX, len(table), partial(_index, table)) for table in run.traces),
        *_viewports(source, run),
        *(_graph(source, run) if graph else ()),
    ]


def _index(table: EventTable) -> LodIndex:
    return LodIndex.build(table.start_ns, table.dur_ns, table.lane_offsets)


def _graph(source: str, run: Run) -> list[Figure]:
    built: deque[TaskGraph] = deque(maxlen=1)
    rows = int(run.row_base[-1])
    return [
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
        self.track = table.track[in_file]
        self.start_ns, self.dur_ns = table.start_ns[in_file], table.dur_ns[in_file]
        self.kind = table.kind[in_file].astype(np.int8)
        self.is_stream = np.array([track.kind == "stream" for track in table.tracks])

    def lanes(self) -> None:
        """Nesting, lanes and the order of rows, as at reading."""
        order = np.lexsort((-self.dur_ns, self.start_ns, self.track)).astype(np.int32)
        nesting = nest(order, self.track, self.start_ns, self.dur_ns, self.kind, self.is_stream)
        counts, lane = lane_counts(self.track, nesting.lane, self.kind, self.tracks)
        arrange(order, self.track, lane, counts)


def _viewports(source: str, run: Run) -> list[Figure]:
    """Every track of the run, as a screen that shows all lanes asks for them: the whole run, and its middle."""
    end_ns = max(int(table.end_ns.max()) + shift for table, shift in zip(run.traces, run.shift_ns, strict=True))
    level = overview_level(end_ns)
    close = max(0, level - CLOSER_LEVELS)
    middle = (end_ns // 2 >> close) // PIXELS
    views = ((VIEWPORT, level, (0, 1)), (CLOSE_VIEWPORT, close, (middle, middle + 1)))
    by_trace = [_trace_viewports(source, run, trace, views) for trace in range(len(run.traces))]
    return [together(figures) for figures in zip(*by_trace, strict=True)]


def _trace_viewports(
    source: str, run: Run, trace: int, views: Sequence[tuple[str, int, Sequence[int]]]
) -> list[Figure]:
    table = run.traces[trace]
    palette = Palette.of(table.names, table.categories)
    tiles = TileSource(table.columns, _index(table), palette, run.name_codes[trace], run.shift_ns[trace])
    return [_viewport(source, what, table, tiles, level, numbers) for what, level, numbers in views]


def _viewport(
    source: str, what: str, table: EventTable, tiles: TileSource, level: int, numbers: Sequence[int]
) -> Figure:
    def draw() -> int:
        parts = [tile(tiles, track.lane_rows, level, number) for track in table.tracks for number in numbers]
        return sum(int(part.count.sum()) for part in parts)

    return measure(source, what, draw(), draw)
