"""No file, however damaged or hostile, may end in anything but a run or a TraceError; see mutations.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

LARGEST_BYTES = 2 << 30


def test_two_thousand_mutated_files_end_in_a_run_or_an_error(demo_files: list[Path]) -> None:
    program = [sys.executable, "-W", "error", ROOT / "tests/simulation/mutations.py", demo_files[0]]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    outcomes = told["outcomes"]
    assert sum(outcomes.values()) >= 2_000
    assert set(outcomes) == {"run", "DamagedTrace", "EmptyTrace", "UnknownFormat"}
    assert outcomes["run"] > 1_000
    assert told["peak_bytes"] < LARGEST_BYTES
