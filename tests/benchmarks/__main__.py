"""`make bench`: every figure and ratio from one run, printed as a table; nothing is written."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from simulation.warm import warm
from tests.benchmarks import generated, holistic, rows
from tests.benchmarks.timing import Figure, table

SAMPLES = ("hta/control.json.gz", "hta/nccl_data.json.gz")
GENERATED_EVENTS = (1_000_000, 10_000_000)

AGAINST = {
    rows.READ: f"{rows.JSON_LOADS}, {holistic.READ}",
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
    for events in options.generated:
        figures += rows.of_run(f"generated {events // 1_000_000} M", generated.generated_run(events))
    print(table(figures, AGAINST))


def _options() -> argparse.Namespace:
    here = Path(__file__).resolve().parents[2]
    default = os.environ.get("TRACEVIEWER_SAMPLES", here.parent / "shared" / "samples")
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path(default), help="of the sample traces")
    parser.add_argument("--samples", nargs="*", default=SAMPLES, help="files in it")
    parser.add_argument("--generated", nargs="*", type=int, default=GENERATED_EVENTS, help="sizes in events")
    parser.add_argument("--no-holistic", dest="holistic", action="store_false", help="leave HTA out")
    return parser.parse_args()


if __name__ == "__main__":
    main()
