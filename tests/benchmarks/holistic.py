"""HolisticTraceAnalysis 0.5 on the same file, in an environment of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from pathlib import Path

from tests.benchmarks.timing import Figure

ROOT = Path(__file__).resolve().parent.parent.parent
HOME = ROOT / ".venv-bench"
PACKAGES = ("HolisticTraceAnalysis==0.5.0", "pandas==2.3.3")
READ, ANALYSIS, CRITICAL_PATH = "HTA read", "HTA analysis", "HTA critical path"


def figures(source: str, file: Path, entries: int) -> list[Figure]:
    """What HTA needs to read `file`, for its figures, and for its graph and critical path over the same steps."""
    script = Path(__file__).with_name("holistic_times.py")
    done = subprocess.run([python(), str(script), str(file)], capture_output=True, text=True)
    if done.returncode:
        print(f"HTA failed on {source}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return []
    times = json.loads(done.stdout.splitlines()[-1])
    figures = [Figure(source, what, entries, times[key]) for what, key in ((READ, "read_s"), (ANALYSIS, "analysis_s"))]
    if "critical_path_s" not in times:
        return figures
    return [*figures, Figure(source, CRITICAL_PATH, times["critical_path_events"], times["critical_path_s"])]


def python() -> str:
    """The environment's interpreter; makes the environment the first time (half a minute)."""
    python = HOME / "bin" / "python"
    complete = HOME / ".complete"
    if not complete.exists():
        print(f"making {HOME.name} with {', '.join(PACKAGES)} ...", file=sys.stderr)
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        complete.touch()
    return str(python)
