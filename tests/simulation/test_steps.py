"""Which slices are the steps, and which rows belong to them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.simulation.traces import Event, counts, event, kernel, launch, read, rows, side, step


def note(name: str, start: Any, dur: Any, **more: Any) -> Event:
    return event(name, start, dur, "user_annotation", **more)


def loop(*names: str, every: int = 10, dur: int = 9, **more: Any) -> list[Event]:
    return [note(name, at * every, dur, **more) for at, name in enumerate(names)]


def numbers(folder: Path, *events: Event) -> list[tuple[str, int]]:
    found = side(read(folder, *events), "steps")
    return [(line["row"], line["number"]) for line in found]


def test_it_takes_a_repeated_annotation_for_the_steps(tmp_path: Path) -> None:
    inside = [note("forward", at * 10 + 1, 4) for at in range(3)]
    table = read(tmp_path, *loop("train", "train", "train"), *inside, launch(21, 1, 4), kernel(40, 5, 4), kernel(46, 1))
    assert [(line["row"], line["number"]) for line in side(table, "steps")] == [
        ("train", 0),
        ("train", 1),
        ("train", 2),
    ]
    assert [found for name, found in rows(table, "step") if name in ("forward", "kernel")] == [0, 1, 2, 2, -1]
    assert counts(table) == {"steps_from_annotation": 3, "unlinked_device_events": 1}


def test_it_prefers_the_profilers_own_marks(tmp_path: Path) -> None:
    marks = [step(7, 0, 5), step(8, 50, 5)]
    found = numbers(tmp_path, *marks, *loop("train", "train", "train"))
    assert sorted(found) == [("ProfilerStep#7", 7), ("ProfilerStep#8", 8)]


def test_it_reads_the_numbers_in_names(tmp_path: Path) -> None:
    assert numbers(tmp_path, *loop("step 5", "step 6", "step 7", "step 10")) == [
        ("step 5", 5), ("step 6", 6), ("step 7", 7), ("step 10", 10),
    ]  # fmt: skip


def test_it_numbers_by_time_where_names_do_not(tmp_path: Path) -> None:
    frames = [event("main", 15, 30, "python_function")]  # moves later ones into a deeper lane
    table = read(tmp_path, *frames, *loop("train", "train", "train", "train", dur=9))
    lines = table.sides["steps"]
    order = sorted(range(4), key=lambda at: int(table.start_ns[int(lines["row"][at])]))
    assert [int(lines["number"][at]) for at in order] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    "events",
    [
        loop("train", "train"),
        loop("train", "train", "train", dur=4),
        [*loop("train", "train", "train"), event("before", -100, 50)],
        [note("all", 0, 100), *loop("train", "train", "train", dur=9)],
        [note("train", at, 30) for at in (0, 10, 20)],
        [event("op", at * 10, 9) for at in range(5)],
        [event("train", at * 10, 9, "gpu_user_annotation", pid=0, tid=3) for at in range(3)],
        [note("train", 0, 9), note("train", 10, 9), note("train", 20, 9, tid=8)],
    ],
)  # fmt: skip
def test_it_finds_no_steps_where_there_are_none(tmp_path: Path, events: list[Event]) -> None:
    table = read(tmp_path, *events)
    assert (side(table, "steps"), counts(table)["no_steps"]) == ([], 1)
    assert set(table.step.tolist()) == {-1}


def test_it_takes_the_annotation_that_covers_most(tmp_path: Path) -> None:
    events = [note(name, at * 20 + begin, dur) for at in range(3) for name, begin, dur in (("a", 0, 12), ("b", 12, 7))]
    assert [name for name, _ in numbers(tmp_path, *events)] == ["a", "a", "a"]


def test_it_gives_asynchronous_work_the_step_in_which_it_starts(tmp_path: Path) -> None:
    io = {"pid": 7, "tid": 9, "cat": "io", "name": "read", "id": 1}
    table = read(tmp_path, step(1, 0, 9), step(2, 10, 9), {"ph": "b", "ts": 12, **io}, {"ph": "e", "ts": 30, **io})
    assert [found for name, found in rows(table, "step") if name == "read"] == [1]
