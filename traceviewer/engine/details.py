"""One event in full: what a click shows. Costs binary searches and one small batch of args."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np

from simulation.events import EventTable
from simulation.replay.slack import UNBOUNDED
from traceviewer.engine.opened import OPENED, Files, OpenedRun

MAX_LAUNCHED = 100
"""A graph launch starts thousands of kernels; the first ones are listed."""


class NoSuchEvent(LookupError):
    """The run has no such trace or row."""


def event(files: Files, trace: int, row: int) -> dict[str, Any]:
    """The event as docs/protocol.md, "Event", says. Raises NoSuchEvent."""
    opened = OPENED.get(files)
    table = table_of(opened, trace, row)
    return {
        "run": files.id,
        "trace": trace,
        **_reference(opened, trace, row),
        "name_code": int(opened.run.name_codes[trace][table.columns["name"][row]]),
        "category": table.category_of(row),
        "spellings": table.info.spellings.get(table.category_of(row), []),
        "dur_ns": int(table.dur_ns[row]),
        "self_ns": self_ns(table, row),
        "depth": int(table.depth[row]),
        "step": _step(table, row),
        "source_index": int(table.source_index[row]),
        "correlation": str(int(table.correlation[row])) if table.correlation[row] else "",
        "module": list(table.module_path(row)),
        "args": split_args(table.args[int(table.source_index[row])]),
        "end_args": split_args(_end_args(table, row)),
        "parents": [{"row": parent, "name": table.name_of(parent)} for parent in parents(table, row)],
        "launch": _reference(opened, trace, int(table.launch[row])) if table.launch[row] >= 0 else None,
        "launched": [_reference(opened, trace, found) for found in opened.launches[trace][row][:MAX_LAUNCHED]],
        "measured": _measured(opened, trace, row),
        "slack_ns": _slack_ns(opened, trace, row),
    }


def table_of(opened: OpenedRun, trace: int, row: int) -> EventTable:
    """The table of a trace that has this row. Raises NoSuchEvent."""
    if trace >= len(opened.run.traces) or row >= len(opened.run.traces[trace]):
        raise NoSuchEvent(f"the run has no event {row} of trace {trace}")
    return opened.run.traces[trace]


def names(files: Files, codes: list[int]) -> dict[str, str]:
    """Names by code, as text; codes that the run does not have are left out."""
    words = OPENED.get(files).run.names
    return {str(code): words[code] for code in codes if 0 <= code < len(words)}


def timeline(files: Files) -> dict[str, Any]:
    """The timeline's layout."""
    return OPENED.get(files).layout


def split_args(text: bytes) -> list[list[str]]:
    """[key, JSON text of its value] for each arg, the text as in the file; what is not an object is one pair."""
    if not text:
        return []
    try:
        raw = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [["", text.decode(errors="replace")]]
    return [[key, bytes(value).decode(errors="replace")] for key, value in raw.items()]


def parents(table: EventTable, row: int) -> list[int]:
    """The slices that enclose a row, outermost first."""
    found: list[int] = []
    while (row := int(table.parent[row])) >= 0:
        found.append(row)
    return found[::-1]


def self_ns(table: EventTable, row: int) -> int:
    """The slice's duration less the time that its direct children cover of it."""
    begin, end = int(table.start_ns[row]), int(table.start_ns[row] + table.dur_ns[row])
    children = _children(table, row, begin, end)
    start = np.maximum(table.start_ns[children], begin)
    stop = np.minimum(table.start_ns[children] + table.dur_ns[children], end)
    order = np.argsort(start, kind="stable")
    start, stop = start[order], stop[order]
    reached = np.maximum.accumulate(np.concatenate([[begin], stop]))
    return end - begin - int(np.maximum(reached[1:] - np.maximum(reached[:-1], start), 0).sum())


def _children(table: EventTable, row: int, begin: int, end: int) -> np.ndarray:
    """Rows whose parent is `row`: they start within it, so each lane of its track holds them in one run of rows."""
    lane_rows = table.tracks[int(table.track[row])].lane_rows
    found = []
    for first, last in zip(lane_rows, lane_rows[1:], strict=False):
        inside = np.searchsorted(table.start_ns[first:last], np.array([begin, end + 1])) + first
        found.append(np.arange(*inside)[table.parent[slice(*inside)] == row])
    return np.concatenate(found)


def _reference(opened: OpenedRun, trace: int, row: int) -> dict[str, Any]:
    table = opened.run.traces[trace]
    return {
        "row": row,
        "track": opened.track_numbers[trace, int(table.track[row])],
        "name": table.name_of(row),
        "start_ns": int(table.start_ns[row]) + opened.run.shift_ns[trace],
    }


def _step(table: EventTable, row: int) -> str | None:
    step = int(table.step[row])
    return None if step < 0 else table.name_of(int(np.asarray(table.sides["steps"]["row"])[step]))


def _end_args(table: EventTable, row: int) -> bytes:
    """Args of the end of a slice that the file gives as a begin and an end."""
    rows, ends = (np.asarray(table.sides["ends"][column]) for column in ("row", "source_index"))
    line = int(np.searchsorted(rows, row))
    found = line < len(rows) and rows[line] == row and ends[line] >= 0
    return table.args[int(ends[line])] if found else b""


def _measured(opened: OpenedRun, trace: int, row: int) -> dict[str, int] | None:
    if opened.measured is None:
        return None
    table = opened.measured.traces[trace]
    return {"start_ns": int(table.start_ns[row]) + opened.run.shift_ns[trace], "dur_ns": int(table.dur_ns[row])}


def _slack_ns(opened: OpenedRun, trace: int, row: int) -> int | None:
    """How much longer the event of a prediction may last before the run ends later; None: not known, or for ever."""
    slack = int(opened.slack_ns[trace][row]) if opened.slack_ns else -1
    return slack if 0 <= slack < UNBOUNDED else None
