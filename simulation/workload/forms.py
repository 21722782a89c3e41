"""Text from forms: pieces of text with holes, in which numbers are filled, line by line, at the speed of memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

LONGEST_NUMBER = 24
"""Characters: 64 bits, a sign, a point."""

END = -1

Piece = tuple[str, int]
"""A text, and the column of the number that follows it; END after the last."""


@dataclass(frozen=True)
class Forms:
    """Forms, as the kernel reads them."""

    text: np.ndarray  # u8, all pieces
    piece_first: np.ndarray  # pieces + 1, into text
    column: np.ndarray  # of each piece
    form_first: np.ndarray  # forms + 1, into pieces
    longest: int  # bytes that a line can take
    decimal: int  # columns below this one are ns, written as microseconds with three decimals

    @classmethod
    def of(cls, forms: Sequence[Sequence[Piece]], decimal: int) -> Forms:
        pieces = [piece for form in forms for piece in form]
        texts = [text.encode() for text, _ in pieces]
        lengths = [sum(len(text.encode()) + LONGEST_NUMBER for text, _ in form) for form in forms]
        return cls(
            np.frombuffer(b"".join(texts), np.uint8),
            np.cumsum([0, *(len(text) for text in texts)]),
            np.array([column for _, column in pieces], np.int64),
            np.cumsum([0, *(len(form) for form in forms)]),
            max(lengths, default=0),
            decimal,
        )

    def fill(self, form: np.ndarray, numbers: np.ndarray) -> np.ndarray:
        """The lines of these forms, one behind the other: u8. `numbers` is i64 [columns, lines]."""
        out = np.empty(self.longest * len(form), np.uint8)
        size = _fill(
            self.text, self.piece_first, self.column, self.form_first, self.decimal, form, numbers, out
        )  # fmt: skip
        return out[:size]


@njit(cache=True, nogil=True)
def _fill(
    text: np.ndarray,
    piece_first: np.ndarray,
    column: np.ndarray,
    form_first: np.ndarray,
    decimal: int,
    form: np.ndarray,
    numbers: np.ndarray,
    out: np.ndarray,
) -> int:
    pos = 0
    for line in range(len(form)):
        for piece in range(form_first[form[line]], form_first[form[line] + 1]):
            for at in range(piece_first[piece], piece_first[piece + 1]):
                out[pos] = text[at]
                pos += 1
            if column[piece] >= 0:
                pos = _write(out, pos, numbers[column[piece], line], column[piece] < decimal)
    return pos


@njit(cache=True, nogil=True)
def _write(out: np.ndarray, pos: int, value: int, decimal: bool) -> int:
    """Digits of a number, from the back; `decimal`: with a point before the last three."""
    if value < 0:
        out[pos] = 45
        pos += 1
        value = -value
    digits, rest = 1, value // 10
    while rest:
        digits += 1
        rest //= 10
    length = max(digits, 4) + 1 if decimal else digits
    for back in range(length):
        if decimal and back == 3:
            out[pos + length - 1 - back] = 46
            continue
        out[pos + length - 1 - back] = 48 + value % 10
        value //= 10
    return pos + length
