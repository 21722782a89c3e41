"""What every test may ask for."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from tests.needs import missing

# The first example of a test may compile a Numba kernel: seconds, once. On CI the examples are the same each time, so
# that a change is judged by what it changes; elsewhere new ones are tried with every run.
settings.register_profile("ours", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("ours")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def samples() -> Path:
    """The folder of third-party sample traces, which are not part of this project."""
    folder = Path(os.environ.get("TRACEVIEWER_SAMPLES", ROOT.parent / "shared" / "samples"))
    if not folder.is_dir():
        missing("samples", f"no sample traces at {folder} (set TRACEVIEWER_SAMPLES)")
    return folder


@pytest.fixture(scope="session")
def demo_files() -> list[Path]:
    """The two ranks of the demo run, which are part of this project."""
    return sorted((ROOT / "traceviewer" / "runs" / "demo").glob("kineto_rank*.json.gz"))
