"""The timeline's layout: which tracks there are, in which order, and what to show first.

Worked out once, when a run is read or replayed, and stored beside the level-of-detail index: opening a
timeline then reads one small file. The keys are those of docs/protocol.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulation.events import EventTable, Kind, Track
from simulation.lod import busiest_tracks, dense_view, overview_level
from simulation.run import Run


def layout(run: Run) -> dict[str, Any]:
    """The layout of a run at the times its tables hold; O(events)."""
    tracks = [
        {"trace": index, **_track(table, track, run.shift_ns[index])}
        for index, table in enumerate(run.traces)
        for track in display_tracks(table)
    ]
    span = _hull(tracks)
    return {
        "base_ns": str(run.origin_ns),
        "placed": run.placed,
        "placing": run.placing,
        "span": span,
        "view": _view(run, span),
        "traces": [{"index": index, "rank": rank, "label": _label(run, index)} for index, rank in enumerate(run.ranks)],
        "tracks": tracks,
        "steps": [step for index in range(len(run.traces)) for step in _steps(run, index)],
        "overview": {"level": overview_level(span[1]), "tracks": _overview_tracks(run, tracks)},
    }


def display_tracks(table: EventTable) -> list[Track]:
    """The tracks that hold anything, in the order in which they are shown."""
    shown = [track for track in table.tracks if track.rows.stop > track.rows.start]
    return sorted(shown, key=lambda track: (track.sort, track.index))


def _track(table: EventTable, track: Track, shift_ns: int) -> dict[str, Any]:
    rows = track.rows
    return {
        "index": track.index,
        "kind": track.kind,
        "group": track.process,
        "name": track.name,
        "lanes": track.lanes,
        "events": rows.stop - rows.start,
        "begin_ns": int(table.start_ns[rows].min()) + shift_ns,
        "end_ns": int(table.end_ns[rows].max()) + shift_ns,
    }


def _hull(tracks: list[dict[str, Any]]) -> list[int]:
    if not tracks:
        return [0, 0]
    return [min(track["begin_ns"] for track in tracks), max(track["end_ns"] for track in tracks)]


def _label(run: Run, index: int) -> str:
    rank = run.ranks[index]
    return run.traces[index].info.file_name if rank is None else f"rank {rank}"


def _steps(run: Run, index: int) -> list[dict[str, Any]]:
    table, shift_ns = run.traces[index], run.shift_ns[index]
    rows = np.asarray(table.sides["steps"]["row"])
    return [
        {
            "trace": index,
            "name": table.name_of(row),
            "begin_ns": int(table.start_ns[row]) + shift_ns,
            "end_ns": int(table.end_ns[row]) + shift_ns,
        }
        for row in rows[np.argsort(table.start_ns[rows], kind="stable")].tolist()
    ]


def _overview_tracks(run: Run, tracks: list[dict[str, Any]]) -> list[list[int]]:
    """Per trace, the tracks that stand for it in the minimap, busiest first."""
    number = {(track["trace"], track["index"]): number for number, track in enumerate(tracks)}
    return [[number[index, track] for track in busiest_tracks(table)] for index, table in enumerate(run.traces)]


def _view(run: Run, span: list[int]) -> list[int]:
    """Where the events are, with a margin; all of it if there is nothing but markers and counters."""
    work = [_work(table, shift_ns) for table, shift_ns in zip(run.traces, run.shift_ns, strict=True)]
    start_ns = np.concatenate([start for start, _ in work] or [np.zeros(0, np.int64)])
    end_ns = np.concatenate([end for _, end in work] or [np.zeros(0, np.int64)])
    if not len(start_ns):
        return span
    begin, end = dense_view(start_ns, end_ns)
    margin = (end - begin) // 50
    return [max(begin - margin, span[0]), min(end + margin, span[1])]


def _work(table: EventTable, shift_ns: int) -> tuple[np.ndarray, np.ndarray]:
    """Starts and ends of all events but the profiler's own markers and the counters."""
    kept = ~table.is_window & (table.kind != Kind.COUNTER)
    return table.start_ns[kept] + shift_ns, table.end_ns[kept] + shift_ns
