"""Which marks are one step, and which steps are ramp-up."""

import numpy as np
import pytest

from simulation.trust.marks import Marks, ramp_up
from tests.simulation.build import Event, make_run, op

MS = 1_000_000


def step(number: int, thread: int, start: int, dur: int) -> Event:
    return Event(f"ProfilerStep#{number}", "user_annotation", thread, start, dur)


@pytest.mark.parametrize(
    ("ms", "expected"),
    [
        ([35, 72, 96, 96, 96], 2),  # a queue that fills
        ([76, 77, 76, 77, 78, 81], 0),  # noise
        ([100, 122, 166, 82, 107, 166], 0),  # no step is like another
        ([120, 100, 101], 1),  # a warm start is slow as well
        ([200, 100], 0),  # nothing to be steady
        ([100], 0),
        ([], 0),
    ],
)
def test_it_finds_ramp_up_at_the_beginning_only(ms: list[int], expected: int) -> None:
    assert ramp_up(np.array(ms, np.int64) * MS) == expected


def test_ranks_share_their_steps_by_number() -> None:
    run = make_run([step(4, 1, 0, 50), op(1, 10, 5), step(5, 1, 60, 40)], [step(5, 1, 0, 30), op(2, 10, 5)])
    marks = Marks.of(run)
    assert marks.trace.tolist() == [0, 0, 1]
    assert marks.step.tolist() == [0, 1, 1]
    assert marks.series.tolist() == [0, 0, 1]
    assert marks.dur_ns.tolist() == [50, 40, 30]
    inside = {run.traces[0].name_of(row): int(marks.of_rows[row]) for row in range(len(run.traces[0]))}
    assert inside == {"ProfilerStep#4": 0, "op": 0, "ProfilerStep#5": 1}
    assert marks.of_rows[len(run.traces[0]) :].tolist() == [1, 1]


def test_numbers_that_come_twice_give_way_to_the_order() -> None:
    marks = Marks.of(make_run([step(3, 1, 0, 50), step(3, 1, 60, 40), step(4, 1, 100, 10)]))
    assert marks.step.tolist() == [0, 1, 2] and marks.steps == 3


def test_a_run_without_steps_has_no_marks() -> None:
    marks = Marks.of(make_run([op(1, 0, 10)]))
    assert len(marks) == marks.steps == 0
    assert marks.of_rows.tolist() == [-1] and marks.ramp_up().tolist() == []
