"""Chrome JSON out: a run, or a part of it, for Perfetto, chrome://tracing and our own reader.

Written: every row with its original args (X, i, C; b, e, n of asynchronous work), flows (s, t, f), names and order of
processes and threads (M), `distributedInfo` and `baseTimeNanoseconds`; of a whole trace also what has no place on a
timeline. Categories are written by their modern names. ts and dur are microseconds with three decimals, so whole
nanoseconds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from isal import igzip

from simulation.events import EventTable
from simulation.formats.chrome_events import TraceText
from simulation.formats.counters import Counters, no_counters
from simulation.formats.selection import EVERYTHING, Selection
from simulation.progress import Progress, silent
from simulation.run import Run
from simulation.store import replacing


def write_chrome(
    run: Run,
    path: Path,
    tables: Sequence[EventTable] | None = None,
    progress: Progress = silent,
    selection: Selection = EVERYTHING,
    counters: Counters = no_counters,
) -> None:
    """Write `run` to `path` as JSON, packed if the name ends in .gz, all or nothing.

    `tables` stand in for the run's own: the same rows at other times, as a prediction gives them. `counters` makes
    figures over time that are added to each trace.
    """
    if tables is not None:
        run = replace(run, traces=tuple(tables))
    traces = selection.traces(run)
    base_ns = _base_ns(run, traces)
    with replacing(path) as beside, _opened(beside, path.suffix == ".gz") as sink:
        sink.write(_head(run, traces, base_ns))
        first = True
        for number, trace in enumerate(traces, 1):
            text = TraceText(run, trace, selection, len(traces) == 1, base_ns, counters(run, trace))
            for block in text.blocks():
                sink.write(block if first else b",\n" + block)
                first = False
            progress("writing", number, len(traces))
        sink.write(b"\n]}\n")


def _opened(path: Path, packed: bool) -> BinaryIO:
    if packed:
        return igzip.open(path, "wb", compresslevel=2)  # type: ignore[no-untyped-call, no-any-return]
    return open(path, "wb")


def _base_ns(run: Run, traces: Sequence[int]) -> int:
    """Unix ns that the file's times count from: of one trace its own, of several the run's; never negative."""
    return max(0, run.origin_ns + (run.shift_ns[traces[0]] if len(traces) == 1 else 0))


def _head(run: Run, traces: Sequence[int], base_ns: int) -> bytes:
    """Everything before the events: of one trace its own metadata, of several what holds for all."""
    if len(traces) == 1:
        info = run.traces[traces[0]].info
        head = {key: value for key, value in info.metadata.items() if key != "baseTimeNanoseconds"}
        if (rank := run.ranks[traces[0]]) is not None:  # it may have been told by the file's name alone
            given = head.get("distributedInfo")
            head["distributedInfo"] = {**(given if isinstance(given, dict) else {}), "rank": rank}
    else:
        worlds = {run.traces[trace].info.world_size for trace in traces} - {None}
        head = {"schemaVersion": 1, "displayTimeUnit": "ms"}
        if worlds:
            head["distributedInfo"] = {"world_size": max(world for world in worlds if world is not None)}
    if run.is_aligned:
        head["clock"] = "aligned"
    if base_ns:
        head["baseTimeNanoseconds"] = base_ns
    return json.dumps(head)[:-1].encode() + (b", " if head else b"") + b'"traceEvents": [\n'
