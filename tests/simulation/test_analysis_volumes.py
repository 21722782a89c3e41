"""FLOPs and bytes of operators from their shapes, by hand; and what of them reaches the roofline."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.analysis.report import analyze
from simulation.analysis.series import Steps
from simulation.analysis.volumes import FORMULAS, Inputs, Volume, volume
from tests.simulation.build import Event, call, kernel, make_run

BF16, F32, SCALAR = "c10::BFloat16", "float", "Scalar"


def of(name: str, dims: list[Any], types: list[str], values: list[str] | None = None) -> Volume | None:
    return volume(name, Inputs(dims, types, values or []))


CASES = [
    ("aten::mm", [[4, 8], [8, 16]], [BF16] * 2, [], (2 * 4 * 8 * 16, 2 * (32 + 128 + 64), 2)),
    ("aten::addmm", [[16], [4, 8], [8, 16]], [F32] * 3, [], (2 * 512 + 64, 4 * (16 + 32 + 128 + 64), 4)),
    ("aten::bmm", [[3, 4, 8], [3, 8, 16]], [BF16] * 2, [], (3 * 1024, 3 * 2 * (32 + 128 + 64), 2)),
    ("aten::linear", [[2, 3, 8], [16, 8], [16]], [F32] * 3, [], (2 * 6 * 8 * 16 + 96, 4 * (48 + 128 + 16 + 96), 4)),
    ("aten::add_", [[2, 3], [2, 3], []], [F32, F32, SCALAR], [], (6, 72, 0)),
    ("aten::mul", [[2, 1, 4], [3, 1]], [BF16, BF16], [], (24, 2 * (8 + 3 + 24), 0)),
    ("aten::mul", [[5], []], [BF16, "double"], [], (5, 10 + 8 + 10, 0)),
    ("aten::eq", [[7], []], ["long int", SCALAR], [], (7, 56 + 7, 0)),
    ("aten::copy_", [[6], [6], []], [BF16, F32, SCALAR], [], (0, 24 + 12, 0)),
    ("aten::sum", [[4, 5], []], [F32, SCALAR], [], (20, 80, 0)),
    ("aten::cat", [[[2, 3], [4, 3]], []], [BF16, SCALAR], [], (0, 2 * 2 * 18, 0)),
    ("aten::index_select", [[100, 8], [], [5]], [F32, SCALAR, "long int"], ["", "0", ""], (0, 2 * 160 + 40, 0)),
    ("aten::native_layer_norm", [[4, 8], [], [8], [8]], [BF16, "ScalarList", BF16, BF16], [], (160, 128 + 32, 0)),
    (
        "aten::_scaled_dot_product_flash_attention", [[2, 4, 16, 8]] * 3, [BF16] * 3, ["", "", "", "0.", "False"],
        (2 * 4 * 16 * 16 * 4 * 8, 4 * 2 * 1024, 2),
    ),
    (
        "aten::_scaled_dot_product_flash_attention", [[2, 4, 16, 8]] * 3, [BF16] * 3, ["", "", "", "0.", "True"],
        (4 * 16 * 16 * 4 * 8, 4 * 2 * 1024, 2),
    ),
    (
        "aten::convolution", [[2, 3, 8, 8], [6, 3, 3, 3], [6]], [F32] * 3,
        ["", "", "", "[2, 2]", "[1, 1]", "[1, 1]", "False"],
        (2 * 27 * 2 * 6 * 16 + 192, 4 * (384 + 162 + 6 + 192), 4),
    ),
    (
        "aten::cudnn_convolution", [[2, 3, 8, 8], [6, 3, 3, 3]], [F32] * 2, ["", "", "[0, 0]", "[1, 1]", "[1, 1]"],
        (2 * 27 * 2 * 6 * 36, 4 * (384 + 162 + 432), 4),
    ),
    (
        "aten::convolution_backward", [[2, 6, 4, 4], [2, 3, 8, 8], [6, 3, 3, 3]], [F32] * 3, [],
        (4 * 27 * 192, 4 * (2 * (384 + 162) + 192), 4),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "dims", "types", "values", "expected"), CASES)
def test_it_knows_the_volume(name: str, dims: list[Any], types: list[str], values: list[str], expected: Any) -> None:
    assert of(name, dims, types, values) == expected


@pytest.mark.parametrize(
    ("name", "dims", "types", "values"),
    [
        ("aten::mm", [[4, 8], [9, 16]], [BF16] * 2, []),
        ("aten::mm", [[4, 8]], [BF16], []),
        ("aten::mm", [[4, 8], [8, 16]], ["unheard of"] * 2, []),
        ("aten::convolution", [[2, 3, 8, 8], [6, 3, 3, 3], [6]], [F32] * 3, []),
        ("aten::convolution", [[2, 3, 8], [3, 6, 3], []], [F32] * 3, ["", "", "", "[1]", "[0]", "[1]", "True"]),
        ("aten::convolution", [[2, 3, 8], [3, 6, 3], []], [F32] * 3, ["", "", "", "[0]", "[0]", "[1]", "False"]),
        ("aten::convolution", [[2, 3, 8], [3, 6, 9], []], [F32] * 3, ["", "", "", "[1]", "[0]", "[1]", "False"]),
        (
            "aten::_scaled_dot_product_flash_attention",
            [[1, 1, 4, 8], [1, 1, 9, 8], [1, 1, 9, 8]],
            [BF16] * 3,
            ["", "", "", "0.", "True"],
        ),
        ("aten::view", [[4]], [F32], []),
    ],
)
def test_it_never_guesses(name: str, dims: list[Any], types: list[str], values: list[str]) -> None:
    assert of(name, dims, types, values) is None


SHAPES = st.recursive(st.lists(st.integers(0, 9), max_size=5), lambda inner: st.lists(inner, max_size=3), max_leaves=6)


@given(
    st.sampled_from(sorted(FORMULAS)),
    st.lists(SHAPES, max_size=14),
    st.lists(st.sampled_from([BF16, F32, SCALAR, "", "TensorList"]), max_size=14),
    st.lists(st.sampled_from(["", "[1, 1]", "[0]", "True", "[]", "nonsense", "[-1]"]), max_size=14),
)
def test_whatever_is_recorded_it_does_not_stumble(name: str, dims: Any, types: list[str], values: list[str]) -> None:
    found = of(name, dims, types, values)
    assert found is None or (found.flops >= 0 and found.bytes >= 0)


def test_kernels_count_for_the_innermost_operator_with_a_formula() -> None:
    shapes = {"Input Dims": [[1024, 1024], [1024, 1024]], "Input type": [BF16, BF16]}
    run = make_run([
        Event("aten::matmul", "cpu_op", 1, 0, 100, shapes), Event("aten::mm", "cpu_op", 1, 10, 50, shapes),
        Event("helper", "cpu_op", 1, 15, 20), call(1, 20, 5, 1), kernel(7, 200, 4000, 1),
    ])  # fmt: skip
    run.traces[0].info.metadata["deviceProperties"] = [{"id": 0, "name": "NVIDIA H100 80GB HBM3"}]
    (rank,) = analyze(run, sections=["roofline"])["roofline"]["ranks"]
    (line,) = rank["ops"]
    assert (line["name"], line["count"], line["busy_ns"], rank["covered_percent"]) == ("aten::mm", 1, 4000, 100)
    assert line["flops"] == 2 * 1024**3 and line["bytes"] == 3 * 2 * 1024**2
    assert line["tflops_per_s"] == pytest.approx(2 * 1024**3 / 4e-6 / 1e12)
    assert line["bound"] == "compute"
    assert line["roofline_percent"] == pytest.approx(100 * (2 * 1024**3 / 989e12) / 4e-6)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(-3, 3)), min_size=1, max_size=40), st.integers(1, 12))
def test_a_curve_keeps_its_peaks(changes: list[tuple[int, int]], points: int) -> None:
    at, change = (np.array(column, np.int64) for column in zip(*changes, strict=True))
    steps = Steps.of_changes(at, change)
    thin = steps.thinned(points=points)
    assert len(thin["at_ns"]) <= max(points, 0) or len(changes) <= points
    assert max(thin["value"]) == steps.value.max() and thin["at_ns"] == sorted(thin["at_ns"])
    assert set(zip(thin["at_ns"], thin["value"], strict=True)) <= set(
        zip(steps.at_ns.tolist(), steps.value.tolist(), strict=True)
    )
    for least in (-1, 0, 2):
        seconds = [steps.value[steps.at_ns <= now][-1] for now in range(int(at.min()), int(at.max()))]
        assert steps.time_at(least) == sum(value >= least for value in seconds)
