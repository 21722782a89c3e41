"""FLOPs and bytes of operators from their shapes, by hand; and what of them reaches the roofline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.analysis.peaks import peak_of
from simulation.analysis.report import analyze
from simulation.analysis.series import Steps
from simulation.analysis.volumes import FORMULAS, Inputs, Volume, volume
from tests.simulation.build import Event, call, kernel, make_run

BF16, F32, SCALAR = "c10::BFloat16", "float", "Scalar"
E4M3, FP4, E8M0 = "c10::Float8_e4m3fn", "c10::Float4_e2m1fn_x2", "c10::Float8_e8m0fnu"


def of(name: str, dims: list[Any], types: list[str], values: list[str] | None = None) -> Volume | None:
    return volume(name, Inputs(dims, types, values or []))


Q, KV = [2, 8, 16, 32], [2, 2, 16, 32]  # batch, heads, positions, width: four heads share a key
BNHD = [[2, 16, 8, 32], [2, 16, 2, 32], [2, 16, 2, 32]]
PAIRS = 2 * 8 * 16 * 16  # of a q and a k, over batches and heads
SHARED = 2 * 16 * (32 + 32) * 3  # gradients of k and v, added up over the heads that share them
Q_ELEMENTS, KV_ELEMENTS = 2 * 8 * 16 * 32, 2 * 2 * 16 * 64

PRODUCTS = [
    ("aten::mm", [[4, 8], [8, 16]], [BF16] * 2, [], (2 * 4 * 8 * 16, 2 * (32 + 128 + 64), 2)),
    ("aten::addmm", [[16], [4, 8], [8, 16]], [F32] * 3, [], (2 * 512 + 64, 4 * (16 + 32 + 128 + 64), 4)),
    ("aten::bmm", [[3, 4, 8], [3, 8, 16]], [BF16] * 2, [], (3 * 1024, 3 * 2 * (32 + 128 + 64), 2)),
    (
        "aten::baddbmm", [[3, 4, 16], [3, 4, 8], [3, 8, 16]], [BF16] * 3, [],
        (3 * (1024 + 64), 3 * 2 * (64 + 32 + 128 + 64), 2),
    ),
    ("aten::linear", [[2, 3, 8], [16, 8], [16]], [F32] * 3, [], (2 * 6 * 8 * 16 + 96, 4 * (48 + 128 + 16 + 96), 4)),
    ("aten::_scaled_mm", [[4, 8], [8, 16], [], [], []], [E4M3] * 2 + [F32] * 2 + [""], [], (1024, 32 + 128 + 128, 1)),
    (
        "aten::_scaled_mm", [[4, 8], [8, 16], [], [], [16]], [E4M3] * 2 + [F32] * 2 + [BF16], [""] * 6 + ["6"],
        (1024 + 64, 32 + 128 + 32 + 4 * 64, 1),
    ),
    ("aten::_grouped_mm", [[10, 8], [3, 8, 16], [3]], [BF16] * 2 + ["int"], [], (2560, 2 * (80 + 384 + 160), 2)),
    ("aten::_grouped_mm", [[8, 10], [10, 16], [3]], [BF16] * 2 + ["int"], [], (2560, 2 * (80 + 160 + 3 * 128), 2)),
    ("aten::_grouped_mm", [[3, 4, 8], [8, 10], [3]], [BF16] * 2 + ["int"], [], (640, 2 * (96 + 80 + 40), 2)),
    ("aten::_grouped_mm", [[3, 4, 8], [3, 8, 16]], [BF16] * 2, [], (3 * 1024, 2 * (96 + 384 + 192), 2)),
    ("primus_turbo::grouped_gemm", [[10, 8], [3, 16, 8]], [BF16] * 2, [], (2560, 2 * (80 + 384 + 160), 2)),
    ("primus_turbo::grouped_gemm_variable_k", [[10, 8], [10, 16]], [BF16] * 2, [], (2560, 2 * (80 + 160 + 128), 2)),
    (
        "primus_turbo::hipblaslt_gemm_fp8", [[8, 4], [], [16, 8], []], [E4M3, F32] * 2, [""] * 5 + ["True"] * 2,
        (1024, 32 + 128 + 2 * 64, 1),
    ),
    (
        "primus_turbo::hipblaslt_gemm_fp8", [[8, 4], [], [16, 8], []], [E4M3, F32] * 2, [""] * 5 + ["1", "1", "1"],
        (1024, 32 + 128 + 2 * 64, 1),
    ),
    (  # 16 numbers of 4 bits in 8 bytes, a scale for 32 of them or what there is
        "primus_turbo::hipblaslt_gemm_fp4", [[4, 8], [4, 1], [16, 8], [16, 1]], [FP4, E8M0] * 2, [""] * 5 + ["0", "1"],
        (2048, 32 + 128 + 4 + 16 + 2 * 64, 1),
    ),
    (
        "tex_ts::te_gemm_ts", [[16, 8], [], [], [], [], [4, 8], [], [], [], [], [4, 16], [], [], [], [16]],
        [E4M3, F32, SCALAR, SCALAR, SCALAR] * 2 + [BF16, F32, SCALAR, F32, BF16], [""] * 4 + ["1"] + [""] * 4 + ["0"],
        (1024 + 64, 128 + 32 + 2 * 64 + 32, 1),
    ),
    (
        "vllm::inplace_fused_experts", [[4, 8], [2, 32, 8], [2, 8, 16], [4, 1]], [BF16] * 3 + [F32], [],
        (2 * 4 * 8 * 16 * 3 + 32, 2 * 2 * 32 + round(2 * (1 - 0.5**4) * 16 * 8 * 3 * 2), 2),
    ),
]  # fmt: skip
CONVOLUTIONS = [
    (
        "aten::convolution", [[2, 3, 8, 8], [6, 3, 3, 3], [6]], [F32] * 3,
        ["", "", "", "[2, 2]", "[1, 1]", "[1, 1]", "False", "[0, 0]", "1"],
        (2 * 27 * 2 * 6 * 16 + 192, 4 * (384 + 162 + 6 + 192), 4),
    ),
    (
        "aten::convolution", [[2, 4, 8], [6, 2, 3], []], [F32] * 2 + [""],  # two groups, every other input
        ["", "", "", "[1]", "[0]", "[2]", "False", "[0]", "2"], (2 * 6 * 2 * 6 * 4, 4 * (64 + 36 + 48), 4),
    ),
    (
        "aten::convolution", [[2, 6, 4, 4], [6, 3, 3, 3], [3]], [F32] * 3,  # transposed: 4 to 3 * 2 - 2 + 3 + 1 = 8
        ["", "", "", "[2, 2]", "[1, 1]", "[1, 1]", "True", "[1, 1]", "1"],
        (2 * 27 * 192 + 384, 4 * (192 + 162 + 3 + 384), 4),
    ),
    (
        "DaoAILab::_causal_conv1d_fwd_cpp", [[2, 8, 100], [8, 4], [8]], [BF16] * 3, [],
        (2 * 1600 * 4, 2 * (3200 + 32 + 8), 2),
    ),
    (
        "aten::cudnn_convolution_transpose", [[1, 4, 5], [4, 3, 2]], [F32] * 2,  # two groups of three channels
        ["", "", "[0]", "[0]", "[2]", "[1]", "2"], (2 * 6 * 20, 4 * (20 + 24 + 6 * 10), 4),
    ),
    (
        "aten::cudnn_convolution", [[2, 3, 8, 8], [6, 3, 3, 3]], [F32] * 2, ["", "", "[0, 0]", "[1, 1]", "[1, 1]"],
        (2 * 27 * 2 * 6 * 36, 4 * (384 + 162 + 432), 4),
    ),
    (
        "aten::convolution_backward", [[2, 6, 4, 4], [2, 3, 8, 8], [6, 3, 3, 3]], [F32] * 3, [],
        (4 * 27 * 192, 4 * 2 * (192 + 384 + 162), 4),
    ),
    (
        "aten::convolution_backward", [[2, 6, 4, 4], [2, 3, 8, 8], [6, 3, 3, 3]], [F32] * 3,  # of the first layer
        [""] * 7 + ["False", "[0, 0]", "1", "[False, True, True]"],
        (2 * 27 * 192 + 192, 4 * (192 + 384 + 162 + 192 + 6), 4),
    ),
    (
        "aten::convolution_backward", [[2, 3, 8, 8], [2, 6, 4, 4], [6, 3, 3, 3]], [F32] * 3,  # transposed
        [""] * 7 + ["True"], (4 * 27 * 192, 4 * 2 * (192 + 384 + 162), 4),
    ),
]  # fmt: skip
ATTENTION = [
    (
        "aten::_scaled_dot_product_flash_attention", [[2, 4, 16, 8]] * 3, [BF16] * 3, ["", "", "", "0.", "False"],
        (2 * 4 * 16 * 16 * 4 * 8, 4 * 2 * 1024, 2),
    ),
    (
        "aten::_scaled_dot_product_flash_attention", [[2, 4, 16, 8]] * 3, [BF16] * 3, ["", "", "", "0.", "True"],
        (4 * 16 * 16 * 4 * 8, 4 * 2 * 1024, 2),
    ),
    (
        "aten::_scaled_dot_product_efficient_attention", [Q, KV, [2, 2, 16, 64], []], [F32] * 3, [""] * 6 + ["True"],
        (PAIRS * (32 + 64), 4 * (Q_ELEMENTS + 2 * 2 * 16 * 96 + 2 * Q_ELEMENTS), 4),
    ),
    (
        "aten::_flash_attention_forward", BNHD, [BF16] * 3, [""] * 8 + ["False"],
        (2 * PAIRS * 64, 2 * (2 * Q_ELEMENTS + KV_ELEMENTS), 2),
    ),
    (
        "aten::_efficient_attention_forward", BNHD, [BF16] * 3, [""] * 9 + ["1", "True"],
        (PAIRS * 64, 2 * (2 * Q_ELEMENTS + KV_ELEMENTS), 2),
    ),
    (
        "aiter::wrapper_fmha_v3_fwd", [[], *BNHD], [""] + [BF16] * 3, [""] * 6 + ["True"],
        (PAIRS * 64, 2 * (2 * Q_ELEMENTS + KV_ELEMENTS), 2),
    ),
    (
        "flash_attn::_flash_attn_varlen_forward", [[26, 8, 32], [26, 2, 32], [26, 2, 32], [4], [4]],
        [BF16] * 3 + ["int"] * 2, [""] * 5 + ["10", "10", "0.", "0.1", "False"],  # 10, and two of 8
        (2 * 8 * (100 + 2 * 64) * 64, 2 * 26 * (2 * 8 * 32 + 2 * 64), 2),
    ),
    (
        "aten::_flash_attention_backward", [BNHD[0], *BNHD], [BF16] * 4, [""] * 11 + ["False"],
        (2 * PAIRS * (3 * 32 + 2 * 32) + SHARED, 2 * (2 * Q_ELEMENTS + 2 * KV_ELEMENTS + Q_ELEMENTS), 2),
    ),
    (
        "aten::_scaled_dot_product_flash_attention_backward", [Q, Q, KV, KV], [BF16] * 4, [""] * 11 + ["True"],
        ((2 * PAIRS * 160 + SHARED) // 2, 2 * (3 * Q_ELEMENTS + 2 * KV_ELEMENTS), 2),
    ),
    (
        "aten::_scaled_dot_product_efficient_attention_backward", [Q, Q, KV, KV], [BF16] * 4,
        [""] * 10 + ["[True, True, True, False]", "True"],
        ((2 * PAIRS * 128 + SHARED) // 2, 2 * (3 * Q_ELEMENTS + 2 * KV_ELEMENTS), 2),
    ),
    (
        "aten::_scaled_dot_product_cudnn_attention_backward", [Q, Q, KV, KV], [BF16] * 4, [""] * 14 + ["False"],
        (2 * PAIRS * 128 + SHARED, 2 * (3 * Q_ELEMENTS + 2 * KV_ELEMENTS), 2),
    ),
]  # fmt: skip
ELEMENTWISE = [
    ("aten::add_", [[2, 3], [2, 3], []], [F32, F32, SCALAR], [], (6, 72, 0)),
    ("aten::mul", [[2, 1, 4], [3, 1]], [BF16, BF16], [], (24, 2 * (8 + 3 + 24), 0)),
    ("aten::mul", [[5], []], [BF16, "double"], [], (5, 10 + 8 + 10, 0)),
    ("aten::add", [[5], [5]], [BF16, F32], [], (5, 10 + 20 + 20, 0)),
    ("aten::eq", [[7], []], ["long int", SCALAR], [], (7, 56 + 7, 0)),
    ("aten::gelu", [[7], []], [BF16, ""], [], (7, 28, 0)),
    ("aten::pow", [[7], []], [F32, SCALAR], ["", "2"], (7, 56, 0)),
    ("aten::copy_", [[6], [6], []], [BF16, F32, SCALAR], [], (6, 24 + 12, 0)),
    ("aten::fill_", [[6], []], [BF16, SCALAR], [], (0, 12, 0)),
    ("aten::where", [[6], [6], []], ["bool", BF16, BF16], [], (6, 6 + 12 + 2 + 12, 0)),
    ("aten::addcmul_", [[6], [6], [6], []], [F32] * 3 + [SCALAR], [], (18, 4 * 24, 0)),
    ("FusedRoPEFunc", [[4, 1, 2, 8], [4, 1, 1, 8]], [BF16, F32], [], (3 * 64, 2 * 128, 0)),
]  # fmt: skip
REDUCTIONS = [
    ("aten::sum", [[4, 5], []], [F32, SCALAR], [], (20, 80 + 4, 0)),
    ("aten::mean", [[4, 5, 6], []], [F32, "ScalarList"], ["", "[-1]", "True"], (120, 480 + 80, 0)),
    ("aten::sum", [[4, 5, 6], []], [BF16, "ScalarList"], ["", "[0, 2]", "False"], (120, 240 + 10, 0)),
    ("aten::norm", [[4, 5], [], []], [F32, SCALAR, "ScalarList"], ["", "2", "[1]"], (20, 80 + 16, 0)),
    ("aten::max", [[4, 5], []], [F32, SCALAR], ["", "1", "False"], (20, 80 + 4 * (4 + 8), 0)),
    ("aten::argmax", [[4, 5], []], [BF16, SCALAR], ["", "1", "False"], (20, 40 + 32, 0)),
    ("aten::all", [[4, 5]], ["bool"], [], (20, 20 + 1, 0)),
    ("aten::cumsum", [[4, 5], []], [F32, SCALAR], ["", "1"], (20, 160, 0)),
]
NORMS = [
    (
        "aten::layer_norm", [[4, 8], [], [8], [8], [], []], [BF16, "ScalarList", BF16, BF16, SCALAR, SCALAR],
        ["", "[8]"], (5 * 32 + 6 * 8, 2 * (64 + 6 * 8), 0),
    ),
    (
        "aten::native_layer_norm", [[4, 8], [], [], []], [BF16, "ScalarList", "", ""], ["", "[8]"],
        (5 * 32 + 6 * 8, 2 * (64 + 4 * 8), 0),
    ),
    (
        "aten::native_layer_norm_backward", [[4, 8], [4, 8], [], [4, 1], [4, 1], [8], [8]],
        [BF16, BF16, "ScalarList", F32, F32, BF16, BF16], ["", "", "[8]", "", "", "", "", "[True, True, True]"],
        (9 * 32, 2 * (3 * 32 + 4 * 8), 0),
    ),
    (  # older files record no values
        "aten::native_layer_norm", [[4, 8], [], [8], [8], []], [F32, "", F32, F32, SCALAR], [],
        (5 * 32 + 6 * 8, 4 * (64 + 6 * 8), 0),
    ),
    (
        "aten::native_batch_norm", [[2, 3, 4, 4], [3], [3], [3], [3]], [F32] * 5, [""] * 5 + ["True"],
        (5 * 96 + 18, 4 * (192 + 6 * 3), 0),
    ),
    (
        "aten::cudnn_batch_norm", [[2, 3, 4, 4], [3], [3], [3], [3]], [F32] * 5, [""] * 5 + ["False"],
        (2 * 96 + 18, 4 * (192 + 4 * 3), 0),
    ),
    (
        "aten::cudnn_batch_norm_backward", [[2, 3, 4, 4], [2, 3, 4, 4], [3]], [F32] * 3, [],
        (9 * 96, 4 * (3 * 96 + 4 * 3), 0),
    ),
    ("aten::native_group_norm", [[2, 4, 6], [4], [4]], [F32] * 3, [], (5 * 48 + 24, 4 * (96 + 6 * 4), 0)),
    (
        "aten::_fused_rms_norm", [[4, 8], [], [8]], [BF16, "ScalarList", BF16], ["", "[8]"],
        (4 * 18 + 2 * 32, 2 * (64 + 8), 0),
    ),
    (
        "aten::_fused_rms_norm_backward", [[4, 8], [4, 8], [], [4, 1], [8]], [BF16, BF16, "ScalarList", F32, BF16],
        ["", "", "[8]", "", "", "[True, True]"], ((2 + 6 + 2) * 32, 2 * (3 * 32 + 2 * 8), 0),
    ),
    ("aten::_softmax", [[4, 8], []], [BF16, SCALAR], [], (96, 128, 0)),
    ("aten::_softmax_backward_data", [[4, 8], [4, 8]], [BF16] * 2, [], (128, 192, 0)),
    ("CrossEntropyFunction", [[4, 1, 100], [4, 1]], [BF16, "long int"], [], (2000, 800 + 48, 0)),
]  # fmt: skip
MOVED = [
    ("aten::cat", [[[2, 3], [4, 3]], []], [BF16, SCALAR], [], (0, 2 * 2 * 18, 0)),
    ("aten::index_select", [[100, 8], [], [5]], [F32, SCALAR, "long int"], ["", "0", ""], (0, 2 * 160 + 40, 0)),
    ("aten::gather", [[4, 9], [], [4, 2]], [F32, SCALAR, "long int"], ["", "1", ""], (0, 2 * 32 + 64, 0)),
    ("aten::_embedding_bag", [[100, 8], [20], [5]], [F32, "long int", "long int"], [], (160, 4 * 8 * 25 + 200, 0)),
    (
        "aten::embedding_dense_backward", [[20, 8], [20], []], [F32, "long int", SCALAR], ["", "", "100"],
        (160, 640 + 160 + 3200, 0),
    ),
    ("MoEDispatch", [[20, 8]], [BF16], [], (0, 320, 0)),
]  # fmt: skip
CASES = [*PRODUCTS, *CONVOLUTIONS, *ATTENTION, *ELEMENTWISE, *REDUCTIONS, *NORMS, *MOVED]


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
        ("aten::convolution", [[2, 3, 8], [3, 6, 3], []], [F32] * 3, ["", "", "", "[0]", "[0]", "[1]", "False"]),
        ("aten::convolution", [[2, 3, 8], [3, 6, 9], []], [F32] * 3, ["", "", "", "[1]", "[0]", "[1]", "False"]),
        (
            "aten::_scaled_dot_product_flash_attention",
            [[1, 1, 4, 8], [1, 1, 9, 8], [1, 1, 9, 8]],
            [BF16] * 3,
            ["", "", "", "0.", "True"],
        ),
        ("aten::_scaled_dot_product_flash_attention", [[1, 2, 4, 8], [1, 2, 4, 9], [1, 2, 4, 8]], [BF16] * 3, []),
        ("aten::_flash_attention_forward", [[26, 8, 32]] * 3, [BF16] * 3, [""] * 9),
        ("aten::_grouped_mm", [[8, 10], [10, 16]], [BF16] * 2, []),
        ("aten::mul", [[2], [3]], [F32] * 2, []),
        ("aten::sum", [[4, 5], []], [F32, "ScalarList"], ["", "[2]"]),
        ("aten::max", [[4, 5], [4, 5]], [F32, F32], []),
        ("aten::layer_norm", [[4, 8]], [BF16], []),
        ("aten::native_batch_norm", [[2, 3, 4, 4], [3], [3]], [F32] * 3, []),
        ("aten::_scaled_dot_product_flash_attention", [[1, 2, 4, 8]] * 3, [BF16] * 3, []),
        ("aten::cat", [[[2, 3], [4, 3]], []], ["TensorList", SCALAR], []),
        ("vllm::inplace_fused_experts", [[4, 8], [2, 48, 8], [2, 8, 16], [4, 1]], [BF16] * 4, []),
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


SHAPED = {"Input Dims": [[1024, 1024], [1024, 1024]], "Input type": [BF16, BF16]}


def roofline(*events: Event, device: str = "NVIDIA H100 80GB HBM3") -> dict[str, Any]:
    run = make_run(events)
    run.traces[0].info.metadata["deviceProperties"] = [{"id": 0, "name": device}]
    (rank,) = analyze(run, sections=["roofline"])["roofline"]["ranks"]
    return dict(rank)


def test_kernels_count_for_the_operator_with_a_formula() -> None:
    rank = roofline(
        Event("aten::matmul", "cpu_op", 1, 0, 100, SHAPED), Event("aten::mm", "cpu_op", 1, 10, 50, SHAPED),
        Event("helper", "cpu_op", 1, 15, 20), call(1, 20, 5, 1), kernel(7, 200, 4000, 1),
    )  # fmt: skip
    (line,) = rank["ops"]
    assert (line["name"], line["count"], line["busy_ns"], rank["covered_percent"]) == ("aten::mm", 1, 4000, 100)
    assert line["flops"] == 2 * 1024**3 and line["bytes"] == 3 * 2 * 1024**2
    assert line["tflops_per_s"] == pytest.approx(2 * 1024**3 / 4e-6 / 1e12)
    assert line["bound"] == "compute"
    assert line["roofline_percent"] == pytest.approx(100 * (2 * 1024**3 / 989e12) / 4e-6)


def test_what_an_operator_calls_is_part_of_its_work() -> None:
    """As TraceLens has it: a convolution's line holds the library's call and the addition of the bias."""
    inputs = {
        "Input Dims": [[2, 3, 8, 8], [6, 3, 3, 3], [6], [], [], [], [], [], []],
        "Input type": [F32, F32, F32, *["ScalarList"] * 3, SCALAR, "ScalarList", SCALAR],
        "Concrete Inputs": ["", "", "", "[2, 2]", "[1, 1]", "[1, 1]", "False", "[0, 0]", "1"],
    }
    added = {"Input Dims": [[2, 6, 4, 4], [6, 1, 1]], "Input type": [F32, F32]}
    rank = roofline(
        Event("aten::conv2d", "cpu_op", 1, 0, 100), Event("aten::convolution", "cpu_op", 1, 1, 98, inputs),
        Event("aten::_convolution", "cpu_op", 1, 2, 96, inputs), call(1, 20, 5, 1), kernel(7, 200, 4000, 1),
        Event("aten::add_", "cpu_op", 1, 30, 20, added), call(1, 35, 5, 2), kernel(7, 4300, 100, 2),
        Event("aten::add_", "cpu_op", 1, 130, 20, added), call(1, 135, 5, 3), kernel(7, 4400, 100, 3),
    )  # fmt: skip
    ours = [(line["name"], line["count"], line["busy_ns"], line["flops"]) for line in rank["ops"]]
    assert ours == [("aten::convolution", 1, 4100, 2 * 27 * 192 + 192), ("aten::add_", 1, 100, 192)]


@pytest.mark.parametrize(
    ("listed", "known"),
    [
        ([{"id": 0, "name": "AMD Instinct MI300X VF", "numSms": 304}], "MI300X"),
        ([{"id": at, "name": "AMD Instinct MI300X VF", "numSms": 304} for at in (0, 1)], "MI300X"),
        ([{"id": 0, "name": "NVIDIA H200"}, {"id": 2, "name": "Tesla V100-SXM2-16GB"}], "V100"),
        ([{"id": 0, "name": "NVIDIA H200"}, {"id": 1, "name": "Tesla V100-SXM2-16GB"}], None),
        ([], None),
    ],
)
def test_it_knows_the_device_by_number_or_because_all_are_alike(listed: list[Any], known: str | None) -> None:
    table = make_run([kernel(7, 200, 4000, 1)]).traces[0]
    table.info.metadata["deviceProperties"] = listed
    tracks = tuple(replace(track, device=2) if track.kind == "stream" else track for track in table.tracks)
    peak = peak_of(replace(table, tracks=tracks))
    assert (peak.name if peak else None) == known


def test_an_operator_without_a_model_stands_behind_what_it_calls() -> None:
    """TraceLens lists the clamp_min of a relu."""
    inputs = {"Input Dims": [[4, 8]], "Input type": [F32]}
    rank = roofline(
        Event("aten::relu", "cpu_op", 1, 0, 100, inputs), Event("aten::clamp_min", "cpu_op", 1, 10, 50, inputs),
        call(1, 20, 5, 1), kernel(7, 200, 400, 1),
    )  # fmt: skip
    assert [(line["name"], line["busy_ns"]) for line in rank["ops"]] == [("aten::clamp_min", 400)]


def test_an_operator_that_hands_on_stands_behind_what_it_calls() -> None:
    inputs = {"Input Dims": [[4, 8], [16, 8]], "Input type": [BF16, BF16]}
    product = {"Input Dims": [[4, 8], [8, 16]], "Input type": [BF16, BF16]}
    rank = roofline(
        Event("aten::linear", "cpu_op", 1, 0, 100, inputs), Event("aten::mm", "cpu_op", 1, 10, 50, product),
        call(1, 20, 5, 1), kernel(7, 200, 400, 1),
        Event("aten::linear", "cpu_op", 1, 110, 20, inputs), call(1, 115, 5, 2), kernel(7, 700, 300, 2),
    )  # fmt: skip
    assert [(line["name"], line["busy_ns"]) for line in rank["ops"]] == [("aten::mm", 400), ("aten::linear", 300)]


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
