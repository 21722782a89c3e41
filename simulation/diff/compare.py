"""The comparison of two runs, as docs/protocol.md has it (`a`, `b` themselves are the server's to add)."""

from __future__ import annotations

from typing import Any

from simulation.analysis.inspect import run_span_ns
from simulation.analysis.steps import step_rows
from simulation.diff.pairing import Pairing, pair
from simulation.replay.prediction import Prediction
from simulation.replay.report import error_percent
from simulation.run import Run


def compare_runs(a: Run | Prediction, b: Run | Prediction) -> dict[str, Any]:
    """`pairing`, `total` and `steps` of two runs, measured or predicted. Cost: O(rows).

    Times are ns since the origin of each run. Steps pair by row where rows do, else by their order within the rank;
    a step without a partner is left out.
    """
    a, b = _as_run(a), _as_run(b)
    pairing = pair(a, b)
    totals = [run_span_ns(run) for run in (a, b)]
    return {
        "pairing": {"by": pairing.by, "coverage_percent": pairing.coverage_percent},
        "total": {"a_ns": totals[0], "b_ns": totals[1], "error_percent": error_percent(*totals)},
        "steps": _steps(a, b, pairing),
    }


def _as_run(side: Run | Prediction) -> Run:
    return side.predicted if isinstance(side, Prediction) else side


def _steps(a: Run, b: Run, pairing: Pairing) -> list[dict[str, Any]]:
    found = []
    for left, right in pairing.traces:
        rows_a = step_rows(a.traces[left]).tolist()
        rows_b = rows_a if pairing.by == "origin" else step_rows(b.traces[right]).tolist()
        for row_a, row_b in zip(rows_a, rows_b, strict=False):
            spans = _span(a, left, row_a), _span(b, right, row_b)
            lengths = [end - begin for begin, end in spans]
            found.append(
                {
                    "trace": left,
                    "rank": a.ranks[left],
                    "name": a.traces[left].name_of(row_a),
                    "a": list(spans[0]),
                    "b": list(spans[1]),
                    "error_percent": error_percent(*lengths),
                }
            )
    return found


def _span(run: Run, trace: int, row: int) -> tuple[int, int]:
    table, shift = run.traces[trace], run.shift_ns[trace]
    return int(table.start_ns[row]) + shift, int(table.end_ns[row]) + shift
