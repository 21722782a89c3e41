"""A change of any kernel's source must not be answered by code compiled before it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ASK = "import simulation.tracks, os; print(os.environ['NUMBA_CACHE_DIR'])"


def cache_of(tree: Path, **environment: str) -> str:
    """The cache folder that a new process uses with the sources at `tree`."""
    plain = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    return subprocess.run(
        [sys.executable, "-c", ASK], cwd=tree, env={**plain, **environment}, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_it_moves_when_a_kernel_changes_and_only_then(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "simulation", tmp_path / "simulation", ignore=shutil.ignore_patterns("__pycache__"))
    first = cache_of(tmp_path)
    assert first.startswith(str(tmp_path / "simulation"))
    append(tmp_path / "simulation" / "errors.py", "# no kernel here\n")
    assert cache_of(tmp_path) == first
    append(tmp_path / "simulation" / "formats" / "decimals.py", "# another digit\n")
    assert cache_of(tmp_path) != first


def test_it_leaves_an_operators_choice_alone(tmp_path: Path) -> None:
    assert cache_of(ROOT, NUMBA_CACHE_DIR=str(tmp_path)) == str(tmp_path)


def append(path: Path, text: str) -> None:
    path.write_text(path.read_text() + text)
