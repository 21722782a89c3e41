"""Our figures beside HolisticTraceAnalysis's, name by name, over the steps that it keeps: `python -m
tests.benchmarks.agreement`. Prints what differs; docs/analysis.md says why."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from simulation.analysis.report import analyze
from simulation.analysis.selection import Selection
from simulation.run import read_run
from tests.benchmarks.holistic import python

FILES = ("control", "test", "nccl_data", "ns_resolution", "alexnet", "simple_add")
HTA_CALLS = ("cudaLaunchKernel", "cudaLaunchKernelExC", "cudaMemcpyAsync", "cudaMemsetAsync")
TOLERANCE = 1e-6
"""As a share of the figure: HTA adds up float64."""

Figures = dict[str, float]


def holistic(file: Path) -> tuple[list[int], Figures]:
    """The steps that HTA keeps, and its figures without its rounding to microseconds."""
    script = Path(__file__).with_name("holistic_figures.py")
    environment = {**os.environ, "HTA_DISABLE_NS_ROUNDING": "1"}
    done = subprocess.run([python(), str(script), str(file)], stdout=subprocess.PIPE, env=environment, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    return figures.pop("steps"), figures


def ours(file: Path, steps: list[int]) -> Figures:
    found = analyze(read_run([file]), Selection(steps=frozenset(steps) if steps else None))
    return dict(_named({name: section["ranks"][0] if "ranks" in section else section for name, section in found.items()
                        if isinstance(section, dict)}))  # fmt: skip


def _named(found: dict[str, Any]) -> Iterator[tuple[str, float]]:
    whole = found["breakdown"]
    for name, key in (("idle_time", "idle_ns"), ("compute_time", "compute_ns"), ("kernel_time", "window_ns")):
        yield f"breakdown, {name}(us)", whole[key] / 1000
    yield "breakdown, overlap %", math.nan if (known := whole["overlapped_percent"]) is None else round(known, 2)
    for line in found["kernels"]["kernels"]:
        for name, key in (("sum (us)", "total"), ("max (us)", "max"), ("min (us)", "min"), ("stddev", "deviation")):
            yield f"kernel, {name}: {line['name']}", (line[f"{key}_ns"] or 0) / 1000
    for line in found["idle"]["streams"]:
        for cause in ("host_wait", "kernel_wait", "other"):
            yield f"idle, stream {line['stream']}, {cause}", line[f"{cause}_ns"] / 1000
            yield from _described(f"idle, stream {line['stream']}, {cause}", line["intervals_ns"][cause], 1000)
    calls = [line for line in found["launches"]["calls"] if line["name"] in HTA_CALLS]
    yield "launches", sum(line["count"] for line in calls)
    for name, key in (("cpu_duration", "call_ns"), ("gpu_duration", "device_ns"), ("launch_delay", "delay_ns")):
        yield f"launches, {name}", sum(line[key] for line in calls) / 1000
    for key in ("slow_calls", "late", "shorter_than_call"):
        yield f"launches, {key.replace('_', ' ')}", sum(line[key] for line in calls)
    for line in found["queue"]["streams"]:
        yield f"queue, stream {line['stream']}, longest", line["max"]
        yield f"queue, stream {line['stream']}, points", line["points"]
        yield from _described(f"queue, stream {line['stream']}", line["lengths"])
    for line in found["copies"]["kinds"]:
        yield f"bandwidth, most of {line['kind']}", line["peak_gb_per_s"]
        yield from _described(f"bandwidth of {line['kind']}", line["rates"])
    yield from _operators(found["sequences"]["innermost"])
    for line in found["annotations"]["annotations"]:
        yield f"annotation: {line['name']}", line["span_ns"] / 1000


def _described(name: str, found: dict[str, Any] | None, scale: int = 1) -> Iterator[tuple[str, float]]:
    keys = ("count", "mean", "deviation", "min", "quarter", "median", "three_quarters", "max")
    for called, key in zip(("count", "mean", "std", "min", "25%", "50%", "75%", "max"), keys, strict=True):
        value = (found or {}).get(key, 0 if key == "count" else None)
        yield f"{name}, {called}", math.nan if value is None else value / (1 if key == "count" else scale)


def _operators(lines: list[dict[str, Any]]) -> Iterator[tuple[str, float]]:
    sums: dict[str, list[float]] = {}
    for line in lines:
        found = sums.setdefault(f"{line['name']} of {line['kernels']}", [0, 0.0, 0.0])
        found[0] += line["count"]
        found[1] += line["count"] * line["op_to_first_launch_ns"] / 1000
        found[2] += line["count"] * line["first_launch_to_start_ns"] / 1000
    for name, (count, to_launch, to_start) in sums.items():
        yield f"operator, calls: {name}", count
        yield f"operator, to launch: {name}", to_launch / count
        yield f"operator, to start: {name}", to_start / count


def is_equal(name: str, theirs: float, mine: float | None) -> bool:
    """HTA rounds what it describes of idle intervals to two digits, and means to three."""
    if mine is None or math.isnan(theirs) or math.isnan(mine):
        return mine is not None and math.isnan(theirs) and math.isnan(mine)
    rounding = 0.00501 if name.startswith("idle") else 0.001
    return abs(theirs - mine) <= max(rounding, TOLERANCE * abs(theirs))


def main() -> None:
    here = Path(__file__).resolve().parents[2]
    samples = Path(os.environ.get("TRACEVIEWER_SAMPLES", here.parent / "shared" / "samples"))
    files = [Path(name) for name in sys.argv[1:]] or [samples / "hta" / f"{name}.json.gz" for name in FILES]
    for file in files:
        steps, theirs = holistic(file)
        mine = ours(file, steps)
        different = [name for name, value in theirs.items() if not is_equal(name, value, mine.get(name))]
        print(f"{file.name}: {len(theirs) - len(different)} of {len(theirs)} figures are equal")
        for name in different:
            print(f"  {name[:100]}: HTA {theirs[name]:g}, here {mine.get(name, math.nan):g}")


if __name__ == "__main__":
    main()
