"""Attention: two products forward (q k, p v), five backward where q k is computed again, else four; half if causal.

q, k, v and the result move once; backward the gradient of the result and q, k, v are read, their gradients written.
"""

from __future__ import annotations

from typing import NamedTuple

from simulation.analysis.volumes.inputs import Formula, Inputs, Volume


class Places(NamedTuple):
    """Which input is what, beside q, k, v, which follow each other."""

    causal: int  # a truth value, or the number of a kind of mask that is causal unless 0; -1: it never is
    q: int = 0
    backward: bool = False
    layout: str = "bhnd"  # batch, heads, positions, width of a head; of three sizes always positions, heads, width
    lengths: int = -1  # where sequences of one batch begin in q, the same of k, and the longest of q and of k
    recomputes: bool = True  # q k anew in the backward pass


class _Sizes(NamedTuple):
    """Of one call: b batches, n and m positions of q and k, h and g heads of q and k, widths of heads of k and v."""

    b: int
    n: int
    m: int
    h: int
    g: int
    k: int
    v: int

    def forward(self, causal: bool) -> int | None:
        return self._masked(2 * self.b * self.h * self.n * self.m * (self.k + self.v), causal)

    def backward(self, causal: bool, recomputes: bool) -> int | None:
        """dV and dP as wide as v; dQ, dK and q k again as wide as k; heads that share a k add up their gradients."""
        products = 2 * self.b * self.h * self.n * self.m * ((2 + recomputes) * self.k + 2 * self.v)
        shared = self.b * self.m * (self.k + self.v) * (self.h // self.g - 1)
        return self._masked(products + shared, causal)

    def _masked(self, flops: int, causal: bool) -> int | None:
        if not causal:
            return flops
        return flops // 2 if self.n == self.m else None

    @property
    def q_elements(self) -> int:
        return self.b * self.n * self.h * self.k

    @property
    def kv_elements(self) -> int:
        return self.b * self.m * self.g * (self.k + self.v)

    @property
    def out_elements(self) -> int:
        return self.b * self.n * self.h * self.v


def _sizes(inputs: Inputs, places: Places) -> _Sizes | None:
    q, k, v = (inputs.shape(places.q + at) for at in range(3))
    if q is None or k is None or v is None or not 3 <= len(q) == len(k) == len(v) <= 4:
        return None
    layout = places.layout if len(q) == 4 else "nhd"
    found = [dict(zip(layout, shape, strict=True)) for shape in (q, k, v)]
    first, second, third = ({"b": 1, **sizes} for sizes in found)
    sizes = _Sizes(first["b"], first["n"], second["n"], first["h"], second["h"], first["d"], third["d"])
    fits = first["b"] == second["b"] == third["b"] and second["n"] == third["n"] and second["h"] == third["h"]
    return sizes if fits and first["d"] == second["d"] and sizes.g > 0 and sizes.h >= sizes.g else None


def _sequences(inputs: Inputs, places: Places, whole: _Sizes) -> list[tuple[int, _Sizes]] | None:
    """(how many, their sizes). Of sequences that follow each other only the number, the sum and the longest are
    recorded: the others are taken as equally long, which is the least work they can be."""
    begins = inputs.shape(places.lengths) if places.lengths >= 0 else None
    if not begins:
        return [(1, whole)] if len(inputs.dims[places.q]) == 4 else None
    others = begins[0] - 2
    n, m = inputs.number(places.lengths + 2), inputs.number(places.lengths + 3)
    if others == 0:
        return [(1, whole)]
    if others < 0 or n is None or m is None or n > whole.n or m > whole.m:
        return None
    rest = whole._replace(n=(whole.n - n) // others, m=(whole.m - m) // others)
    return [(1, whole._replace(n=n, m=m)), (others, rest)]


def _causal(inputs: Inputs, places: Places) -> bool:
    number = inputs.number(places.causal) if places.causal >= 0 else None
    return number > 0 if number is not None else places.causal >= 0 and inputs.is_true(places.causal)


def _attention(places: Places) -> Formula:
    def formula(inputs: Inputs) -> Volume | None:
        sizes = _sizes(inputs, places)
        parts = _sequences(inputs, places, sizes) if sizes is not None else None
        if sizes is None or parts is None or not inputs.values:
            return None
        causal, backward, width = _causal(inputs, places), places.backward, inputs.width(places.q)
        flops = [
            (count, each.backward(causal, places.recomputes) if backward else each.forward(causal))
            for count, each in parts
        ]
        known = [count * each for count, each in flops if each is not None]
        elements = (1 + backward) * (sizes.q_elements + sizes.kv_elements) + sizes.out_elements
        return Volume(sum(known), elements * width, width) if len(known) == len(flops) else None

    return formula


_FLASH_ATTN = Places(5, layout="bnhd")
FORWARD: dict[str, Formula] = {name: _attention(places) for name, places in {
    "aten::_scaled_dot_product_flash_attention": Places(4),
    "aten::_scaled_dot_product_flash_attention_for_cpu": Places(4),
    "aten::_scaled_dot_product_efficient_attention": Places(6),
    "aten::_scaled_dot_product_cudnn_attention": Places(6),
    "aten::_cudnn_attention_forward": Places(10),
    "aten::_scaled_dot_product_fused_attention_overrideable": Places(5),
    "aten::_flash_attention_forward": Places(8, layout="bnhd", lengths=3),
    "aten::_efficient_attention_forward": Places(9, layout="bnhd", lengths=4),
    "flash_attn::_flash_attn_forward": _FLASH_ATTN,
    "flash_attn::_flash_attn_varlen_forward": Places(9, layout="bnhd", lengths=3),
    "flash_attn_3::fwd": Places(24, layout="bnhd"),
    "FlashAttnFunc": _FLASH_ATTN,
    "aiter::_flash_attn_forward": _FLASH_ATTN,
    "aiter::mha_fwd": _FLASH_ATTN,
    "aiter::fmha_v3_fwd": _FLASH_ATTN,
    "aiter::wrapper_fmha_v3_fwd": Places(6, q=1, layout="bnhd"),
}.items()}  # fmt: skip
BACKWARD: dict[str, Formula] = {name: _attention(places) for name, places in {
    "aten::_scaled_dot_product_flash_attention_backward": Places(11, q=1, backward=True),
    "aten::_scaled_dot_product_flash_attention_for_cpu_backward": Places(7, q=1, backward=True),
    "aten::_scaled_dot_product_efficient_attention_backward": Places(11, q=1, backward=True, recomputes=False),
    "aten::_scaled_dot_product_cudnn_attention_backward": Places(14, q=1, backward=True, recomputes=False),
    "aten::_scaled_dot_product_fused_attention_overrideable_backward": Places(13, q=1, backward=True),
    "aten::_cudnn_attention_backward": Places(14, q=1, backward=True, recomputes=False),
    "aten::_flash_attention_backward": Places(11, q=1, backward=True, layout="bnhd", lengths=6),
    "aten::_efficient_attention_backward": Places(14, q=1, backward=True, layout="bnhd", lengths=6, recomputes=False),
    "flash_attn::_flash_attn_backward": Places(11, q=1, backward=True, layout="bnhd"),
    "flash_attn::_flash_attn_varlen_backward": Places(15, q=1, backward=True, layout="bnhd", lengths=9),
    "aiter::_flash_attn_backward": Places(12, q=1, backward=True, layout="bnhd"),
    "aiter::wrapper_fmha_v3_bwd": Places(9, q=1, backward=True, layout="bnhd"),
    "aiter::mha_bwd": Places(8, q=1, backward=True, layout="bnhd"),
}.items()}  # fmt: skip
