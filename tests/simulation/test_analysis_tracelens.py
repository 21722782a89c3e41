"""TraceLens's own reports, where its definitions are used: of device work that is linked to a launch."""

from __future__ import annotations

import ast
import csv
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulation.analysis.report import analyze
from simulation.analysis.selection import Selection
from simulation.run import Run, read_run

MODELS = ("bert-small", "falconsai-nsfw", "qwen1.5-0.5b")


@pytest.fixture(scope="module", params=MODELS)
def traced(request: pytest.FixtureRequest, samples: Path) -> tuple[Run, Path]:
    folder = samples / "tracelens" / "h100"
    return read_run([folder / f"{request.param}.json.gz"]), folder / f"{request.param}_csvs"


def lines(folder: Path, name: str) -> Iterator[dict[str, str]]:
    csv.field_size_limit(sys.maxsize)
    with open(folder / f"{name}.csv", newline="") as file:
        yield from csv.DictReader(file)


def linked(run: Run, section: str) -> Any:
    return analyze(run, Selection(linked_only=True), [section])[section]


def test_the_timeline_of_the_device(traced: tuple[Run, Path]) -> None:
    run, folder = traced
    told = {line["type"]: float(line["time ms"]) * 1e6 for line in lines(folder, "gpu_timeline")}
    (rank,) = linked(run, "breakdown")["ranks"]
    timeline = rank["timeline"]
    ours = {
        "computation_time": timeline["computation_ns"],
        "exposed_comm_time": timeline["exposed_comm_ns"],
        "exposed_memcpy_time": timeline["exposed_memcpy_ns"],
        "busy_time": rank["busy_ns"],
        "idle_time": rank["idle_ns"],
        "total_time": rank["window_ns"],
        "total_comm_time": rank["communication_ns"],
        "total_memcpy_time": timeline["total_memcpy_ns"],
    }
    assert ours == {name: pytest.approx(ns, abs=20) for name, ns in told.items()}  # its sums are float64 microseconds
    for line in lines(folder, "gpu_timeline"):
        assert ours[line["type"]] / rank["window_ns"] * 100 == pytest.approx(float(line["percent"]), abs=1e-3)
    assert timeline["computation_ns"] + timeline["exposed_comm_ns"] + timeline["exposed_memcpy_ns"] == rank["busy_ns"]


def test_operators_direct_and_with_their_subtree(traced: tuple[Run, Path]) -> None:
    run, folder = traced
    ours = {line["name"]: line for line in linked(run, "ops")["ops"] if line["launching"]}
    told = list(lines(folder, "ops_summary"))
    assert {line["name"] for line in told} == set(ours)
    for line in told:
        mine = ours[line["name"]]
        assert mine["launching"] == int(line["Count"])
        assert mine["direct_ns"] == pytest.approx(1000 * float(line["total_direct_kernel_time_sum"]), abs=5)
        assert mine["subtree_ns"] == pytest.approx(1000 * float(line["total_subtree_kernel_time_sum"]), abs=5)
        assert mine["percent"] == pytest.approx(float(line["Percentage (%)"]), abs=2e-3)
        assert mine["categories"] == [attention(line["name"], told) for told in ast.literal_eval(line["Categories"])]


def attention(op: str, told: str) -> str:
    """TraceLens knows no category of the operator that launches attention's kernel."""
    return "SDPA_fwd" if op == "aten::_flash_attention_forward" and told == "other" else told


def test_categories_are_the_sums_of_their_operators(traced: tuple[Run, Path]) -> None:
    run, folder = traced
    told: dict[str, list[float]] = {}
    for line in lines(folder, "ops_summary"):
        (category,) = ast.literal_eval(line["Categories"])
        sums = told.setdefault(attention(line["name"], category), [0, 0])
        sums[0] += int(line["Count"])
        sums[1] += 1000 * float(line["total_direct_kernel_time_sum"])
    ours = linked(run, "op_categories")
    assert {line["category"]: [line["count"], line["direct_ns"]] for line in ours["categories"]} == {
        category: [count, pytest.approx(ns, abs=10)] for category, (count, ns) in told.items()
    }
    assert ours["total_ns"] == sum(line["direct_ns"] for line in ours["categories"])


def test_kernels_by_operator_and_stream(traced: tuple[Run, Path]) -> None:
    """Here TraceLens counts work without a launch too, under an empty operator."""
    run, folder = traced
    found = analyze(run, sections=["kernels_by_op"])["kernels_by_op"]["kernels"]
    ours = {(line["op"] or "", line["name"], line["stream"]): line for line in found}
    for line in lines(folder, "kernel_summary"):
        mine = ours.pop((line["Parent cpu_op"], line["Kernel name"], int(line["Kernel stream"])))
        assert mine["count"] == int(line["Kernel duration (µs)_count"])
        assert mine["total_ns"] == pytest.approx(1000 * float(line["Kernel duration (µs)_sum"]), abs=1)
        assert mine["mean_ns"] == pytest.approx(1000 * float(line["Kernel duration (µs)_mean"]))
        assert mine["min_ns"] == pytest.approx(1000 * float(line["Kernel duration (µs)_min"]), abs=1)
        assert mine["max_ns"] == pytest.approx(1000 * float(line["Kernel duration (µs)_max"]), abs=1)
        assert (mine["category"] or "") == attention(line["Parent cpu_op"], line["Parent op category"])
    assert all(name.startswith(("Memcpy", "Memset")) for _, name, _ in ours)  # which it leaves out
    (rank,) = analyze(run, sections=["breakdown"])["breakdown"]["ranks"]
    kernels_ns = sum(line["total_ns"] for line in found if not line["name"].startswith(("Memcpy", "Memset")))
    for line in lines(folder, "kernel_summary"):
        total_ns = 1000 * float(line["Kernel duration (µs)_sum"])
        assert total_ns / kernels_ns * 100 == pytest.approx(float(line["Percent of kernels time (%)"]))


def test_the_histogram_of_short_kernels(traced: tuple[Run, Path]) -> None:
    run, folder = traced
    told = list(lines(folder, "short_kernel_histogram"))
    ours = analyze(run, sections=["short_kernels"])["short_kernels"]["histogram"]
    assert ours["counts"] == [int(line["count"]) for line in told]
    edges = [float(line["bin_start"]) * 1000 for line in told] + [float(told[-1]["bin_end"]) * 1000]
    assert ours["edges_ns"] == pytest.approx(edges, abs=0.01)


def test_flops_bytes_and_time_of_operators(traced: tuple[Run, Path]) -> None:
    """All lines that have a model there; its lines of other strides or scalars are one of ours."""
    run, folder = traced
    (rank,) = linked(run, "roofline")["ranks"]
    ours = {(line["name"], repr(line["dims"]), repr(line["types"])): line for line in rank["ops"]}
    told: dict[Any, list[dict[str, str]]] = {}
    for line in lines(folder, "unified_perf_summary"):
        if line["GFLOPS"]:
            dims, types = (repr(listed(ast.literal_eval(line[key]))) for key in ("Input Dims", "Input type"))
            told.setdefault((line["name"], dims, types), []).append(line)
    assert len(told) >= 8
    for key, parts in told.items():
        mine = ours[key]
        count = mine["count"]
        assert count == sum(int(part["operation_count"]) for part in parts)
        assert mine["busy_ns"] == pytest.approx(
            1000 * sum(float(part["Kernel Time (µs)_sum"]) for part in parts), abs=5
        )
        flops, moved = otherwise(key[0], ast.literal_eval(key[1]))
        for part in parts:
            assert mine["flops"] / count == pytest.approx(float(part["GFLOPS"]) * 1e9 + flops, abs=0.5)
            assert mine["bytes"] / count == pytest.approx(float(part["Data Moved (MB)"]) * 2**20 + moved, abs=0.5)
            if not flops and not moved:
                assert mine["flops_per_byte"] == pytest.approx(float(part["FLOPS/Byte"]))
        if len(parts) == 1 and not flops and not moved:
            check_spread(mine, parts[0])


def otherwise(name: str, dims: Any) -> tuple[int, int]:
    """(flops, bytes) that a call has here and not there (docs/analysis.md): the bias of a convolution, which TraceLens
    looks for in lists of three inputs only; what a mean over the last size leaves, which it takes for one element."""
    if name == "aten::convolution":
        x, weight, bias = dims[:3]
        out = x[0] * weight[0] * (x[2] // weight[2]) * (x[3] // weight[3])  # patches, without padding
        return (out, 2 * bias[0])
    if name == "aten::mean":
        return (0, 4 * (math.prod(dims[0][:-1]) - 1))
    return (0, 0)


def check_spread(mine: dict[str, Any], told: dict[str, str]) -> None:
    """TraceLens's times are differences of float64 microseconds: off by up to half a nanosecond."""
    for ours, theirs in (("mean_ns", "mean"), ("median_ns", "median"), ("min_ns", "min"), ("max_ns", "max")):
        assert mine[ours] == pytest.approx(1000 * float(told[f"Kernel Time (µs)_{theirs}"]), abs=0.5)
    assert mine["host_ns"] == pytest.approx(1000 * float(told["total_duration_us"]), abs=1)
    if mine["count"] > 1:
        assert mine["deviation_ns"] == pytest.approx(1000 * float(told["Kernel Time (µs)_std"]), abs=0.5)
    work_ns = mine["flops"] / mine["count"] / 1000, mine["bytes"] / mine["count"]  # at 1 TFLOP/s, at 1 GB/s
    assert work_ns[0] / mine["min_ns"] == pytest.approx(float(told["TFLOPS/s_max"]), rel=5e-4)
    assert work_ns[1] / mine["max_ns"] == pytest.approx(1000 * float(told["TB/s_min"]), rel=5e-4)


def test_matrix_products(traced: tuple[Run, Path]) -> None:
    run, folder = traced
    (rank,) = linked(run, "roofline")["ranks"]
    ours = {(line["name"], repr(line["dims"])): line for line in rank["ops"]}
    told = list(lines(folder, "GEMM"))
    assert told
    for line in told:
        mine = ours[line["name"], repr(listed(ast.literal_eval(line["Input Dims_first"])))]
        assert mine["flops"] / mine["count"] == pytest.approx(float(line["GFLOPS_first"]) * 1e9, abs=0.5)
        assert mine["bytes"] / mine["count"] == pytest.approx(float(line["Data Moved (MB)_first"]) * 2**20, abs=0.5)


def listed(value: Any) -> Any:
    return [listed(inner) for inner in value] if isinstance(value, tuple) else value
