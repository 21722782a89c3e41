"""What HTA 0.5.0 prints, with its rounding to microseconds switched off, over the steps that it keeps; `control` is in
test_analysis_figures.py, all else in docs/analysis.md."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest

from simulation.analysis.report import analyze
from simulation.analysis.selection import Selection
from simulation.run import read_run

LAUNCH_CALLS = {"cudaLaunchKernel", "cudaLaunchKernelExC", "cudaMemcpyAsync", "cudaMemsetAsync"}


class Told(NamedTuple):
    """Of one file; times in microseconds."""

    steps: range | None
    breakdown: dict[str, float]  # `cuda_sync` marks are kernels there: without the span where there are any
    launches: tuple[float, ...]  # count, calls, work, delay, slow calls, late, shorter than their call
    queues: dict[int, tuple[int, int]]  # by stream: longest, changes; without streams with graphs, which it leaves out
    gb_per_s: dict[str, float]  # the most of each kind; without those that touch, which it adds up
    annotations: dict[str, float]  # without those that the device reaches after the last step


TOLD = {
    "test": Told(
        range(1009, 1014), {"idle": 46_910, "compute": 429_216, "window": 628_371},
        (8310, 297_921, 533_840, 316_928_263, 65, 8142, 4615), {14: (9, 480), 15: (5, 100), 16: (23, 240)},
        {"Memcpy DtoH": 4.293859649122807, "Memcpy HtoD": 10.422391857506362, "Memset": 356.4635499712992}, {},
    ),
    "nccl_data": Told(
        range(4, 6), {"idle": 336_419.714, "compute": 76_935.828, "window": 435_587.561},
        (2516, 23_787.895, 102_977.881, 68_120.684, 0, 180, 1380), {7: (10, 5004), 40: (1, 28)},
        {"Memcpy DtoD": 605.2009456264775, "Memset": 1925.2182254196643},
        {"## backward ##": 1281.094, "DistributedDataParallel.forward": 195_525.719,
         "Optimizer.step#SGD.step": 18_713.373, "nccl:all_reduce": 24_226.804, "nccl:broadcast": 83.246},
    ),
    "ns_resolution": Told(
        range(101, 105), {"compute": 374_738.006, "window": 384_634.523},
        (4876, 195_772.848, 378_181.762, 322_049_139.92, 675, 4713, 2772), {7: (1022, 9752)},
        {"Memcpy DtoD": 405.7052297939778, "Memset": 904.638036809816},
        {"DistributedDataParallel.forward": 123_883.292},
    ),
    "alexnet": Told(
        None, {}, (98, 3_113_616, 66_203, 39_283, 11, 43, 32), {7: (18, 182), 20: (2, 14)},
        {"Memcpy HtoD": 11.146690372735602, "Memset": 4.7299270072992705}, {},
    ),
    "simple_add": Told(
        None, {}, (98, 4_260_778, 49_816, 10_264, 10, 22, 37), {7: (5, 182), 20: (1, 14)},
        {"Memcpy HtoD": 11.095159411653167, "Memset": 4.661870503597123}, {},
    ),
}  # fmt: skip
SECTIONS = ("breakdown", "launches", "queue", "copies", "annotations")


def microseconds(us: float) -> Any:
    """It subtracts and adds up float64, at times of 1.7e15 us in steps of a quarter of one."""
    return pytest.approx(us * 1000, rel=1e-6, abs=1)


@pytest.mark.parametrize("name", TOLD)
def test_hta_says_the_same(samples: Path, name: str) -> None:
    told = TOLD[name]
    chosen = Selection(steps=None if told.steps is None else frozenset(told.steps))
    found = analyze(read_run([samples / "hta" / f"{name}.json.gz"]), chosen, SECTIONS)
    whole, launches, queue, copies = (found[section]["ranks"][0] for section in SECTIONS[:4])
    assert {key: whole[f"{key}_ns"] for key in told.breakdown} == {
        key: microseconds(us) for key, us in told.breakdown.items()
    }
    calls = [line for line in launches["calls"] if line["name"] in LAUNCH_CALLS]
    keys = ("count", "call_ns", "device_ns", "delay_ns", "slow_calls", "late", "shorter_than_call")
    sums = [sum(line[key] for line in calls) for key in keys]
    assert sums == [
        microseconds(value) if key.endswith("_ns") else value for key, value in zip(keys, told.launches, strict=True)
    ]
    queues = {line["stream"]: (line["max"], line["points"]) for line in queue["streams"]}
    assert told.queues.items() <= queues.items()
    rates = {line["kind"]: line["peak_gb_per_s"] for line in copies["kinds"]}
    assert {kind: rates[kind] for kind in told.gb_per_s} == pytest.approx(told.gb_per_s, rel=1e-12)
    spans = {line["name"]: line["span_ns"] for line in found["annotations"]["annotations"]}
    assert {key: spans[key] for key in told.annotations} == {
        key: microseconds(us) for key, us in told.annotations.items()
    }
