"""Who waited for whom, as the API tells it."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from simulation.replay import replay_run
from simulation.run import Run as EngineRun
from simulation.run import read_run
from tests.traceviewer.reading import as_user, contents, read, work_off
from traceviewer import report
from traceviewer.accounts.models import Project
from traceviewer.runs import store
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(project: Project, bob: User, demo_files: list[Path]) -> Run:
    return read(project, contents(demo_files), bob)


def get(user: User, run: Run, **query: Any) -> Any:
    return as_user(user).get(f"/api/v1/runs/{run.pk}/collectives/", query)


def test_it_tells_who_waited_for_whom(run: Run, victor: User) -> None:
    answer = get(victor, run).json()
    told = replay_run(EngineRun.open(store.local(run.folder, run.files))).report["collectives"]
    assert answer["counts"] == {key: value for key, value in told.items() if isinstance(value, int)}
    assert answer["counts"]["wait_visible"] == 5
    assert answer["stragglers"] == told["stragglers"]["measured"]
    assert answer["waited_ns"] == told["waited_ns"]["measured"] > 0
    assert [each["kind"] for each in answer["collectives"]] == ["allreduce"] * 5
    assert [each["last_ns"] for each in answer["collectives"]] == sorted(
        each["last_ns"] for each in answer["collectives"]
    )
    for each in answer["collectives"]:
        last = next(member for member in each["members"] if member["rank"] == each["last_rank"])
        assert (last["wait_ns"], last["arrival_ns"]) == (0, each["last_ns"])
        assert each["waited_ns"] == sum(member["wait_ns"] for member in each["members"])


def test_it_comes_in_parts(run: Run, victor: User) -> None:
    whole = get(victor, run).json()["collectives"]
    assert get(victor, run, first=1, most=2).json()["collectives"] == whole[1:3]
    assert get(victor, run, first=9).json()["collectives"] == []
    for wrong in ({"first": -1}, {"most": 1001}, {"most": "x"}):
        assert get(victor, run, **wrong).status_code == 400


def test_a_prediction_has_its_own_waits(run: Run, bob: User) -> None:
    asked = as_user(bob).post(f"/api/v1/runs/{run.pk}/replay/").json()
    predicted = work_off(Run.objects.get(pk=asked["id"]))
    measured, replayed = get(bob, run).json(), get(bob, predicted).json()
    assert (measured.pop("run"), replayed.pop("run")) == (str(run.pk), str(predicted.pk))
    assert replayed == measured  # with measured durations


def test_the_command_says_it_in_words(demo_files: list[Path]) -> None:
    figures = replay_run(read_run(demo_files)).report["collectives"]
    lines = list(report.collective_lines(figures))
    assert lines[0].startswith("rank 1 waited ") and " for rank 0, last in 3 of 5: " in lines[0]
    alone = replay_run(read_run(demo_files[:1])).report["collectives"]
    (line,) = report.collective_lines(alone)
    assert line.startswith("5 of 5 collectives are not on all their ranks' traces")


@pytest.mark.parametrize(
    ("ranks", "text"), [([], ""), ([3], "3"), ([0, 1, 2], "0-2"), ([5, 0, 1, 7], "0-1, 5, 7"), ([4, 6, 5], "4-6")]
)
def test_ranks_are_said_as_ranges(ranks: list[int], text: str) -> None:
    assert report.ranges(ranks) == text
