"""Normalization, softmax and losses.

Per element two flops (scale, shift) and three more where the statistics are of the input itself; per channel six
(the inverse deviation, the two factors). Input and result move once, and per channel mean and variance, weight and
bias where there are any, and the statistics that training writes. All as TraceLens counts it.
"""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from simulation.analysis.volumes.inputs import Formula, Inputs, Volume


class Places(NamedTuple):
    """Which input is what; the input itself comes first, or after its gradient."""

    weight: int
    bias: int = -1
    training: int = -1  # a truth value; -1: statistics are always of the input
    normalized: int = -1  # the sizes that are normalized together; -1: channels are the second size
    groups: int = -1
    mask: int = -1  # of a backward pass: which gradients are asked for


class _Norm(NamedTuple):
    elements: int
    channels: int
    width: int
    has_weight: bool
    has_bias: bool
    training: bool

    def forward(self) -> Volume:
        flops = 6 * self.channels + (5 if self.training else 2) * self.elements
        parameters = 2 + self.has_weight * (1 + self.has_bias) + 2 * self.training
        return Volume(flops, (2 * self.elements + parameters * self.channels) * self.width, 0)

    def backward(self, of_input: bool) -> Volume:
        """Sums are 4 flops per element, the gradient of the input 5; given statistics 3 per channel."""
        own = 5 * self.training if of_input else 2
        flops = (4 + own) * self.elements + (0 if self.training else 3 * self.channels)
        moved = self.elements * (3 if of_input and self.training else 2)
        parameters = self.training + self.has_weight * (1 + self.training * (1 + self.has_bias))
        return Volume(flops, (moved + parameters * self.channels) * self.width, 0)


def _norm(inputs: Inputs, places: Places, x: int) -> _Norm | None:
    shape = inputs.shape(x)
    together = (inputs.numbers(places.normalized) or inputs.shape(places.weight)) if places.normalized >= 0 else None
    if not shape or (places.normalized >= 0 and not together) or (together is None and len(shape) < 2):
        return None
    if places.training >= 0 and not inputs.value(places.training):
        return None
    channels = prod(together) if together is not None else shape[1]
    asked = inputs.flags(places.mask) if places.mask >= 0 else None
    has_weight, has_bias = inputs.is_given(places.weight), places.bias >= 0 and inputs.is_given(places.bias)
    if asked and len(asked) == 3:
        has_weight, has_bias = asked[1], asked[2]
    training = places.training < 0 or inputs.is_true(places.training)
    return _Norm(prod(shape), channels, inputs.width(x), has_weight, has_bias, training)


def _forward(places: Places) -> Formula:
    def formula(inputs: Inputs) -> Volume | None:
        found = _norm(inputs, places, 0)
        return found.forward() if found else None

    return formula


def _backward(places: Places, x: int = 1) -> Formula:
    def formula(inputs: Inputs) -> Volume | None:
        found = _norm(inputs, places, x)
        asked = inputs.flags(places.mask) if places.mask >= 0 else None
        return found.backward(not asked or asked[0]) if found else None

    return formula


def _rms(inputs: Inputs) -> Volume | None:
    """_fused_rms_norm(input, sizes, weight): the mean square of each row, then one or two products per element."""
    found = _norm(inputs, Places(2, normalized=1), 0)
    if found is None or not found.channels:
        return None
    rows = found.elements // found.channels
    flops = rows * (2 * found.channels + 2) + (1 + found.has_weight) * found.elements
    return Volume(flops, (2 * found.elements + found.has_weight * found.channels) * found.width, 0)


def _rms_backward(inputs: Inputs) -> Volume | None:
    """_fused_rms_norm_backward(gradient, input, sizes, rstd, weight, mask)."""
    found = _norm(inputs, Places(4, normalized=2), 1)
    asked = inputs.flags(5) or [True, True]
    if found is None or not found.channels or len(asked) != 2:
        return None
    of_weight = asked[1] and found.has_weight
    per_element = 1 + found.has_weight + 6 * asked[0] + of_weight * (1 + (found.elements > found.channels))
    moved = 3 * found.elements + 2 * found.has_weight * found.channels
    return Volume(per_element * found.elements, moved * found.width, 0)


def _softmax(flops: int, tensors: int) -> Formula:
    """Exponential, sum and quotient of each element; backward two products, a sum and a difference."""

    def formula(inputs: Inputs) -> Volume | None:
        x = inputs.shape(0)
        return Volume(flops * prod(x), (tensors + 1) * inputs.size_bytes(0), 0) if x is not None else None

    return formula


def _cross_entropy(inputs: Inputs) -> Volume | None:
    """Softmax and logarithm of each row in one: five per element; targets of 8 bytes read, a loss of 4 written."""
    logits = inputs.shape(0)
    if not logits:
        return None
    return Volume(5 * logits[0] * logits[-1], inputs.size_bytes(0) + 12 * logits[0], 0)


_BATCH = _forward(Places(1, 2, training=5))
_LAYER = _forward(Places(2, 3, normalized=1))
_GROUP = _forward(Places(2, 3))
FORWARD: dict[str, Formula] = {
    **{f"aten::{kind}batch_norm": _BATCH for kind in ("", "native_", "cudnn_", "miopen_")},
    "aten::_native_batch_norm_legit": _BATCH,
    "aten::instance_norm": _BATCH,
    "aten::layer_norm": _LAYER,
    "aten::native_layer_norm": _LAYER,
    "aten::group_norm": _GROUP,
    "aten::native_group_norm": _forward(Places(1, 2)),
    "aten::_fused_rms_norm": _rms,
}
BACKWARD: dict[str, Formula] = {
    "aten::native_batch_norm_backward": _backward(Places(2, 2, training=7, mask=9)),
    "aten::cudnn_batch_norm_backward": _backward(Places(2, 2), 0),
    "aten::miopen_batch_norm_backward": _backward(Places(2, 2), 0),
    "aten::native_layer_norm_backward": _backward(Places(5, 6, normalized=2, mask=7)),
    "aten::native_group_norm_backward": _backward(Places(4, 4, mask=9)),
    "aten::_fused_rms_norm_backward": _rms_backward,
}
OTHERS: dict[str, Formula] = {
    "aten::_softmax": _softmax(3, 1),
    "aten::_log_softmax": _softmax(3, 1),
    "aten::_safe_softmax": _softmax(3, 1),
    "aten::_softmax_backward_data": _softmax(4, 2),
    "aten::_log_softmax_backward_data": _softmax(4, 2),
    "CrossEntropyFunction": _cross_entropy,
}
