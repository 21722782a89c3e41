"""`traceviewer replay` under conditions: options, figures, what it says."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from simulation.errors import TraceError
from traceviewer.cli import app


def command(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["replay", *arguments])


@pytest.fixture
def control(samples: Path) -> str:
    return str(samples / "hta" / "control.json.gz")


def test_the_answer_has_the_shape_of_a_plain_one(control: str) -> None:
    plain = json.loads(command(control, "--json").stdout)
    slow = json.loads(
        command(control, "--json", "--slow-down", "compute=1.3", "--slow-down", "communication=1.1").stdout
    )
    told = slow.pop("conditions")
    assert told["slow_down"] == {"compute": 1.3, "communication": 1.1} and told["event_by_event"] is True
    assert slow.keys() == plain.keys()
    assert slow["measured_ns"] == plain["measured_ns"] == plain["predicted_ns"] < slow["predicted_ns"]
    path = slow["critical_path"]["measured"]
    assert path == plain["critical_path"]["measured"]


def test_it_says_in_words_what_was_taken_into_account(control: str) -> None:
    said = command(control, "--measured-slow-down", "fitted", "--link", "copy=16", "--ranks-per-link", "copy=8").stdout
    assert "event by event: " in said and "slow-down of compute: 1." in said
    assert "slow-down of communication: too few like works" in said
    assert "links of copy: the bytes of 210 of 210 events are known" in said


def test_what_gains_is_asked_of_the_run_as_predicted(demo_files: list[Path]) -> None:
    files = [*map(str, demo_files), "--json", "--sensitivity"]
    plain, calm = (json.loads(command(*files, *more).stdout) for more in ([], ["--event-driven"]))
    assert calm.pop("conditions")["event_by_event"] is False
    assert calm == plain


@pytest.mark.parametrize("given", ["compute", "compute=fast"])
def test_it_refuses_what_is_no_number(control: str, given: str) -> None:
    refused = command(control, "--slow-down", given)
    assert refused.exit_code == 2


@pytest.mark.parametrize("given", ["copy=1.2", "compute=0.9"])
def test_it_refuses_what_means_nothing(control: str, given: str) -> None:
    refused = command(control, "--slow-down", given)
    assert isinstance(refused.exception, TraceError)
