"""Text put together by Arrow, a block of rows at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

NOTHING = pa.scalar("", pa.large_string())


def joined(events: pa.Array) -> bytes:
    """Comma-separated. Texts lie one behind the other in Arrow's buffer, so that nothing is copied twice."""
    separated = together(events, ",\n")
    _, offsets, data = separated.buffers()
    return bytes(memoryview(data)[: np.frombuffer(offsets, np.int64)[len(separated)] - len(",\n")])


def large(values: Any) -> pa.Array | pa.Scalar:
    """As text that may exceed 2 GiB; a lone str is a scalar."""
    return pa.scalar(values, pa.large_string()) if isinstance(values, str) else pa.array(values).cast(pa.large_string())


def together(*parts: Any) -> pa.Array:
    """Texts joined, row by row."""
    return pc.binary_join_element_wise(*(large(part) if isinstance(part, str) else part for part in parts), NOTHING)


def microseconds(ns: np.ndarray) -> pa.Array:
    """Exact text of ns / 1000, three decimals."""
    whole, rest = np.divmod(np.abs(ns), 1000)
    sign = pc.if_else(pa.array(ns < 0), pa.scalar("-", pa.large_string()), NOTHING)
    return together(sign, large(whole), ".", pc.utf8_lpad(large(rest), 3, "0"))
