"""Floating-point operations and bytes of one operator, from the shapes and types of its inputs.

The formulas are those of TraceLens's performance models (facts of each family in docs/analysis.md, "Roofline"). Bytes
are the least that must move: every input read once, every output written once. An operator whose shapes do not tell has
no volume, never a guess.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple

import msgspec


class Volume(NamedTuple):
    """Of one call."""

    flops: int
    bytes: int
    width_bytes: int  # of the operands of a matrix product; 0: no matrix units

    @property
    def is_matrix(self) -> bool:
        return self.width_bytes > 0


WIDTHS = {
    "float": 4, "double": 8, "c10::BFloat16": 2, "c10::Half": 2, "long int": 8, "long": 8, "int": 4, "short": 2,
    "short int": 2, "bool": 1, "unsigned char": 1, "signed char": 1, "c10::Float8_e4m3fn": 1, "c10::Float8_e5m2": 1,
    "c10::Float8_e4m3fnuz": 1, "c10::Float8_e5m2fnuz": 1, "c10::complex<float>": 8, "c10::complex<double>": 16,
}  # fmt: skip
"""Bytes per element by the name that PyTorch writes; what is no tensor has none."""

FLOPS_PER_ELEMENT = 5
"""Of normalization and softmax: mean, difference, square, scale, shift."""


class Inputs(NamedTuple):
    """What is recorded of a call's inputs, one entry each."""

    dims: list[Any]  # of a tensor its sizes; of a list of tensors theirs; [] else
    types: list[str]
    values: list[str]  # of what is no tensor, as text ("Concrete Inputs"); "" else

    def shape(self, at: int) -> list[int] | None:
        """Sizes of tensor `at`; None where it is none or is not recorded."""
        if at >= len(self.dims) or self.width(at) == 0:
            return None
        sizes = self.dims[at]
        return sizes if isinstance(sizes, list) and all(type(size) is int for size in sizes) else None

    def width(self, at: int) -> int:
        return WIDTHS.get(self.types[at], 0) if at < len(self.types) else 0

    def size_bytes(self, at: int) -> int:
        shape = self.shape(at)
        return prod(shape) * self.width(at) if shape is not None else 0

    def value(self, at: int) -> str:
        return self.values[at] if at < len(self.values) else ""

    def numbers(self, at: int) -> list[int] | None:
        """A list of whole numbers given as text: "[1, 1]"."""
        try:
            return msgspec.json.decode(self.value(at), type=list[int])
        except msgspec.DecodeError:
            return None


Formula = Callable[[Inputs], Volume | None]


def volume(name: str, inputs: Inputs) -> Volume | None:
    """Of an operator by its name; None where no formula or not enough is known."""
    formula = FORMULAS.get(name) or FORMULAS.get(name.removesuffix("_"))
    return formula(inputs) if formula else None


def _product(first: int, second: int, added: int | None = None, *, out_width: int = 0) -> Formula:
    """Matrix products, batched or not, plus what is added to them: 2MNK (+ MN) per batch."""

    def formula(inputs: Inputs) -> Volume | None:
        a, b = inputs.shape(first), inputs.shape(second)
        if a is None or b is None or len(a) < 2 or len(b) != len(a) or a[-1] != b[-2] or a[:-2] != b[:-2]:
            return None
        batch, m, k, n = prod(a[:-2]), a[-2], a[-1], b[-1]
        out = batch * m * n
        plus = added is not None and inputs.shape(added) is not None
        moved = inputs.size_bytes(first) + inputs.size_bytes(second) + out * (out_width or inputs.width(first))
        moved += inputs.size_bytes(added) if added is not None else 0
        return Volume(2 * out * k + out * plus, moved, inputs.width(first))

    return formula


def _linear(inputs: Inputs) -> Volume | None:
    x, weight = inputs.shape(0), inputs.shape(1)
    if not x or weight is None or len(weight) != 2 or x[-1] != weight[1]:
        return None
    out = prod(x[:-1]) * weight[0]
    biased = inputs.shape(2) is not None
    moved = sum(inputs.size_bytes(at) for at in range(3)) + out * inputs.width(0)
    return Volume(2 * out * x[-1] + out * biased, moved, inputs.width(0))


def _convolution(stride: int, padding: int, dilation: int, transposed: int | None, bias: int | None) -> Formula:
    """2 * prod(w[1:]) * prod(out) (+ prod(out) with a bias); the places of its settings differ by operator."""

    def formula(inputs: Inputs) -> Volume | None:
        x, weight = inputs.shape(0), inputs.shape(1)
        settings = [inputs.numbers(at) for at in (stride, padding, dilation)]
        if x is None or weight is None or len(x) != len(weight) or len(x) < 3:
            return None
        if transposed is not None and inputs.value(transposed) == "True":
            return None  # its output depends on more than is worth to follow here
        each = [_per_axis(found, len(x) - 2) for found in settings]
        if not all(each) or 0 in each[0]:
            return None
        out_sizes = [
            (size + 2 * pad - gap * (kernel - 1) - 1) // step + 1
            for size, kernel, step, pad, gap in zip(x[2:], weight[2:], *each, strict=True)
        ]
        if min(out_sizes) < 1:
            return None
        biased = bias is not None and inputs.shape(bias) is not None
        extra = inputs.size_bytes(bias) if bias is not None else 0
        out = x[0] * weight[0] * prod(out_sizes)
        moved = inputs.size_bytes(0) + inputs.size_bytes(1) + extra + out * inputs.width(0)
        return Volume(2 * prod(weight[1:]) * out + out * biased, moved, inputs.width(0))

    return formula


def _per_axis(values: list[int] | None, axes: int) -> list[int]:
    """One value per axis; one for all counts for each. Empty where they do not fit."""
    if not values or len(values) not in (1, axes):
        return []
    return values * (axes // len(values))


def _convolution_backward(inputs: Inputs) -> Volume | None:
    """Gradients of input and weight, as much work each as the forward pass."""
    out, x, weight = inputs.shape(0), inputs.shape(1), inputs.shape(2)
    if out is None or x is None or weight is None:
        return None
    moved = 2 * (inputs.size_bytes(1) + inputs.size_bytes(2)) + inputs.size_bytes(0)
    return Volume(4 * prod(weight[1:]) * prod(out), moved, inputs.width(1))


def _attention(causal: int) -> Formula:
    """q, k, v as batch, heads, positions, width: two products, half of them where causal."""

    def formula(inputs: Inputs) -> Volume | None:
        q, k, v = (inputs.shape(at) for at in range(3))
        if q is None or k is None or v is None or not len(q) == len(k) == len(v) == 4:
            return None
        if inputs.value(causal) == "True" and q[2] != k[2]:
            return None
        pairs = q[0] * q[1] * q[2] * k[2]
        flops = 2 * pairs * (q[3] + v[3]) // (2 if inputs.value(causal) == "True" else 1)
        out = prod(q[:3]) * v[3] * inputs.width(0)
        return Volume(flops, sum(inputs.size_bytes(at) for at in range(3)) + out, inputs.width(0))

    return formula


def _attention_backward(causal: int) -> Formula:
    """Five products where the forward pass has two; reads grad, q, k, v, out and writes three gradients."""

    def formula(inputs: Inputs) -> Volume | None:
        q, k, v = (inputs.shape(at) for at in (1, 2, 3))
        if q is None or k is None or v is None or not len(q) == len(k) == len(v) == 4:
            return None
        flops = q[0] * q[1] * q[2] * k[2] * (3 * 2 * q[3] + 2 * 2 * v[3])
        moved = sum(inputs.size_bytes(at) for at in (0, 1, 2, 3, 4)) + sum(inputs.size_bytes(at) for at in (1, 2, 3))
        return Volume(flops // (2 if inputs.value(causal) == "True" else 1), moved, inputs.width(1))

    return formula


def _elementwise(flops: int = 1, *, tensors: int = 3, out_width: int = 0, in_place_first: bool = False) -> Formula:
    """Broadcast over the inputs: reads all, writes the result, in the widest type of those that have sizes."""

    def formula(inputs: Inputs) -> Volume | None:
        shapes = [inputs.shape(at) for at in range(min(tensors, len(inputs.dims)))]
        known = [shape for shape in shapes if shape is not None]
        if not known:
            return None
        count = prod(_broadcast(known))
        sized = [at for at, shape in enumerate(shapes) if shape] or [at for at, s in enumerate(shapes) if s is not None]
        width = out_width or max(inputs.width(at) for at in sized)
        read = sum(inputs.size_bytes(at) for at in range(1 if in_place_first else 0, len(shapes)))
        return Volume(flops * count, read + count * (inputs.width(0) if in_place_first else width), 0)

    return formula


def _broadcast(shapes: Sequence[list[int]]) -> list[int]:
    out: list[int] = []
    for shape in shapes:
        longest = max(len(out), len(shape))
        padded = [[1] * (longest - len(sizes)) + sizes for sizes in (out, shape)]
        out = [second if first == 1 else first for first, second in zip(*padded, strict=True)]
    return out


def _per_element(flops: int, *, writes: bool = True, parameters: tuple[int, ...] = ()) -> Formula:
    """Of the first input's elements: read, and written where the result is as large; with parameters read too."""

    def formula(inputs: Inputs) -> Volume | None:
        x = inputs.shape(0)
        if x is None:
            return None
        moved = inputs.size_bytes(0) * (2 if writes else 1) + sum(inputs.size_bytes(at) for at in parameters)
        return Volume(flops * prod(x), moved, 0)

    return formula


def _concatenation(inputs: Inputs) -> Volume | None:
    """Reads and writes everything once; the type is not recorded for lists, so that only lists with types count."""
    width = WIDTHS.get(inputs.types[0] if inputs.types else "", 0)
    shapes = inputs.dims[0] if inputs.dims else []
    if not width or not all(isinstance(shape, list) for shape in shapes):
        return None
    return Volume(0, 2 * width * sum(prod(shape) for shape in shapes), 0)


def _lookup(inputs: Inputs) -> Volume | None:
    """Rows of a table by index: reads the indices and the rows, writes the rows."""
    table, index = inputs.shape(0), inputs.shape(2)
    if not table or index is None or inputs.value(1) not in ("0", ""):
        return None
    rows = prod(index) * prod(table[1:]) * inputs.width(0)
    return Volume(0, 2 * rows + inputs.size_bytes(2), 0)


UNARY = (
    "abs neg exp log log2 log1p sqrt rsqrt sin cos tanh sigmoid relu silu gelu erf reciprocal square sign floor ceil "
    "round hardtanh hardswish leaky_relu elu softplus clamp clamp_min clamp_max bitwise_not logical_not isnan isinf "
    "pow cumsum"
)
BINARY = (
    "add sub rsub mul div atan2 fmod remainder maximum minimum gelu_backward silu_backward threshold_backward "
    "tanh_backward sigmoid_backward bitwise_and bitwise_or bitwise_xor floor_divide"
)
COMPARE = "eq ne lt le gt ge logical_and logical_or logical_xor"
REDUCE = "sum mean prod max min amax amin all any argmax argmin norm linalg_vector_norm var std"

FORMULAS: dict[str, Formula] = {
    "aten::mm": _product(0, 1),
    "aten::bmm": _product(0, 1),
    "aten::addmm": _product(1, 2, 0),
    "aten::baddbmm": _product(1, 2, 0),
    "aten::_scaled_mm": _product(0, 1, out_width=2),
    "aten::linear": _linear,
    "aten::convolution": _convolution(3, 4, 5, 6, 2),
    "aten::_convolution": _convolution(3, 4, 5, 6, 2),
    "aten::cudnn_convolution": _convolution(3, 2, 4, None, None),
    "aten::miopen_convolution": _convolution(4, 3, 5, None, 2),
    "aten::convolution_backward": _convolution_backward,
    "aten::_scaled_dot_product_flash_attention": _attention(4),
    "aten::_scaled_dot_product_efficient_attention": _attention(6),
    "aten::_scaled_dot_product_cudnn_attention": _attention(6),
    "aten::_scaled_dot_product_flash_attention_backward": _attention_backward(11),
    "aten::_scaled_dot_product_efficient_attention_backward": _attention_backward(10),
    "aten::native_layer_norm": _per_element(FLOPS_PER_ELEMENT, parameters=(2, 3)),
    "aten::_fused_rms_norm": _per_element(FLOPS_PER_ELEMENT - 1, parameters=(2,)),
    "aten::_softmax": _per_element(FLOPS_PER_ELEMENT),
    "aten::_log_softmax": _per_element(FLOPS_PER_ELEMENT),
    "aten::cat": _concatenation,
    "aten::index_select": _lookup,
    "aten::copy_": _elementwise(0, tensors=2, in_place_first=True),
    "aten::fill": _elementwise(0, tensors=1, in_place_first=True),
    "aten::zero": _elementwise(0, tensors=1, in_place_first=True),
    "aten::where": _elementwise(1),
    "aten::addcmul": _elementwise(3),
    "aten::addcdiv": _elementwise(3),
    "aten::lerp": _elementwise(3),
    **{f"aten::{word}": _elementwise(1, tensors=1) for word in UNARY.split()},
    **{f"aten::{word}": _elementwise(1, tensors=2) for word in BINARY.split()},
    **{f"aten::{word}": _elementwise(1, tensors=2, out_width=1) for word in COMPARE.split()},
    **{f"aten::{word}": _per_element(1, writes=False) for word in REDUCE.split()},
}
"""Operator -> formula; an operator that works in place (`add_`) has that of the one that does not."""

NEEDS_VALUES = frozenset(name for name in FORMULAS if "convolution" in name or "attention" in name) | {
    "aten::index_select"
}
"""Operators whose volume depends on inputs that are no tensors."""
