"""The house plan holds: arrows point one way, each room has its sign, the project speaks of itself alone."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

FORBIDDEN_IN_ENGINE = {"django", "rest_framework", "celery", "channels", "traceviewer"}

ENGINE_FLOORS = [
    {
        "errors",
        "quality",
        "progress",
        "store",
        "args",
        "csr",
        "loads",
        "parallel",
        "dependencies",
        "events",
        "kernel_cache",
    },
    {"parallel", "tracks", "ranks", "groups", "communication", "batches", "meetings", "clocks", "rendezvous", "run"},
    {"formats", "lod"},
    {"graph"},
    {"replay", "analysis", "models", "workload"},
    {"whatif", "diff", "trust"},
    {"chakra", "warm"},
]
"""From the ground up. `run` reads through `formats`, which is why it may name that one room above it."""

WEB_FLOORS = [
    {"protocol"},
    {"accounts"},
    {"jobs"},
    {"uploads"},
    {"runs", "engine"},
    {"experiments", "compare", "trust"},
    {"review", "regress"},
    {"live"},
]

UPWARD = {("run", "formats"), ("engine", "live"), ("jobs", "live")}
"""Allowed against the arrows: reading a run, and apps registering their websocket handlers with `live`."""


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def sources(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts)


def test_the_engine_knows_no_web_framework() -> None:
    for path in sources("simulation"):
        known = {name.split(".")[0] for name in imports(path)} & FORBIDDEN_IN_ENGINE
        assert not known, f"{path.relative_to(ROOT)} imports {known}"


@pytest.mark.parametrize(("package", "floors"), [("simulation", ENGINE_FLOORS), ("traceviewer", WEB_FLOORS)])
def test_arrows_point_down(package: str, floors: list[set[str]]) -> None:
    floor_of = {room: number for number, floor in enumerate(floors) for room in floor}
    for path in sources(package):
        room = path.relative_to(ROOT / package).parts[0].removesuffix(".py")
        for name in imports(path):
            parts = name.split(".")
            if parts[0] != package or len(parts) < 2 or room not in floor_of or parts[1] not in floor_of:
                continue
            upward = floor_of[parts[1]] > floor_of[room] and (room, parts[1]) not in UPWARD
            assert not upward, f"{path.relative_to(ROOT)} looks up to {name}"


@pytest.mark.parametrize(
    "folder", ["simulation", "traceviewer", "frontend", "static", "templates", "tests", "docker", "docs"]
)
def test_each_top_level_folder_has_a_short_readme(folder: str) -> None:
    lines = (ROOT / folder / "README.md").read_text().splitlines()
    assert 2 < len(lines) <= 20


def test_every_file_we_write_stays_readable() -> None:
    generated = re.compile(r"_pb2\.pyi?$|_pb\.ts$|/migrations/|^static/")
    for path in tracked():
        if path.suffix in {".py", ".ts", ".tsx"} and not generated.search(str(path.relative_to(ROOT))):
            assert len(path.read_text().splitlines()) <= 500, f"{path.relative_to(ROOT)}: two nouns in one room?"


def test_lock_files_name_no_registry() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert "://" not in (ROOT / name).read_text()
    assert '"resolved"' not in (ROOT / "frontend" / "package-lock.json").read_text()


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for line in listing.splitlines() if (path := ROOT / line).is_file()]
