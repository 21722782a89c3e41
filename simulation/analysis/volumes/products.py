"""Matrix products: 2MNK per product (+ MN where something is added); operands read, the result written."""

from __future__ import annotations

from math import prod

from simulation.analysis.volumes.inputs import SCALAR_TYPE_WIDTHS, Formula, Inputs, Volume


def _product(first: int, second: int, added: int | None = None) -> Formula:
    """(M, K) x (K, N), batched or not, plus what is added to it."""

    def formula(inputs: Inputs) -> Volume | None:
        a, b = inputs.shape(first), inputs.shape(second)
        if a is None or b is None or len(a) < 2 or len(b) != len(a) or a[-1] != b[-2] or a[:-2] != b[:-2]:
            return None
        out = prod(a[:-1]) * b[-1]
        plus = added is not None and inputs.shape(added) is not None
        moved = inputs.size_bytes(first, second) + out * inputs.width(first)
        moved += inputs.size_bytes(added) if added is not None else 0
        return Volume(2 * out * a[-1] + out * plus, moved, inputs.width(first))

    return formula


def _scaled(inputs: Inputs) -> Volume | None:
    """_scaled_mm(a, b, scale_a, scale_b, bias, scale_result, out_dtype): narrow operands, a result of 16 bits or as
    the last says. Scales are left out, as in TraceLens."""
    a, b = inputs.shape(0), inputs.shape(1)
    if a is None or b is None or len(a) != 2 or len(b) != 2 or a[1] != b[0]:
        return None
    out, narrow = a[0] * b[1], inputs.width(0)
    out_width = SCALAR_TYPE_WIDTHS.get(inputs.value(6)) or max(narrow, 2)
    moved = inputs.size_bytes(0, 1, 4) + out * out_width
    return Volume(2 * out * a[1] + out * inputs.is_given(4), moved, narrow)


def _linear(inputs: Inputs) -> Volume | None:
    """(..., K) by a weight of (N, K)."""
    x, weight = inputs.shape(0), inputs.shape(1)
    if not x or weight is None or len(weight) != 2 or x[-1] != weight[1]:
        return None
    out = prod(x[:-1]) * weight[0]
    moved = inputs.size_bytes(0, 1, 2) + out * inputs.width(0)
    return Volume(2 * out * x[-1] + out * inputs.is_given(2), moved, inputs.width(0))


def _grouped(inputs: Inputs) -> Volume | None:
    """_grouped_mm: groups of rows (M, K) x (G, K, N), of columns (G, M, K) x (K, N), of what is summed over
    (M, K) x (K, N) with G results, or batches; the groups' sizes change nothing."""
    a, b, groups = inputs.shape(0), inputs.shape(1), inputs.shape(2)
    if a is None or b is None or {len(a), len(b)} - {2, 3} or a[-1] != b[-2]:
        return None
    if len(a) == len(b) == 2:
        if groups is None or len(groups) != 1:
            return None
        flops, out = 2 * a[0] * a[1] * b[1], groups[0] * a[0] * b[1]
    else:
        if len(a) == len(b) == 3 and a[0] != b[0]:
            return None
        out = (a[0] if len(a) == len(b) else 1) * a[-2] * b[-1]
        flops = 2 * out * a[-1]
    moved = inputs.size_bytes(0, 1) + out * max(inputs.width(0), 2)
    return Volume(flops, moved, inputs.width(0))


def _grouped_rows(inputs: Inputs) -> Volume | None:
    """Rows by group (M, K) x (G, K, N) or (G, N, K), the weight's side that is K being the one that fits."""
    x, weight = inputs.shape(0), inputs.shape(1)
    if x is None or weight is None or len(x) != 2 or len(weight) != 3 or x[1] not in weight[1:]:
        return None
    out = x[0] * (weight[2] if weight[1] == x[1] else weight[1])
    return Volume(2 * out * x[1], inputs.size_bytes(0, 1) + out * inputs.width(1), inputs.width(0))


def _grouped_sums(inputs: Inputs) -> Volume | None:
    """Gradients of grouped weights: (M, K) and (M, N), summed over the rows of each group; read as one group."""
    x, grad = inputs.shape(0), inputs.shape(1)
    if x is None or grad is None or len(x) != 2 or len(grad) != 2 or x[0] != grad[0]:
        return None
    flops = 2 * x[0] * x[1] * grad[1]
    return Volume(flops, inputs.size_bytes(0, 1) + x[1] * grad[1] * inputs.width(1), inputs.width(0))


def _transposable(packed: int = 1) -> Formula:
    """hipBLASLt by way of Primus (a, scale, b, scale, type, turned a, turned b, turned result): a result of 16 bits or
    wider. `packed`: so many numbers of 4 bits in an element; their scales count, one for each block."""

    def formula(inputs: Inputs) -> Volume | None:
        a, b = inputs.shape(0), inputs.shape(2)
        if a is None or b is None or len(a) != 2 or len(b) != 2:
            return None
        turned_a, turned_b = inputs.is_true(5), inputs.is_true(6)
        if inputs.is_true(7):
            a, b, turned_a, turned_b = b, a, not turned_b, not turned_a
        (k, m) = a if turned_a else a[::-1]
        n, other_k = b if turned_b else b[::-1]
        if k != other_k:
            return None
        moved = inputs.size_bytes(0, 2) + m * n * max(inputs.width(0), 2)
        moved += inputs.size_bytes(1, 3) if packed > 1 else 0
        return Volume(2 * m * n * k * packed, moved, inputs.width(0))

    return formula


def _transformer_engine(inputs: Inputs) -> Volume | None:
    """te_gemm_ts(a, ., ., ., turned a, b, ., ., ., turned b, result, ., ., ., bias, ...); none is an empty bias."""
    a, b, bias = inputs.shape(0), inputs.shape(5), inputs.shape(14) or [0]
    if a is None or b is None or len(a) != 2 or len(b) != 2 or not inputs.width(10):
        return None
    m, k = a if inputs.is_true(4) else a[::-1]
    other_k, n = b if inputs.is_true(9) else b[::-1]
    if k != other_k:
        return None
    moved = inputs.size_bytes(0, 5, 14) + m * n * inputs.width(10)
    return Volume(2 * m * n * k + m * n * (prod(bias) > 0), moved, inputs.width(0))


PRODUCTS: dict[str, Formula] = {
    "aten::mm": _product(0, 1),
    "aten::bmm": _product(0, 1),
    "aten::addmm": _product(1, 2, 0),
    "aten::_addmm_activation": _product(1, 2, 0),
    "aten::baddbmm": _product(1, 2, 0),
    "aten::linear": _linear,
    "aten::_scaled_mm": _scaled,
    "trtllm::cublas_scaled_mm": _scaled,
    "tex_ts::te_gemm_ts": _transformer_engine,
    "primus_turbo::hipblaslt_gemm_fp8": _transposable(),
    "primus_turbo_cpp_extension::hipblaslt_gemm_fp8": _transposable(),
    "primus_turbo::hipblaslt_gemm_fp4": _transposable(2),
    "primus_turbo_cpp_extension::hipblaslt_gemm_fp4": _transposable(2),
}
GROUPED: dict[str, Formula] = {
    "aten::_grouped_mm": _grouped,
    "primus_turbo::grouped_gemm": _grouped_rows,
    "primus_turbo::grouped_gemm_impl": _grouped_rows,
    "primus_turbo_cpp_extension::grouped_gemm": _grouped_rows,
    "primus_turbo_cpp_extension::ck_grouped_gemm": _grouped_rows,
    "primus_turbo::grouped_gemm_variable_k": _grouped_sums,
    "primus_turbo::grouped_gemm_variable_k_impl": _grouped_sums,
    "primus_turbo_cpp_extension::grouped_gemm_variable_k": _grouped_sums,
    "primus_turbo_cpp_extension::ck_grouped_gemm_variable_k": _grouped_sums,
}
