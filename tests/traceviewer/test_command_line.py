"""The `traceviewer` command as a process: how it ends, and that nothing of what it says is lost at the end."""

import json
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

COMMAND = [sys.executable, "-m", "traceviewer.cli"]


def traceviewer(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True)


def test_all_of_the_answer_comes_through_a_pipe(demo_files: list[Path]) -> None:
    done = traceviewer("replay", *map(str, demo_files), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["measured_ns"] > 0


@pytest.mark.parametrize("words", [["replay", "/no/such/file"], ["replay"], ["no-such-command"]])
def test_bad_input_ends_with_2_and_without_a_traceback(words: list[str]) -> None:
    done = traceviewer(*words)
    assert done.returncode == 2
    assert done.stderr and not done.stdout and "Traceback" not in done.stderr


def test_an_error_of_the_program_is_told(tmp_path: Path) -> None:
    """A folder where the export is to be written."""
    (tmp_path / "out.json").mkdir()
    plain = tmp_path / "plain.json"
    plain.write_text('{"traceEvents": [{"ph": "X", "name": "a", "pid": 1, "tid": 1, "ts": 1, "dur": 1}]}')
    done = traceviewer("replay", str(plain), "--out", str(tmp_path / "out.json"))
    assert done.returncode == 1 and "Traceback" in done.stderr


def test_a_reader_that_goes_away_is_no_error_of_the_program(demo_files: list[Path]) -> None:
    with subprocess.Popen([*COMMAND, "replay", *map(str, demo_files)], stdout=PIPE, stderr=PIPE) as process:
        assert process.stdout and process.stderr
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()
