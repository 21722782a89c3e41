"""What says that a folder is whole gets its name after the disk holds all else that is in it."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from simulation.graph import build_graph
from simulation.replay import predict
from tests.simulation.build import make_run, op


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """("held" by the disk, or "named"; file), in the order in which it happened."""
    happened: list[tuple[str, str]] = []
    fsync, replace = os.fsync, os.replace

    def held(descriptor: int) -> None:
        fsync(descriptor)
        happened.append(("held", Path(os.readlink(f"/proc/self/fd/{descriptor}")).name))

    def named(source: Path, target: Path) -> None:
        replace(source, target)
        happened.append(("named", target.name))

    monkeypatch.setattr(os, "fsync", held)
    monkeypatch.setattr(os, "replace", named)
    return happened


@pytest.mark.parametrize("last", ["prediction.arrow", "graph.arrow"])
def test_the_last_file_waits_for_the_others(last: str, done: list[tuple[str, str]], tmp_path: Path) -> None:
    run = make_run([op(1, 0, 10)], [op(1, 5, 10)])
    graph = build_graph(run)
    saves: dict[str, Callable[[Path], None]] = {
        "prediction.arrow": predict(run, graph).save,
        "graph.arrow": graph.save,
    }
    saves[last](tmp_path / "saved")
    before = done[: done.index(("named", last))]
    others = {path.name for path in (tmp_path / "saved").iterdir()} - {last}
    assert others and {("held", name) for name in {*others, "saved"}} <= set(before)
    assert done[-1] == ("named", last)
