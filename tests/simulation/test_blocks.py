"""Large files are read in blocks: the same table, in bounded memory, with progress and a way out at each block."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulation import spool
from simulation.errors import Cancelled
from simulation.events import EventTable
from simulation.formats import read_trace, walk
from simulation.run import Run, read_run
from simulation.store import Column, Strings
from tests.benchmarks import memory


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("blocks") / "trace.json.gz"
    memory.write(path, 2 << 20)
    return path


def values(column: Column) -> list[object]:
    return [column[at] for at in range(len(column))] if isinstance(column, Strings) else column.tolist()


def assert_same(one: EventTable, two: EventTable) -> None:
    assert one.content_hash() == two.content_hash()
    assert (one.names, one.categories, one.tracks) == (two.names, two.categories, two.tracks)
    for name in one.columns:
        np.testing.assert_array_equal(one.columns[name], two.columns[name], err_msg=name)
    for name, side in one.sides.items():
        assert {key: values(column) for key, column in side.items()} == {
            key: values(column) for key, column in two.sides[name].items()
        }
    assert one.quality.counts() == two.quality.counts()
    assert [one.args[at] for at in range(0, len(one.args), 97)] == [two.args[at] for at in range(0, len(two.args), 97)]


def on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is small enough to wait in memory, and a block is a few events."""
    monkeypatch.setattr(spool.Spool.__init__, "__defaults__", (None, 0, 0))
    monkeypatch.setattr(walk, "BLOCK_EVENTS", 1_000)
    monkeypatch.setattr(walk, "BLOCK_DETAILS", 8_000)


def test_what_waits_on_the_disk_makes_the_same_table(
    trace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory = read_trace(trace)
    on_disk(monkeypatch)
    table = read_trace(trace, scratch=tmp_path)
    assert_same(table, in_memory)
    assert not list(tmp_path.iterdir())  # its files have no names
    Run.of([table]).save(tmp_path / "run")
    assert_same(Run.open(tmp_path / "run").traces[0], in_memory)


def test_it_says_at_each_block_how_far_it_is_and_stops_there_when_asked(
    trace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_disk(monkeypatch)
    told: list[tuple[str, int, int]] = []
    events = read_trace(trace, lambda *said: told.append(said)).info.events
    done = [done for stage, done, _ in told if stage == "reading"]
    assert len(done) >= events // 1_000 and done == sorted(done) and done[-1] == trace.stat().st_size
    for stopped_at in (0, len(told) // 2, len(told) - 1):
        heard = 0

        def stop(stage: str, done: int, total: int, last: int = stopped_at) -> None:
            nonlocal heard
            heard += 1
            if heard > last:
                raise Cancelled

        with pytest.raises(Cancelled):
            read_run([trace], stop, tmp_path)
        assert heard <= stopped_at + 1
        assert not list(tmp_path.iterdir())


def test_a_fresh_process_stays_within_its_memory(tmp_path: Path) -> None:
    path = tmp_path / "trace.json.gz"
    size_bytes = memory.write(path, 48 << 20)
    told = memory.measured(path)
    assert told["events"] > 200_000
    assert told["peaks"]["end"] < memory.limit_bytes(size_bytes, told["events"])


def test_a_file_read_in_blocks_takes_so_much_per_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert memory.limit_bytes(256 << 20, 10**9) == (300 + 4 * 256) << 20
    assert memory.limit_bytes(2 << 30, 9_000_000) == (512 << 20) + 64 * 9_000_000 < 1.5 * (1 << 30)
