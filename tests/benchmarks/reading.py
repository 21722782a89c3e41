"""Rows of reading: from files to a run that can be viewed, beside the standard library's parser."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from simulation.formats import read_trace
from simulation.progress import silent
from simulation.run import Run, read_run
from tests.benchmarks.timing import Figure, measure, measure_in_turn
from traceviewer.runs.indexing import write_index

JSON_LOADS, READ, VIEWABLE, OPEN = "json.loads", "read", "viewable run", "open again"
ONE_PROCESSOR, ALL_PROCESSORS = "viewable run on one processor", "viewable run on all processors"

COPIES = 8


def of_file(source: str, path: Path) -> list[Figure]:
    """Reading `path` beside the standard library's parser on its text, and opening again what was read."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    entries = read_trace(path).info.events
    with _folders() as folders:
        calls = {
            JSON_LOADS: lambda: json.loads(text),
            READ: lambda: read_trace(path),
            VIEWABLE: lambda: viewable([path], next(folders)),
        }
        figures = measure_in_turn(source, entries, calls)
        viewable([path], stored := next(folders))
        return [*figures, measure(source, OPEN, entries, lambda: Run.open(stored))]


def of_ranks(source: str, paths: Sequence[Path]) -> list[Figure]:
    """Reading a run of several ranks, in turn on one processor and on all that there are."""
    entries = sum(trace.info.events for trace in read_run(paths).traces)
    everywhere = os.sched_getaffinity(0)

    def on_one(folder: Path) -> None:
        os.sched_setaffinity(0, {min(everywhere)})
        try:
            viewable(paths, folder)
        finally:
            os.sched_setaffinity(0, everywhere)

    with _folders() as folders:
        calls = {
            ONE_PROCESSOR: lambda: on_one(next(folders)),
            ALL_PROCESSORS: lambda: viewable(paths, next(folders)),
        }
        return measure_in_turn(source, entries, calls)


def copies(path: Path, folder: Path) -> list[Path]:
    """A file as COPIES ranks."""
    return [Path(shutil.copy(path, folder / f"rank{rank}-{path.name}")) for rank in range(COPIES)]


def viewable(paths: Sequence[Path], folder: Path) -> None:
    """Read, write and index a run as the `read` job does, so that its timeline can be opened."""
    read_run(paths, silent, folder.parent).save(folder)
    write_index(Run.open(folder), folder, silent)


@contextmanager
def _folders() -> Iterator[Iterator[Path]]:
    """New ones, deleted in the end."""
    with tempfile.TemporaryDirectory() as home:
        yield (Path(home) / str(number) for number in count())
