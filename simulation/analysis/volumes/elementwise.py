"""Elementwise operators: some flops per element of the result; what is read and the result move once."""

from __future__ import annotations

from math import prod

from simulation.analysis.volumes.inputs import Formula, Inputs, Volume, broadcast


def _elementwise(flops: int = 1, *, tensors: int = 3, out_width: int = 0) -> Formula:
    """Broadcast over the inputs; the result has the widest type of those that have sizes, or that of the first."""

    def formula(inputs: Inputs) -> Volume | None:
        places = range(min(tensors, len(inputs.dims)))
        shapes = {at: shape for at in places if (shape := inputs.shape(at)) is not None}
        sizes = broadcast(list(shapes.values()))
        if not shapes or sizes is None:
            return None
        sized = [at for at, shape in shapes.items() if shape] or list(shapes)
        width = out_width or max(inputs.width(at) for at in sized)
        return Volume(flops * prod(sizes), inputs.size_bytes(*places) + prod(sizes) * width, 0)

    return formula


def _copy(inputs: Inputs) -> Volume | None:
    """copy_(target, source): one conversion per element, as TraceLens counts it; source read, target written."""
    target, source = inputs.shape(0), inputs.shape(1)
    if target is None or source is None:
        return None
    return Volume(prod(target), inputs.size_bytes(0, 1), 0)


def _written(inputs: Inputs) -> Volume | None:
    """fill_, zero_: nothing is read."""
    target = inputs.shape(0)
    return Volume(0, inputs.size_bytes(0), 0) if target is not None else None


def _rotation(inputs: Inputs) -> Volume | None:
    """Rotary embedding: four products and two sums per pair of elements."""
    x = inputs.shape(0)
    return Volume(3 * prod(x), 2 * inputs.size_bytes(0), 0) if x else None


UNARY = (
    "abs neg exp exp2 expm1 log log2 log10 log1p sqrt rsqrt sin cos tan asin acos atan sinh cosh tanh sigmoid relu "
    "relu6 silu gelu mish erf erfc reciprocal square sign floor ceil round trunc frac hardtanh hardswish hardsigmoid "
    "leaky_relu elu selu celu softplus log_sigmoid_forward clamp clamp_min clamp_max bitwise_not logical_not isnan "
    "isinf nan_to_num pow"
)
BINARY = (
    "add sub rsub mul div atan2 fmod remainder maximum minimum fmax fmin gelu_backward silu_backward mish_backward "
    "threshold_backward tanh_backward sigmoid_backward hardtanh_backward hardswish_backward hardsigmoid_backward "
    "leaky_relu_backward elu_backward softplus_backward log_sigmoid_backward native_dropout_backward bitwise_and "
    "bitwise_or bitwise_xor floor_divide masked_fill"
)
COMPARE = "eq ne lt le gt ge logical_and logical_or logical_xor"

MODELLED = "copy clamp_min clamp_max sigmoid rsqrt silu neg pow div mul add sigmoid_backward threshold_backward"
"""Of which TraceLens has a model."""

ELEMENTWISE: dict[str, Formula] = {
    **{f"aten::{word}": _elementwise(1, tensors=1) for word in UNARY.split()},
    **{f"aten::{word}": _elementwise(1, tensors=2) for word in BINARY.split()},
    **{f"aten::{word}": _elementwise(1, tensors=2, out_width=1) for word in COMPARE.split()},
    "aten::copy": _copy,
    "aten::fill": _written,
    "aten::zero": _written,
    "aten::where": _elementwise(1),
    "aten::addcmul": _elementwise(3),
    "aten::addcdiv": _elementwise(3),
    "aten::lerp": _elementwise(3),
    "LigerSiLUMulFunction": _elementwise(1, tensors=2),
    "FusedRoPEFunc": _rotation,
}
