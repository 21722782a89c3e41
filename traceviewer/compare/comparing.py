"""The figures of a comparison, kept for the pairs asked last: runs never change."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from simulation.diff import compare_runs
from traceviewer.engine.opened import OPENED, Files


@lru_cache(maxsize=64)
def comparison(a: Files, b: Files) -> dict[str, Any]:
    """`pairing`, `total` and `steps`, as docs/protocol.md, "Comparison", says. O(rows) the first time."""
    return compare_runs(OPENED.get(a).run, OPENED.get(b).run)
