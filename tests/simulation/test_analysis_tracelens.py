"""TraceLens's own reports, where its definitions are used: of device work that is linked to a launch."""

from __future__ import annotations

import ast
import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulation.analysis.report import analyze
from simulation.analysis.selection import Selection
from simulation.run import Run, read_run

MODELS = ("bert-small", "falconsai-nsfw", "qwen1.5-0.5b")

OTHERWISE = {"aten::copy_": "flops", "aten::mean": "bytes", "aten::layer_norm": "", "aten::convolution": ""}
"""Operators of the roofline where ours differs (docs/analysis.md): in what; "": listed under the one that launches."""


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
        assert mine["max_ns"] == pytest.approx(1000 * float(line["Kernel duration (µs)_max"]), abs=1)
    assert all(name.startswith(("Memcpy", "Memset")) for _, name, _ in ours)  # which it leaves out


def test_the_histogram_of_short_kernels(traced: tuple[Run, Path]) -> None:
    run, folder = traced
    told = list(lines(folder, "short_kernel_histogram"))
    ours = analyze(run, sections=["short_kernels"])["short_kernels"]["histogram"]
    assert ours["counts"] == [int(line["count"]) for line in told]
    edges = [float(line["bin_start"]) * 1000 for line in told] + [float(told[-1]["bin_end"]) * 1000]
    assert ours["edges_ns"] == pytest.approx(edges, abs=0.01)


def test_flops_and_bytes_of_operators(traced: tuple[Run, Path]) -> None:
    run, folder = traced
    (rank,) = linked(run, "roofline")["ranks"]
    ours = {(line["name"], repr(line["dims"]), repr(line["types"])): line for line in rank["ops"]}
    compared = set()
    for line in lines(folder, "unified_perf_summary"):
        name = line["name"]
        if not line["GFLOPS"] or OTHERWISE.get(name) == "":
            continue
        dims, types = (repr(listed(ast.literal_eval(line[key]))) for key in ("Input Dims", "Input type"))
        mine = ours[name, dims, types]
        assert mine["count"] >= int(line["operation_count"])  # TraceLens parts operators by strides too
        if OTHERWISE.get(name) != "flops":
            assert mine["flops"] / mine["count"] == pytest.approx(float(line["GFLOPS"]) * 1e9, abs=0.5)
        if OTHERWISE.get(name) != "bytes":
            assert mine["bytes"] / mine["count"] == pytest.approx(float(line["Data Moved (MB)"]) * 2**20, abs=0.5)
        if mine["count"] == int(line["operation_count"]):
            assert mine["busy_ns"] == pytest.approx(1000 * float(line["Kernel Time (µs)_sum"]), abs=5)
        compared.add(name)
    assert len(compared) >= 3


def listed(value: Any) -> Any:
    return [listed(inner) for inner in value] if isinstance(value, tuple) else value
