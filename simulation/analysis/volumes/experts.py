"""Mixtures of experts in one operator: up (and gate) product, down product and weighted sum of the chosen experts.

Flops are exact. Which experts are used is not recorded: weights are counted for as many as tokens that choose evenly
and independently reach, E * (1 - (1 - k/E) ** tokens), TraceLens's estimate.
"""

from __future__ import annotations

from typing import NamedTuple

from simulation.analysis.volumes.inputs import Formula, Inputs, Volume


class Places(NamedTuple):
    """Which input is what."""

    tokens: int  # (tokens, K)
    up: int  # (experts, N or 2N where gated, K)
    down: int  # (experts, K, N)
    choice: int  # (tokens, chosen experts)


def _experts(places: Places) -> Formula:
    def formula(inputs: Inputs) -> Volume | None:
        x, up, down, choice = (inputs.shape(at) for at in places)
        if x is None or up is None or down is None or choice is None:
            return None
        if (len(x), len(up), len(down), len(choice)) != (2, 3, 3, 2) or up[0] != down[0]:
            return None
        (tokens, k), (experts, rows, _), (_, out, n) = x, up, down
        chosen = choice[1]
        if out != k or up[2] != k or rows not in (n, 2 * n) or not 0 < chosen <= experts:
            return None
        products = rows // n + 1
        flops = 2 * tokens * k * n * chosen * products + tokens * k * (2 * chosen - 1)
        used = experts * (1 - (1 - chosen / experts) ** tokens)
        weights = round(used * n * k * products * inputs.width(places.up))
        return Volume(flops, 2 * inputs.size_bytes(places.tokens) + weights, inputs.width(places.up))

    return formula


_PLAIN = _experts(Places(0, 1, 2, 3))
EXPERTS: dict[str, Formula] = {
    "vllm::inplace_fused_experts": _PLAIN,
    "vllm::outplace_fused_experts": _PLAIN,
    "vllm::rocm_aiter_fused_moe": _PLAIN,
    "sglang::inplace_fused_experts": _PLAIN,
    "sglang::outplace_fused_experts": _PLAIN,
}
