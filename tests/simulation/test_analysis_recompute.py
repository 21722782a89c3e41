"""Work that is done again for the backward pass, and categories of operators, by hand."""

from __future__ import annotations

from typing import Any

import pytest

from simulation.analysis.categories import category_of
from simulation.analysis.report import analyze
from simulation.analysis.selection import Selection
from tests.simulation.build import Event, call, kernel, make_run, op

CHECKPOINT = "torch/utils/checkpoint.py(1490): recompute_fn"
NODE = "autograd::engine::evaluate_function: "


def frame(start: int, dur: int, name: str) -> Event:
    return Event(name, "python_function", 1, start, dur)


def step(number: int, start: int, dur: int) -> Event:
    return Event(f"ProfilerStep#{number}", "user_annotation", 1, start, dur)


def work(start: int, correlation: int, dur: int, name: str = "aten::mm") -> list[Event]:
    """An operator of 20 ns that launches a kernel 1,000 ns later."""
    return [op(1, start, 20, name), call(1, start + 5, 5, correlation), kernel(7, start + 1000, dur, correlation)]


def recompute(*events: Event, steps: frozenset[int] | None = None) -> dict[str, Any]:
    (rank,) = analyze(make_run(events), Selection(steps=steps), ["recompute"])["recompute"]["ranks"]
    return dict(rank)


def test_all_below_recompute_fn_is_done_again() -> None:
    events = [
        step(1, 0, 390), *work(10, 1, 50), op(1, 100, 200, f"{NODE}MulBackward0"), frame(110, 100, CHECKPOINT),
        *work(120, 2, 50), *work(160, 3, 60, "aten::gelu"), *work(220, 4, 50, "MulBackward0"),
        step(2, 400, 100), frame(410, 50, CHECKPOINT), *work(420, 5, 30),
    ]  # fmt: skip
    found = recompute(*events)
    assert (found["regions"], found["events"], found["busy_ns"]) == (2, 3, 40 + 60 + 30)  # the first two overlap
    assert found["percent"] == pytest.approx(100 * 130 / (50 + 40 + 60 + 50 + 30))
    assert found["steps"] == [{"step": 1, "busy_ns": 100}, {"step": 2, "busy_ns": 30}]
    assert [(line["name"], line["count"], line["direct_ns"]) for line in found["ops"]] == [
        ("aten::mm", 2, 80), ("aten::gelu", 1, 60),
    ]  # fmt: skip
    second = recompute(*events, steps=frozenset([2]))
    assert (second["regions"], second["busy_ns"]) == (1, 30)


def test_of_a_reentrant_checkpoint_its_own_backward_pass_is_not() -> None:
    found = recompute(
        op(1, 0, 400, f"{NODE}CheckpointFunctionBackward"), op(1, 5, 390, "CheckpointFunctionBackward"),
        *work(10, 1, 50), op(1, 100, 200, f"{NODE}AddmmBackward0"), *work(120, 2, 50),
    )  # fmt: skip
    assert (found["regions"], found["events"], found["busy_ns"], found["percent"]) == (1, 1, 50, 50)


def test_most_runs_do_nothing_again() -> None:
    found = recompute(*work(10, 1, 50), frame(100, 50, "torch/utils/checkpoint.py(470): checkpoint"), *work(120, 2, 50))
    assert (found["regions"], found["events"], found["busy_ns"], found["ops"]) == (0, 0, 0, [])


REDUCE = "void at::native::reduce_kernel<512, 1>"


@pytest.mark.parametrize(
    ("name", "kernel_name", "expected"),
    [
        ("aten::addmm", "", "GEMM"),
        ("aten::_grouped_mm", "", "GroupedGEMM_fwd"),
        ("aten::cudnn_convolution", "", "CONV_fwd"),
        ("aten::convolution_backward", "", "CONV_bwd"),
        ("aten::_flash_attention_forward", "", "SDPA_fwd"),
        ("FlashAttnFuncBackward", "", "SDPA_bwd"),
        ("aten::native_layer_norm_backward", "", "NORM_bwd"),
        ("aten::mul_", "", "elementwise"),
        ("aten::mean", "", "reduce"),
        ("triton_poi_fused_add_0", "triton_poi_fused_add_0", "triton"),
        ("record_param_comms", "ncclDevKernel", "record_param_comms"),
        ("aten::_index_put_impl_", "void at::native::vectorized_elementwise_kernel<4>", "elementwise"),
        ("aten::nansum_", REDUCE, "reduce"),
        (
            "aten::_foreach_add_",
            "void at::native::(anonymous namespace)::multi_tensor_apply_kernel",
            "multi_tensor_apply",
        ),
        ("aten::cat", "void at::native::(anonymous namespace)::CatArrayBatchedCopy", "other"),
        ("mine", f"my{REDUCE}", "other"),
    ],
)
def test_an_operator_has_a_category(name: str, kernel_name: str, expected: str) -> None:
    assert category_of(name, kernel_name) == expected


def test_a_call_has_the_category_of_its_first_kernel() -> None:
    """In the order of the launches, not of the starts."""
    run = make_run([
        op(1, 0, 100, "mine"), call(1, 10, 5, 1), call(1, 20, 5, 2), call(1, 200, 5, 3),
        Event("other kernel", "kernel", ("stream", 8), 500, 10, kernel(8, 0, 0, 2).args),
        Event(REDUCE, "kernel", ("stream", 7), 600, 10, kernel(7, 0, 0, 1).args),
        Event(REDUCE, "kernel", ("stream", 7), 700, 10, kernel(7, 0, 0, 3).args),
    ])  # fmt: skip
    figures = analyze(run, sections=["op_categories", "ops", "kernels_by_op"])
    (line,) = figures["op_categories"]["categories"]
    assert (line["category"], line["count"], line["direct_ns"], line["percent"]) == ("reduce", 1, 20, 100)
    assert run.traces[line["trace"]].name_of(line["row"]) == "mine"
    assert [line["categories"] for line in figures["ops"]["ops"]] == [["reduce"]]
    assert {(line["op"], line["category"]) for line in figures["kernels_by_op"]["kernels"]} == {
        ("mine", "reduce"), (None, None),
    }  # fmt: skip
