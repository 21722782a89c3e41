"""Work on several things at once."""

from __future__ import annotations

import sys
import threading
import time
from pathlib import Path

import pytest

from simulation.errors import Cancelled, TraceError
from simulation.parallel import each
from simulation.progress import Progress, silent
from simulation.run import read_run
from tests.simulation.traces import event, write


def test_results_come_in_the_order_of_the_items() -> None:
    def work(item: int, progress: Progress) -> int:
        time.sleep(0.01 * (5 - item))
        return item * item

    assert each(work, range(5), [1] * 5, silent) == [0, 1, 4, 9, 16]


def test_progress_is_told_by_the_caller_and_ends_at_the_whole() -> None:
    told: list[tuple[str, int, int, int]] = []

    def work(item: int, progress: Progress) -> None:
        progress("reading", 1, 2)

    each(work, range(3), [10, 20, 30], lambda *said: told.append((*said, threading.get_ident())))
    assert told[-1] == ("reading", 60, 60, threading.get_ident())
    assert {said[3] for said in told} == {threading.get_ident()}


def test_the_error_of_the_first_item_is_raised() -> None:
    def work(item: int, progress: Progress) -> None:
        if item == 1:
            time.sleep(0.05)
        if item:
            raise TraceError(f"item {item}")

    with pytest.raises(TraceError, match="item 1"):
        each(work, range(4), [1] * 4, silent)


def test_an_error_stops_what_comes_later() -> None:
    started: list[int] = []

    def work(item: int, progress: Progress) -> None:
        started.append(item)
        if item == 0:
            raise TraceError("no")
        while True:
            progress("reading", 0, 1)
            time.sleep(0.001)

    with pytest.raises(TraceError, match="no"):
        each(work, range(40), [1] * 40, silent)
    assert len(started) < 40


def test_it_stops_all_when_asked() -> None:
    def stop(stage: str, done: int, total: int) -> None:
        raise Cancelled

    def work(item: int, progress: Progress) -> None:
        while True:
            progress("reading", 0, 1)
            time.sleep(0.001)

    with pytest.raises(Cancelled):
        each(work, range(3), [1] * 3, stop)


def test_a_run_of_many_ranks_is_read_as_one_by_one(tmp_path: Path) -> None:
    files = [
        write(tmp_path / f"{rank}.json.gz", [event(f"op{rank}", rank, 1)], distributedInfo={"rank": rank})
        for rank in range(6)
    ]
    run = read_run(files[::-1])
    assert run.ranks == tuple(range(6))
    assert [table.names for table in run.traces] == [(f"op{rank}",) for rank in range(6)]


def test_the_lock_changes_hands_sooner_only_while_it_works() -> None:
    before = sys.getswitchinterval()
    during = each(lambda item, progress: sys.getswitchinterval(), [1, 2], [1, 1], silent)
    assert max(during) < before == sys.getswitchinterval()
