"""The tables of docs/accuracy.md."""

from __future__ import annotations

from pathlib import Path

from simulation.run import read_run
from simulation.trust import assess
from simulation.trust.table import tables
from tests.accuracy import PAGE, PLACE, RUNS


def test_every_table_has_a_line_per_run_and_as_many_cells_as_its_head(demo_files: list[Path]) -> None:
    figures = assess(read_run(demo_files))
    parts = tables({"one": figures, "two": figures}).split("### ")[1:]
    assert len(parts) == 4
    for part in parts:
        lines = [line for line in part.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in lines}) == 1
        if "family and certainty" not in part:
            assert [line.split("|")[1].strip() for line in lines[2:]] == ["one", "two"]


def test_the_page_holds_the_figures_of_all_samples(samples: Path) -> None:
    found = PLACE.search(PAGE.read_text())
    assert found is not None
    assert all(f"| {name} |" in found[0] for name in RUNS)
    assert all(list(samples.glob(pattern)) for pattern in RUNS.values())
