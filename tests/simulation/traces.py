"""Small Kineto files, event by event, for tests that want to know every number in them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

from simulation.events import EventTable
from simulation.formats import read_trace

Event = dict[str, Any]


def event(name: str = "op", start: Any = 0, dur: Any = 1, cat: str = "cpu_op", **more: Any) -> Event:
    """A slice on the main thread; times in microseconds."""
    return {"ph": "X", "cat": cat, "name": name, "pid": 7, "tid": 7, "ts": start, "dur": dur, **more}


def kernel(start: Any, dur: Any, correlation: int | None = None, **more: Any) -> Event:
    args = {} if correlation is None else {"correlation": correlation}
    return {**event("kernel", start, dur, "kernel", args=args), "pid": 0, "tid": 3, **more}


def launch(start: Any, dur: Any, correlation: int, **more: Any) -> Event:
    return {**event("cudaLaunchKernel", start, dur, "cuda_runtime", args={"correlation": correlation}), **more}


def step(number: int, start: Any, dur: Any, **more: Any) -> Event:
    return event(f"ProfilerStep#{number}", start, dur, "user_annotation", **more)


def write(path: Path, events: list[Any], **top: Any) -> Path:
    """The file; packed if its name says so."""
    text = json.dumps({**top, "traceEvents": events}).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def read(folder: Path, *events: Any, **top: Any) -> EventTable:
    """The table of a file with these events."""
    return read_trace(write(folder / "trace.json", list(events), **top))


def rows(table: EventTable, *columns: str) -> list[tuple[Any, ...]]:
    """Name and columns of each row, in the order of the file."""
    order = sorted(range(len(table)), key=lambda row: int(table.source_index[row]))
    return [(table.name_of(row), *(getattr(table, column)[row].item() for column in columns)) for row in order]


def side(table: EventTable, name: str) -> list[dict[str, Any]]:
    """A side table, line by line, its rows by the names of their events."""
    columns = table.sides[name]
    lines = [
        {column: value[at] if isinstance(value[at], str) else value[at].item() for column, value in columns.items()}
        for at in range(len(next(iter(columns.values()))))
    ]
    return [{**line, "row": table.name_of(line["row"])} if line.get("row", -1) >= 0 else line for line in lines]


def counts(table: EventTable) -> dict[str, int]:
    return table.quality.counts()
