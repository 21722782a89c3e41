"""What is recorded of an operator's inputs, and what a formula makes of it: a volume of work."""

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
    "c10::Float8_e4m3fnuz": 1, "c10::Float8_e5m2fnuz": 1, "c10::Float8_e8m0fnu": 1, "c10::Float4_e2m1fn_x2": 1,
    "c10::complex<float>": 8, "c10::complex<double>": 16,
}  # fmt: skip
"""Bytes per element by the name that PyTorch writes; what is no tensor has none."""

SCALAR_TYPE_WIDTHS = {"0": 1, "1": 1, "2": 2, "3": 4, "4": 8, "5": 2, "6": 4, "7": 8, "11": 1, "15": 2}
"""The same by the number that stands for a type among the inputs (c10/core/ScalarType.h)."""


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
        """Bytes per element of input `at`; 0 where it is no tensor."""
        return WIDTHS.get(self.types[at], 0) if at < len(self.types) else 0

    def size_bytes(self, *places: int) -> int:
        """Of the tensors among these inputs, together."""
        found = [(self.shape(at), self.width(at)) for at in places]
        return sum(prod(shape) * width for shape, width in found if shape is not None)

    def is_given(self, at: int) -> bool:
        """Whether an optional tensor was passed: one that was not has neither type nor sizes."""
        return bool(self.shape(at))

    def value(self, at: int) -> str:
        return self.values[at] if at < len(self.values) else ""

    def is_true(self, at: int) -> bool:
        return self.value(at).lower() in ("true", "1")

    def number(self, at: int) -> int | None:
        """A whole number given as text."""
        try:
            return int(self.value(at))
        except ValueError:
            return None

    def numbers(self, at: int) -> list[int] | None:
        """A list of whole numbers given as text: "[1, 1]"; a number stands for a list of one."""
        try:
            found = msgspec.json.decode(self.value(at), type=list[int] | int)
        except msgspec.DecodeError:
            return None
        return [found] if isinstance(found, int) else found

    def flags(self, at: int) -> list[bool] | None:
        """A list of truth values given as text: "[True, False]"."""
        words = [word.strip().lower() for word in self.value(at).strip("[]").split(",")]
        return [word in ("true", "1") for word in words] if words != [""] else None


Formula = Callable[[Inputs], Volume | None]


def broadcast(shapes: Sequence[list[int]]) -> list[int] | None:
    """The sizes that all of them stretch to; None where they do not fit each other."""
    out: list[int] = []
    for shape in shapes:
        longest = max(len(out), len(shape))
        padded = [[1] * (longest - len(sizes)) + sizes for sizes in (out, shape)]
        if any(first != second and 1 not in (first, second) for first, second in zip(*padded, strict=True)):
            return None
        out = [second if first == 1 else first for first, second in zip(*padded, strict=True)]
    return out
