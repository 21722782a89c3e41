"""Generated runs of any size: training steps of a transformer on eight GPUs or more, stored and mapped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from simulation.run import Run
from simulation.workload import Workload, events_of, of_size, write_run
from tests.benchmarks.timing import Figure

GENERATE = "generate, store"
LARGEST_GRAPH_EVENTS = 10_000_000
"""A graph of more does not fit in the memory of a laptop."""


RANK_EVENTS = 6_000_000
"""At most, of each rank: a table is made in memory, at some 700 bytes per event."""


def workload(events: int) -> Workload:
    """Replicas of two pipeline stages of two tensor-parallel ranks; two replicas, more where tables would be large."""
    replicas = max(2, -(-events // (4 * RANK_EVENTS)))
    return of_size(Workload(dp=replicas, straggler=5, skew_us=300.0, parting_us=1.0), events)


@contextmanager
def stored_run(source: str, events: int) -> Iterator[tuple[Run, Figure]]:
    """The run, mapped, and what it took to make it; gone afterwards."""
    with TemporaryDirectory() as folder:
        spec, begin = workload(events), perf_counter()
        run = write_run(spec, Path(folder) / "run")
        yield run, Figure(source, GENERATE, events_of(spec), perf_counter() - begin)
