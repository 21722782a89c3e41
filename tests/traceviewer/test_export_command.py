"""`traceviewer export`: files in, one file out, without a server."""

import json
from pathlib import Path

import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from simulation.errors import TraceError
from simulation.formats import read_trace
from simulation.store import META_KEY
from tests.simulation.job import Job
from tests.simulation.test_chrome import EVENTS, assert_same
from tests.simulation.traces import write
from traceviewer.cli import app

SKEW_NS = 3_000_000_000


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    return [write(tmp_path / f"{rank}.json", EVENTS, distributedInfo={"rank": rank}) for rank in (3, 5)]


def export(files: list[Path], out: Path, *options: str) -> int:
    arguments = ["export", *map(str, files), "--out", str(out), *options]
    return CliRunner().invoke(app, arguments, catch_exceptions=False).exit_code


def test_it_takes_the_format_from_the_name(files: list[Path], tmp_path: Path) -> None:
    assert export(files, tmp_path / "run.parquet") == 0
    assert set(parquet.read_table(tmp_path / "run.parquet")["rank"].to_pylist()) == {3, 5}
    assert export(files, tmp_path / "run.json") == 0
    assert "traceEvents" in json.loads((tmp_path / "run.json").read_text())


def test_it_takes_a_format_that_the_name_does_not_say(files: list[Path], tmp_path: Path) -> None:
    with pytest.raises(TraceError, match="does not say its format"):
        export(files, tmp_path / "run.txt")
    assert export(files, tmp_path / "run.txt", "--format", "csv") == 0
    assert (tmp_path / "run.txt").read_text().startswith('"trace","row","rank"')


def test_it_writes_aligned_clocks_if_asked(tmp_path: Path) -> None:
    job = Job([0, SKEW_NS])
    for _ in range(9):
        job.collective((0, 1))
    files = [
        write(tmp_path / f"{rank}.json", [event.entry() for event in events], distributedInfo={"rank": rank})
        for rank, events in enumerate(job.events)
    ]
    spans_ns = {}
    for clock in ("recorded", "aligned"):
        out = tmp_path / f"{clock}.parquet"
        assert export(files, out, "--clock", clock) == 0
        spans_ns[clock] = max(parquet.read_table(out)["start_ns"].to_pylist())
        assert json.loads(parquet.read_schema(out).metadata[META_KEY])["clock"] == clock
    assert spans_ns["recorded"] > SKEW_NS > 100 * spans_ns["aligned"]
    assert export(files, tmp_path / "wall.parquet", "--clock", "wall") == 2


def test_it_writes_one_rank(files: list[Path], tmp_path: Path) -> None:
    assert export(files, tmp_path / "five.json.gz", "--rank", "5") == 0
    assert_same(read_trace(tmp_path / "five.json.gz"), read_trace(files[1]))
    assert export(files, tmp_path / "six.json.gz", "--rank", "6") == 2
    assert not (tmp_path / "six.json.gz").exists()
