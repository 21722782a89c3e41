"""`traceviewer synth`: options in, files or a stored run out."""

from __future__ import annotations

import dataclasses
import json
import resource
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.main import get_command
from typer.testing import CliRunner

from simulation.errors import TraceError
from simulation.run import Run, read_run
from simulation.workload import Workload
from traceviewer.cli import app

SMALL = "--layers 2 --hidden 64 --heads 4 --sequence 32 --vocabulary 256 --micro-batches 2".split()


def synth(out: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["synth", "--out", str(out), *SMALL, *options], catch_exceptions=False)


def figures(out: Path, *options: str) -> dict[str, Any]:
    done = synth(out, *options, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_it_writes_a_file_per_rank(tmp_path: Path) -> None:
    options = "--dp 3 --tp 2 --pp 1 --steps 2 --skew-us 900 --straggler 4 --seed 6".split()
    found = figures(tmp_path / "job", *options)
    files = sorted((tmp_path / "job").iterdir())
    assert [path.name for path in files] == [f"rank{rank}.json.gz" for rank in range(6)]
    assert found["size_bytes"] == sum(path.stat().st_size for path in files)
    run = read_run(files)
    assert found["events"] == sum(len(table) for table in run.traces)
    assert [len(table.sides["steps"]["row"]) for table in run.traces] == [2] * 6
    skew = found["clock_skew_ns"]
    assert max(map(abs, skew)) > 400_000
    for clock, ahead in zip(run.clocks, skew, strict=True):
        assert clock and abs(clock.offset_ns - (ahead - skew[0])) <= 5_000


def test_it_says_what_it_wrote(tmp_path: Path) -> None:
    text = synth(tmp_path / "job", "--skew-us", "9").stdout
    assert "job: 8 Kineto files" in text and "3 steps of 8 ranks" in text and "clocks ahead by" in text


def test_it_stores_a_run_straight_away(tmp_path: Path) -> None:
    found = figures(tmp_path / "run", "--table", "--events", "20000")
    run = Run.open(tmp_path / "run")
    a_step = found["events"] // found["steps"]
    assert 20_000 <= found["events"] == sum(len(table) for table in run.traces) < 20_000 + a_step
    assert run.ranks == tuple(range(8))


def test_options_win_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps({"dp": 1, "pp": 1, "device": "A100", "host": {"op_us": 3}}))
    found = figures(tmp_path / "job", "--spec", str(tmp_path / "spec.json"), "--dp", "2", "--bucket-mib", "0.5")
    written = Workload.of(found["workload"])
    assert (written.dp, written.pp, written.host.op_us, written.bucket_mib) == (2, 1, 3, 0.5)
    assert written.device.name == "NVIDIA A100-SXM4-80GB"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--hidden", "66"], "workload.hidden is 66, not a multiple of heads = 4"),
        (["--tp", "8"], "workload.heads is 4, not a multiple of tp = 8"),
        (["--pp", "4"], "workload.layers is 2, not a multiple of pp = 4"),
        (["--straggler", "8"], "the ranks are 0 to 7"),
        (["--jitter", "nan"], "workload.jitter"),
        (["--device", "abacus"], "Known: A100"),
        (["--spec", "/nowhere.json"], "cannot be read"),
    ],
)
def test_it_refuses_what_cannot_be(options: list[str], why: str, tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=why):
        synth(tmp_path / "job", *options)
    assert not (tmp_path / "job").exists()


@pytest.mark.parametrize(("text", "why"), [("{", "not JSON"), ("[]", "not a JSON object"), ('{"a": 1}', "not known")])
def test_it_refuses_a_file_that_describes_no_workload(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(text)
    with pytest.raises(TraceError, match=why):
        synth(tmp_path / "job", "--spec", str(tmp_path / "spec.json"))


def test_it_takes_steps_or_events(tmp_path: Path) -> None:
    assert synth(tmp_path / "job", "--steps", "2", "--events", "9").exit_code == 2


def test_it_touches_no_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("")
    with pytest.raises(TraceError, match="holds files already"):
        synth(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_wrong_workload_is_one_line_and_status_2(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "traceviewer.cli", "synth", "--out", str(tmp_path / "job"), "--layers", "0"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "workload.layers" in done.stderr


def test_a_full_disk_is_one_line_and_leaves_no_half_a_file(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "traceviewer.cli", "synth", "--out", str(tmp_path / "job"), "--steps", "20"]
    limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (2**20, 2**20))  # a file of a rank takes 3 MB
    done = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "cannot be written" in done.stderr
    assert list((tmp_path / "job").iterdir()) == []


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "job").write_text("")
    with pytest.raises(TraceError, match="cannot be written"):
        synth(tmp_path / "job")


def test_the_help_tells_the_defaults_that_hold() -> None:
    options = {each.name: each for each in get_command(app).commands["synth"].params}  # type: ignore[attr-defined]
    plain = {each.name: each.default for each in dataclasses.fields(Workload) if each.name not in ("device", "host")}
    assert plain.keys() <= options.keys() and options["device"].show_default == "H100"
    for name, default in plain.items():
        text = {type(None): "none", bool: "no", int: f"{default}"}.get(type(default)) or f"{default:g}"
        assert options[name].show_default == text
