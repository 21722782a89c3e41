"""Numbers from digits, against the decimal module."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from simulation.formats import decimals

EXACT = Context(prec=200)


def one(text: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The text between two digits, which no reader may look at."""
    raw = np.frombuffer(f"9{text}9".encode(), np.uint8)
    return raw, np.array([1]), np.array([len(raw) - 1])


def time_ns(text: str) -> tuple[int, int]:
    raw, begin, end = one(text)
    value, flags = decimals.time_ns(raw, begin[0], end[0])
    return int(value), flags


def integer(text: str, absent: int = -7) -> int:
    return int(decimals.integers(*one(text), absent)[0])


digits = st.text("0123456789", min_size=1, max_size=22)
numbers = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-"]),
    digits,
    st.one_of(st.just(""), digits.map(lambda text: "." + text)),
    st.one_of(st.just(""), st.builds("{}{}{}".format, st.sampled_from("eE"), st.sampled_from(["", "+", "-"]),
                                     st.integers(0, 30))),
)  # fmt: skip


@given(numbers)
@example("1419247332972.313")
@example("0.0005")
@example("0.0015")
@example("2.5e-3")
@example("4000000000000001.0001")
@example("1740461679479712")
def test_it_reads_microseconds_as_decimal_does(text: str) -> None:
    exact = EXACT.multiply(Decimal(text), Decimal(1000))
    rounded = int(exact.quantize(Decimal(1), ROUND_HALF_EVEN, EXACT))
    value, flags = time_ns(text)
    if abs(rounded) > decimals.LARGEST_NS:
        assert (value, flags) == (0, decimals.OUT_OF_RANGE)
    else:
        assert (value, flags) == (rounded, 0 if exact == rounded else decimals.ROUNDED)


@given(st.integers(-(2**63) + 1, 2**63 - 1))
@example(2**53 + 1)
@example(9223372036854775807)
def test_it_reads_every_64_bit_integer_exactly(number: int) -> None:
    assert integer(str(number)) == number
    assert integer(f'"{number}"') == number


@given(st.integers(2**63, 2**64 - 1))
@example(2**64 - 1)
def test_it_keeps_the_bits_of_unsigned_ids(number: int) -> None:
    assert integer(str(number)) == number - 2**64


@given(st.integers(2**64, 10**30))
def test_it_has_no_integer_beyond_64_bits(number: int) -> None:
    assert integer(str(number)) == -7


@pytest.mark.parametrize("text", ["null", "true", "NaN", "Infinity", "-", "", ".", "1e", "1e+", "1.2.3", "[1]", "1a",
                                  '"x"', '""', '"1', "--1", "1e5x"])  # fmt: skip
def test_it_says_what_is_no_number(text: str) -> None:
    assert time_ns(text)[1] & decimals.NOT_A_NUMBER
    assert integer(text) == -7


def test_it_does_not_take_absurd_exponents_to_heart() -> None:
    assert time_ns("1e999999999999999")[1] == decimals.OUT_OF_RANGE
    assert time_ns("1e-999999999999999") == (0, decimals.ROUNDED)
    assert time_ns("0e999999999999999") == (0, 0)


def test_it_reads_numbers_written_as_text() -> None:
    assert time_ns('" 12.345 "') == (12345, decimals.TEXT)


@given(st.lists(st.integers(-(2**63) + 1, 2**63 - 1), max_size=5))
def test_it_reads_three_axes(values: list[int]) -> None:
    found = decimals.triples(*one(f"[ {' , '.join(map(str, values))} ]"), -1)
    assert found.tolist() == [(values + [-1, -1, -1])[:3]]
