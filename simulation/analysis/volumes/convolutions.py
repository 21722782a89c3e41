"""Convolutions: 2 * prod(weight[1:]) per element of the result, transposed of the input (+ 1 per result with a bias).

weight[1] is channels per group, so that groups are in the sizes already. Input, weight, bias and result move once.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from simulation.analysis.volumes.inputs import Formula, Inputs, Volume


class Places(NamedTuple):
    """Which input is what; -1: it has none. Settings are lists of one number for all axes or one for each."""

    stride: int
    padding: int
    dilation: int
    bias: int = -1
    transposed: int = -1  # a truth value; ALWAYS where the name says it
    output_padding: int = -1
    groups: int = -1


ALWAYS = -2


class _Shapes(NamedTuple):
    """Sizes of one convolution."""

    x: list[int]
    weight: list[int]
    out: list[int]
    transposed: bool

    @property
    def flops(self) -> int:
        return 2 * prod(self.weight[1:]) * prod(self.x if self.transposed else self.out)

    @property
    def elements(self) -> int:
        return prod(self.x) + prod(self.weight) + prod(self.out)


def _shapes(inputs: Inputs, places: Places) -> _Shapes | None:
    x, weight = inputs.shape(0), inputs.shape(1)
    if x is None or weight is None or len(x) != len(weight) or len(x) < 3:
        return None
    axes, transposed = len(x) - 2, places.transposed == ALWAYS or inputs.is_true(places.transposed)
    settings = (places.stride, places.padding, places.dilation)
    stride, padding, dilation = (_per_axis(inputs.numbers(at), axes) for at in settings)
    extra = _per_axis(inputs.numbers(places.output_padding), axes) or [0] * axes
    if not stride or not padding or not dilation or 0 in stride:
        return None
    reach = [gap * (size - 1) + 1 for gap, size in zip(dilation, weight[2:], strict=True)]
    each = list(zip(x[2:], reach, stride, padding, extra, strict=True))
    if transposed:
        sizes = [(size - 1) * step - 2 * pad + width + more for size, width, step, pad, more in each]
        channels = weight[1] * (inputs.number(places.groups) or 1)
    else:
        sizes = [(size + 2 * pad - width) // step + 1 for size, width, step, pad, _ in each]
        channels = weight[0]
    return _Shapes(x, weight, [x[0], channels, *sizes], transposed) if min(sizes) >= 1 else None


def _per_axis(values: list[int] | None, axes: int) -> list[int]:
    """One value per axis; one for all counts for each. Empty where they do not fit."""
    if not values or len(values) not in (1, axes):
        return []
    return values * (axes // len(values))


def _forward(places: Places) -> Formula:
    def formula(inputs: Inputs) -> Volume | None:
        found = _shapes(inputs, places)
        if found is None:
            return None
        biased, width = places.bias >= 0 and inputs.is_given(places.bias), inputs.width(0)
        flops = found.flops + prod(found.out) * biased
        moved = found.elements * width + (inputs.size_bytes(places.bias) if biased else 0)
        return Volume(flops, moved, width)

    return formula


def _backward(inputs: Inputs) -> Volume | None:
    """convolution_backward(gradient, input, weight, ...): a product as large as the forward one for each gradient that
    the mask asks for (input, weight), which reads two of the three and writes the size of the third; the bias sums."""
    out, x, weight = inputs.shape(0), inputs.shape(1), inputs.shape(2)
    if out is None or x is None or weight is None or not len(out) == len(x) == len(weight) >= 3:
        return None
    asked = inputs.flags(10) or []
    of_input, of_weight, of_bias = asked if len(asked) == 3 else (True, True, False)
    transposed = inputs.is_true(7) or out[1] != weight[0]  # where the values are not recorded
    found, products = _Shapes(x, weight, out, transposed), of_input + of_weight
    moved = products * found.elements + of_bias * (prod(out) + out[1])
    return Volume(products * found.flops + of_bias * prod(out), moved * inputs.width(1), inputs.width(1))


def _causal(inputs: Inputs) -> Volume | None:
    """causal_conv1d of state-space models: every channel by itself, a result as long as the input."""
    x, weight = inputs.shape(0), inputs.shape(1)
    if x is None or weight is None or len(x) != 3 or len(weight) != 2 or x[1] != weight[0]:
        return None
    moved = 2 * inputs.size_bytes(0) + inputs.size_bytes(1, 2)
    return Volume(2 * prod(x) * weight[1], moved, inputs.width(0))


_ATEN = Places(3, 4, 5, bias=2, transposed=6, output_padding=7, groups=8)
FORWARD: dict[str, Formula] = {
    "aten::convolution": _forward(_ATEN),
    "aten::_convolution": _forward(_ATEN),
    "aten::convolution_overrideable": _forward(_ATEN),
    "aten::cudnn_convolution": _forward(Places(3, 2, 4)),
    "aten::cudnn_convolution_relu": _forward(Places(3, 4, 5, bias=2)),
    "aten::cudnn_convolution_add_relu": _forward(Places(5, 6, 7, bias=4)),
    "aten::cudnn_convolution_transpose": _forward(Places(4, 2, 5, transposed=ALWAYS, output_padding=3, groups=6)),
    "aten::miopen_convolution": _forward(Places(4, 3, 5, bias=2)),
    "aten::miopen_convolution_relu": _forward(Places(3, 4, 5, bias=2)),
    "aten::miopen_depthwise_convolution": _forward(Places(4, 3, 5, bias=2)),
    "aten::miopen_convolution_transpose": _forward(
        Places(5, 3, 6, bias=2, transposed=ALWAYS, output_padding=4, groups=7)
    ),
    "aten::mkldnn_convolution": _forward(Places(4, 3, 5, bias=2)),
    "aten::_conv_depthwise2d": _forward(Places(4, 5, 6, bias=3)),
    "DaoAILab::_causal_conv1d_fwd_cpp": _causal,
    "aten::conv_depthwise3d": _forward(Places(4, 5, 6, bias=3)),
}
BACKWARD: dict[str, Formula] = {"aten::convolution_backward": _backward}
