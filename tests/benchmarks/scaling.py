"""Building graphs of more and more events, on one rank and on more and more of them; each in a process of its own.

`python -m tests.benchmarks.scaling [--folder DIR] [RANKSxEVENTS…]`, such as 64x100000; see docs/benchmarks.md. Runs
that are in the folder already are not made again.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from simulation.graph import build_graph
from simulation.replay import replay
from simulation.run import Run
from simulation.warm import warm
from simulation.workload import Workload, of_size, write_run

SIZES = ("1x100000", "1x1000000", "8x1250000", "8x100000", "16x100000", "32x100000", "64x100000")
MODEL = Workload(layers=8, hidden=2048, heads=16, sequence=1024, micro_batches=4, pp=1, skew_us=300.0)
TIMES = 3
KIB_PER_MIB = 1024


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scaling", description=__doc__)
    parser.add_argument("sizes", nargs="*", default=SIZES, help="ranks and events of each")
    parser.add_argument("--folder", type=Path, help="where to keep the runs")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(measured(options.measure))
        return
    warm()
    print("| ranks | rows | edges | graph, s of CPU | rows/s | replay, s | peak MiB |\n|--:|--:|--:|--:|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as temporary:
        for size in options.sizes:
            path = stored(options.folder or Path(temporary), size)
            command = [sys.executable, "-m", "tests.benchmarks.scaling", "--measure", str(path)]
            print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="", flush=True)


def stored(folder: Path, size: str) -> Path:
    """A run of so many ranks and so many events on each of them, in the folder."""
    path = folder / size
    if not (path / "run.arrow").exists():
        write_run(workload(*map(int, size.split("x"))), path)
    return path


def workload(ranks: int, events: int) -> Workload:
    """Pairs of tensor-parallel ranks, as many as it takes; one rank by itself."""
    tensor = min(ranks, 2)
    return of_size(replace(MODEL, tp=tensor, dp=ranks // tensor), ranks * events)


def measured(folder: Path) -> str:
    """The line of one run: the best of some builds, and the most memory of the process, mapped files included."""
    run = Run.open(folder)
    graph_s, replay_s = [], []
    for _ in range(TIMES):
        begin = time.process_time()
        graph = build_graph(run)
        built = time.process_time()
        replay(graph)
        graph_s.append(built - begin)
        replay_s.append(time.process_time() - built)
    rows, peak = int(run.row_base[-1]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // KIB_PER_MIB
    rate = f"{rows / min(graph_s) / 1e6:.2f} M"
    return (
        f"| {len(run.traces)} | {rows:,} | {graph.edges:,} | {min(graph_s):.2f} | {rate} "
        f"| {min(replay_s):.3f} | {peak:,} |"
    )


if __name__ == "__main__":
    main()
