"""Floating-point operations and bytes of one operator, from the shapes and types of its inputs.

The formulas are those of TraceLens's performance models (facts of each family in docs/analysis.md, "Roofline"), its
arguments those that the operators declare. Bytes are the least that must move: every input read once, every output
written once. An operator whose shapes do not tell has no volume, never a guess.
"""

from __future__ import annotations

from simulation.analysis.volumes import (
    attention,
    convolutions,
    elementwise,
    experts,
    moved,
    norms,
    products,
    reductions,
)
from simulation.analysis.volumes.inputs import Formula, Inputs, Volume

__all__ = ["FAMILIES", "FORMULAS", "NEEDS_VALUES", "WHOLE", "Inputs", "Volume", "formula_of", "volume"]

FAMILIES: dict[str, dict[str, Formula]] = {
    "GEMM": products.PRODUCTS,
    "GroupedGEMM_fwd": products.GROUPED,
    "CONV_fwd": convolutions.FORWARD,
    "CONV_bwd": convolutions.BACKWARD,
    "SDPA_fwd": attention.FORWARD,
    "SDPA_bwd": attention.BACKWARD,
    "NORM_fwd": norms.FORWARD,
    "NORM_bwd": norms.BACKWARD,
    "MoE_fused": experts.EXPERTS,
    "elementwise": elementwise.ELEMENTWISE,
    "reduce": reductions.REDUCTIONS,
    "other": {**norms.OTHERS, **moved.MOVED},
}
"""Formulas of operators by TraceLens's name of their category; one that works in place (`add_`) has that of `add`."""

FORMULAS: dict[str, Formula] = {name: formula for family in FAMILIES.values() for name, formula in family.items()}

_BY_FAMILY = (
    "GEMM",
    "GroupedGEMM_fwd",
    "CONV_fwd",
    "CONV_bwd",
    "SDPA_fwd",
    "SDPA_bwd",
    "NORM_fwd",
    "NORM_bwd",
    "MoE_fused",
)
WHOLE = frozenset(
    {name for family in _BY_FAMILY for name in FAMILIES[family]}
    | {f"aten::{word}" for module in (elementwise, reductions) for word in module.MODELLED.split()}
) - {"aten::linear"}
"""Operators that TraceLens has a model of: their line holds all that they call. Others stand behind what they call."""

NEEDS_VALUES = frozenset(
    name
    for family, formulas in FAMILIES.items()
    for name in formulas
    if family not in ("GroupedGEMM_fwd", "MoE_fused", "elementwise")
) - {f"aten::{word}" for word in ("mm", "bmm", "addmm", "_addmm_activation", "baddbmm", "linear")}
"""Operators whose volume depends on inputs that are no tensors."""


def formula_of(name: str) -> str | None:
    """The operator's name in FORMULAS; None where it has none."""
    return next((each for each in (name, name.removesuffix("_")) if each in FORMULAS), None)


def volume(name: str, inputs: Inputs) -> Volume | None:
    """Of an operator by its name; None where no formula or not enough is known."""
    known = formula_of(name)
    return FORMULAS[known](inputs) if known else None
