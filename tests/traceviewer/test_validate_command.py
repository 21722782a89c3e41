"""`traceviewer validate`: how far a replay can be trusted, for a person and for a program."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from traceviewer.cli import app


def validate(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["validate", *arguments], catch_exceptions=False)
    assert done.exit_code == 0
    return done.stdout


def test_it_says_the_verdict_first(demo_files: list[Path]) -> None:
    lines = validate(*map(str, demo_files)).splitlines()
    assert lines[0].startswith("The replay")
    assert any(line.startswith("  kept   Replay with the run's own durations: 0.00 %") for line in lines)
    assert sum("ProfilerStep#" in line for line in lines) == 10


def test_it_prints_the_figures(demo_files: list[Path]) -> None:
    figures = json.loads(validate(*map(str, demo_files), "--json"))
    assert figures["verdict"]["level"] in {"good", "limited", "untested"}
    assert figures["verdict"]["title"] == validate(*map(str, demo_files)).splitlines()[0]
    assert figures["ranks"] == 2 and len(figures["others"]["steps"]) == 10


@pytest.mark.parametrize("name", ["hta/ns_resolution", "hta/sampled_rank-0", "deepseek/train"])
def test_it_has_a_line_for_everything(name: str, samples: Path) -> None:
    text = validate(str(samples / f"{name}.json.gz"))
    assert "without residuals, and without one family of dependencies:" in text
    assert "where unexplained delays arise:" in text
    assert ("left out as ramp-up: rank 0 ProfilerStep#101" in text) == (name == "hta/ns_resolution")
    assert ("because their events differ" in text) == (name == "hta/sampled_rank-0")
