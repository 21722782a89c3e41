"""Which row of one run is which row of another."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.run import Run


@dataclass(frozen=True)
class Pairing:
    """`by` "origin": (trace, row) of one is the same (trace, row) of the other; "none": no rows are paired."""

    by: str
    coverage_percent: float  # share of the first run's rows that have a partner
    traces: tuple[tuple[int, int], ...]  # traces that belong together, by position


def pair(a: Run, b: Run) -> Pairing:
    """Pair two runs. Cost: O(traces).

    Runs at other times over the same rows (measured and predicted, two predictions) share their rows' file positions
    and are paired by origin. Otherwise traces pair by rank, those of unknown rank by position among their like.
    """
    if _same_rows(a, b):
        return Pairing("origin", 100.0, tuple((trace, trace) for trace in range(len(a.traces))))
    at = {key: trace for trace, key in enumerate(_keys(b))}
    return Pairing("none", 0.0, tuple((trace, at[key]) for trace, key in enumerate(_keys(a)) if key in at))


def _same_rows(a: Run, b: Run) -> bool:
    """Whether both are over the same measured tables: one file, one order of rows."""
    return len(a.traces) == len(b.traces) and all(
        left.columns["source_index"] is right.columns["source_index"]
        or (
            left.info.source_sha256 == right.info.source_sha256 != ""
            and len(left) == len(right)
            and bool((left.columns["source_index"] == right.columns["source_index"]).all())
        )
        for left, right in zip(a.traces, b.traces, strict=True)
    )


def _keys(run: Run) -> list[tuple[int | None, int]]:
    """Per trace: its rank, and its place among the traces of that rank."""
    return [(rank, run.ranks[:trace].count(rank)) for trace, rank in enumerate(run.ranks)]
