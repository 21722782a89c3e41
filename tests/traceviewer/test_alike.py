"""GET runs/{run}/events/{trace}/{row}/alike/: the events of the same name, and the way from one to the next."""

import json
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User

from tests.traceviewer.reading import as_user, read
from traceviewer.accounts.models import Project
from traceviewer.engine.alike import alike
from traceviewer.engine.opened import OPENED, Files
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)

KERNEL_US = [(10, 5), (40, 3), (20, 9)]
"""(start, duration) of the kernel `gemm` on rank 0, not in order; on rank 1 each is 5 us later."""


def trace(rank: int) -> bytes:
    late = 5 * rank
    kernels = [
        {"name": name, "cat": "kernel", "pid": 0, "tid": 7 + lane, "ts": start + late, "dur": dur}
        for lane, name in enumerate(["gemm", "softmax"])
        for start, dur in KERNEL_US
    ]
    ops = [{"name": name, "cat": "cpu_op", "pid": 1, "tid": 1, "ts": 100, "dur": 50} for name in ("gemm", "other")]
    entries = [{"ph": "X", "args": {}, **event} for event in kernels + ops[: 1 + rank]]
    return json.dumps({"distributedInfo": {"rank": rank, "world_size": 2}, "traceEvents": entries}).encode()


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    run = read(project, {"rank0.json": trace(0), "rank1.json": trace(1)}, bob)
    assert run.state == Run.State.READY, run.error
    return run


def ask(user: User, run: Run, place: dict[str, int]) -> Any:
    return as_user(user).get(f"/api/v1/runs/{run.pk}/events/{place['trace']}/{place['row']}/alike/")


def starts(run: Run, name: str, category: str) -> list[tuple[int, int, int]]:
    """(start, trace, row) of all events of a name and category, by start."""
    opened = OPENED.get(Files.of(run))
    return sorted(
        (int(table.start_ns[row]) + opened.run.shift_ns[index], index, row)
        for index, table in enumerate(opened.run.traces)
        for row in range(len(table))
        if (table.name_of(row), table.category_of(row)) == (name, category)
    )


def test_it_leads_through_all_events_of_a_name_on_all_ranks(run: Run, victor: User) -> None:
    wanted = [{"trace": index, "row": row} for _, index, row in starts(run, "gemm", "kernel")]
    assert len(wanted) == 6
    place, seen = wanted[0], []
    while place:
        seen.append(place)
        found = ask(victor, run, place).json()
        assert (found["count"], found["number"]) == (6, len(seen))
        assert found["previous"] == (seen[-2] if len(seen) > 1 else None)
        place = found["next"]
    assert seen == wanted


def test_it_says_how_long_they_take(run: Run, victor: User) -> None:
    _, index, row = starts(run, "gemm", "kernel")[0]
    found = ask(victor, run, {"trace": index, "row": row}).json()
    durations = {key: found[key] for key in ("total_ns", "median_ns", "p95_ns", "max_ns")}
    assert durations == {"total_ns": 34_000, "median_ns": 5_000, "p95_ns": 9_000, "max_ns": 9_000}
    table = OPENED.get(Files.of(run)).run.traces[found["longest"]["trace"]]
    assert table.dur_ns[found["longest"]["row"]] == 9_000


def test_a_name_that_one_rank_alone_has(run: Run, victor: User) -> None:
    ((_, index, row),) = starts(run, "other", "cpu_op")
    found = ask(victor, run, {"trace": index, "row": row}).json()
    assert (index, found["count"], found["previous"], found["next"]) == (1, 1, None, None)


def test_it_is_the_same_for_every_event(run: Run) -> None:
    files = Files.of(run)
    for index, table in enumerate(OPENED.get(files).run.traces):
        for row in range(len(table)):
            found = alike(files, index, row)
            order = starts(run, table.name_of(row), table.category_of(row))
            assert order[found["number"] - 1][1:] == (index, row)
            rows = [OPENED.get(files).run.traces[i].dur_ns[r] for _, i, r in order]
            assert (found["count"], found["total_ns"]) == (len(order), int(np.sum(rows)))


def test_there_is_no_such_event(run: Run, victor: User, charlie: User) -> None:
    assert ask(victor, run, {"trace": 0, "row": 999}).status_code == 404
    assert ask(victor, run, {"trace": 9, "row": 0}).status_code == 404
    assert ask(charlie, run, {"trace": 0, "row": 0}).status_code == 404
