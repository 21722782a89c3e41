"""Reductions: one flop per element read; the input and what is left of it move once."""

from __future__ import annotations

from math import prod
from typing import NamedTuple

from simulation.analysis.volumes.inputs import Formula, Inputs, Volume


class Places(NamedTuple):
    dims: int = 1  # which are reduced; all where none are given
    index_bytes: int = 0  # written for each element of the result besides it
    out_width: int = 0  # 0: that of the input


def _left(inputs: Inputs, at: int) -> int | None:
    """Elements of the result, whether or not reduced sizes are kept as 1."""
    shape, dims = inputs.shape(0), inputs.numbers(at)
    if shape is None:
        return None
    if not dims:
        return 1
    if not all(-len(shape) <= dim < len(shape) for dim in dims):
        return 1 if not shape else None
    reduced = {dim % len(shape) for dim in dims}
    return prod(size for at, size in enumerate(shape) if at not in reduced)


def _reduction(places: Places) -> Formula:
    def formula(inputs: Inputs) -> Volume | None:
        if inputs.shape(1):  # maximum of two tensors
            return None
        shape, left = inputs.shape(0), _left(inputs, places.dims)
        if shape is None or left is None:
            return None
        each = (places.out_width or inputs.width(0)) + (places.index_bytes if inputs.numbers(places.dims) else 0)
        return Volume(prod(shape), inputs.size_bytes(0) + left * each, 0)

    return formula


def _scan(inputs: Inputs) -> Volume | None:
    """cumsum, cumprod: a result as large as the input."""
    shape = inputs.shape(0)
    return Volume(prod(shape), 2 * inputs.size_bytes(0), 0) if shape is not None else None


_PLAIN = "sum nansum mean prod amax amin logsumexp var std"
_SECOND = "norm linalg_vector_norm linalg_norm"
MODELLED = "sum mean max min norm linalg_norm std var logsumexp cumsum cumprod amin amax"
"""Of which TraceLens has a model."""

REDUCTIONS: dict[str, Formula] = {
    **{f"aten::{word}": _reduction(Places()) for word in _PLAIN.split()},
    **{f"aten::{word}": _reduction(Places(2)) for word in _SECOND.split()},
    **{f"aten::{word}": _reduction(Places(index_bytes=8)) for word in ("max", "min", "median")},
    **{f"aten::{word}": _reduction(Places(out_width=8)) for word in ("argmax", "argmin")},
    **{f"aten::{word}": _reduction(Places(out_width=1)) for word in ("all", "any")},
    "aten::cumsum": _scan,
    "aten::cumprod": _scan,
}
