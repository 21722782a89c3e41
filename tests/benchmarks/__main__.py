"""`make bench`: every figure and ratio from one run, printed as a table; nothing is written."""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

from simulation.warm import warm
from tests.benchmarks import generated, holistic, passes, reading, rows
from tests.benchmarks.timing import Figure, table

SAMPLES = ("hta/control.json.gz", "hta/nccl_data.json.gz", "hta/test.json.gz")
RANKS, COPIED = "param/dlrm_kineto.tar.gz", "hta/nccl_data.json.gz"
GENERATED_MILLIONS = (1.0, 10.0)
PASS_EVENTS = 10_000_000

AGAINST = {
    reading.READ: f"{reading.JSON_LOADS}, {holistic.READ}",
    reading.VIEWABLE: f"{reading.JSON_LOADS}, {holistic.READ}",
    reading.ALL_PROCESSORS: reading.ONE_PROCESSOR,
    rows.PATH: holistic.CRITICAL_PATH,
    rows.PATH_SHARES: holistic.CRITICAL_PATH,
    rows.ANALYSIS: holistic.ANALYSIS,
    rows.GRAPH_AND_REPLAY: holistic.CRITICAL_PATH,
}
"""What each figure is compared with; see docs/benchmarks.md."""


def main() -> None:
    options = _options()
    warm()
    figures: list[Figure] = []
    for source in options.samples:
        ours = rows.of_file(source, options.folder / source)
        figures += ours
        if options.holistic:
            figures += holistic.figures(source, options.folder / source, entries=ours[0].events)
    if options.ranks:
        figures += ranks(options.folder)
    for millions in options.generated:
        figures += _of_generated(millions)
    figures += passes.of_generated(PASS_EVENTS)
    print(table(figures, AGAINST))
    print()
    print(passes.bandwidth(figures))


def _of_generated(millions: float) -> list[Figure]:
    source, events = f"generated {millions:g} M", round(millions * 1_000_000)
    with generated.stored_run(source, events) as (run, making):
        return [making, *rows.of_run(source, run, graph=events <= generated.LARGEST_GRAPH_EVENTS)]


def ranks(folder: Path) -> list[Figure]:
    """Runs of 8 ranks: an archive of small ones, and a larger one 8 times."""
    figures = reading.of_ranks(RANKS, [folder / RANKS])
    with tempfile.TemporaryDirectory() as home:
        paths = reading.copies(folder / COPIED, Path(home))
        return [*figures, *reading.of_ranks(f"{COPIED}, {reading.COPIES} times", paths)]


def _options() -> argparse.Namespace:
    here = Path(__file__).resolve().parents[2]
    default = os.environ.get("TRACEVIEWER_SAMPLES", here.parent / "shared" / "samples")
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(default), help="of the sample traces")
    parser.add_argument("--samples", nargs="*", default=SAMPLES, help="files in it")
    parser.add_argument("--generated", nargs="*", type=float, default=GENERATED_MILLIONS, help="millions of events")
    parser.add_argument("--no-ranks", dest="ranks", action="store_false", help="leave runs of 8 ranks out")
    parser.add_argument("--no-holistic", dest="holistic", action="store_false", help="leave HTA out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
