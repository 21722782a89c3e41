"""A run, or a part of it, as one file for other programs: Chrome JSON, Arrow, Parquet or CSV.

The tabular formats hold a line per event of all ranks, rank by rank in the order of the file: what the event table
has, with names in place of codes, times since the run's first event, and the args as text. They are written a block
of rows at a time, whatever the run's size. CSV is for spreadsheets: a text that these would take for a formula has a
quote before it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, parquet

from simulation import ENGINE_VERSION
from simulation.errors import TraceError
from simulation.events import EventTable, Kind
from simulation.formats.chrome import write_chrome
from simulation.formats.chrome_events import BLOCK_ROWS
from simulation.formats.counters import Counters, no_counters
from simulation.formats.selection import EVERYTHING, Selection
from simulation.progress import Progress, silent
from simulation.run import Run
from simulation.store import META_KEY, Strings, replacing

COLUMNS: dict[str, pa.DataType] = {
    "trace": pa.int32(),
    "row": pa.int32(),
    "rank": pa.int32(),
    "process": pa.string(),
    "track": pa.string(),
    "kind": pa.string(),
    "category": pa.string(),
    "name": pa.string(),
    "start_ns": pa.int64(),
    "dur_ns": pa.int64(),
    "depth": pa.int32(),
    "parent": pa.int32(),
    "launch": pa.int32(),
    "step": pa.string(),
    "correlation": pa.int64(),
    "external_id": pa.int64(),
    "source_index": pa.int32(),
    "args": pa.large_string(),
}
"""Of the tabular formats; `parent` and `launch` are values of `row` in the same trace, absent ones are null."""

FORMULA = r"^[=+\-@\t\r]"

Sink = Callable[[Path, pa.Schema], AbstractContextManager[Any]]

SINKS: dict[str, Sink] = {
    "arrow": lambda path, schema: pa.ipc.new_file(
        pa.OSFile(str(path), "wb"), schema, options=pa.ipc.IpcWriteOptions(compression="zstd")
    ),
    "parquet": lambda path, schema: parquet.ParquetWriter(path, schema, compression="zstd"),
    "csv": lambda path, schema: csv.CSVWriter(path, schema),
}
"""Tabular format -> what takes its record batches."""

SUFFIXES = {"chrome": ".json.gz", "arrow": ".arrow", "parquet": ".parquet", "csv": ".csv"}
"""Format -> how its files are called."""


def format_of(path: Path) -> str:
    """The format that a file's name asks for. Raises TraceError."""
    for format_, suffix in {**SUFFIXES, "chrome": ".json"}.items():
        if path.name.removesuffix(".gz").endswith(suffix):
            return format_
    raise TraceError("does not say its format", file=path.name, hint=f"One of {', '.join(SUFFIXES)}.")


def export_run(
    run: Run,
    path: Path,
    format_: str,
    selection: Selection = EVERYTHING,
    progress: Progress = silent,
    counters: Counters = no_counters,
) -> None:
    """Write the selected events to `path`, all or nothing. `format_` is a key of SUFFIXES.

    Times are those that the run shows: of `run.aligned()`, on aligned clocks, which the file then says. Chrome JSON
    takes figures over time, too: `counters` makes them.
    """
    if format_ == "chrome":
        write_chrome(run, path, selection=selection, progress=progress, counters=counters)
        return
    clock = "aligned" if run.is_aligned else "recorded"
    meta = {
        "clock": clock,
        "origin_ns": run.origin_ns,
        "engine_version": ENGINE_VERSION,
        "quality": run.quality.counts(),
    }
    schema = pa.schema(list(COLUMNS.items()), metadata={META_KEY: json.dumps(meta).encode()})
    traces = selection.traces(run)
    with replacing(path) as beside, SINKS[format_](beside, schema) as sink:
        for number, trace in enumerate(traces, 1):
            for batch in batches(run, trace, selection, schema):
                sink.write_batch(_harmless(batch) if format_ == "csv" else batch)
            progress("writing", number, len(traces))


def batches(run: Run, trace: int, selection: Selection, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """The selected rows of a trace, with the columns of COLUMNS, a block at a time."""
    rows = selection.rows(run, trace)
    for begin in range(0, len(rows), BLOCK_ROWS):
        columns = _columns(run, trace, rows[begin : begin + BLOCK_ROWS])
        yield pa.record_batch([columns[name].cast(type_) for name, type_ in COLUMNS.items()], schema=schema)


def _columns(run: Run, trace: int, rows: np.ndarray) -> dict[str, pa.Array]:
    table, rank = run.traces[trace], run.ranks[trace]
    tracks = table.tracks

    def words(values: list[str | None], codes: np.ndarray) -> pa.Array:
        return pa.array(values, pa.string()).take(pa.array(codes))

    return {
        "trace": pa.array(np.full(len(rows), trace, np.int32)),
        "row": pa.array(rows),
        "rank": pa.array([rank], pa.int32()).take(pa.array(np.zeros(len(rows), np.int32))),
        "process": words([track.process for track in tracks], table.track[rows]),
        "track": words([track.name for track in tracks], table.track[rows]),
        "kind": words([kind.name.lower() for kind in Kind], table.kind[rows]),
        "category": words(list(table.categories), table.category[rows]),
        "name": words(list(table.names), table.name[rows]),
        "start_ns": pa.array(table.start_ns[rows] + run.shift_ns[trace]),
        "dur_ns": pa.array(table.dur_ns[rows]),
        "depth": pa.array(table.depth[rows]),
        "parent": _present(table.parent[rows]),
        "launch": _present(table.launch[rows]),
        "step": words([*_step_names(table), None], table.step[rows] % (len(_step_names(table)) + 1)),
        "correlation": pa.array(table.correlation[rows]),
        "external_id": pa.array(table.external_id[rows]),
        "source_index": pa.array(table.source_index[rows]),
        "args": _text(table.args.take(table.source_index[rows])),
    }


def _present(rows: np.ndarray) -> pa.Array:
    return pa.array(rows, mask=rows < 0)


def _step_names(table: EventTable) -> list[str]:
    rows = table.sides["steps"]["row"]
    assert not isinstance(rows, Strings)
    return [table.name_of(row) for row in rows.tolist()]


def _text(args: pa.Array) -> pa.Array:
    """Bytes as text, what is not UTF-8 replaced; null where there are none."""
    args = pc.if_else(pc.equal(pc.binary_length(args), 0), None, args)
    try:
        return args.cast(pa.large_string())
    except pa.ArrowInvalid:
        texts = [None if raw is None else raw.decode(errors="replace") for raw in args.to_pylist()]
        return pa.array(texts, pa.large_string())


def _harmless(batch: pa.RecordBatch) -> pa.RecordBatch:
    """With a quote before each text that a spreadsheet would run as a formula."""
    columns = []
    for column in batch.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            quoted = pc.binary_join_element_wise(pa.scalar("'", column.type), column, pa.scalar("", column.type))
            column = pc.if_else(pc.match_substring_regex(column, FORMULA), quoted, column)
        columns.append(column)
    return pa.record_batch(columns, schema=batch.schema)
