"""Who waited for whom, as the API tells it."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from simulation.replay import replay_run
from simulation.run import Run as EngineRun
from tests.traceviewer.reading import as_user, contents, read, work_off
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
    report = replay_run(EngineRun.open(store.local(run.folder, run.files))).report["collectives"]
    assert answer["counts"] == {key: value for key, value in report.items() if isinstance(value, int)}
    assert answer["counts"]["wait_visible"] == 5
    assert answer["stragglers"] == report["stragglers"]["measured"]
    assert answer["waited_ns"] == report["waited_ns"]["measured"] > 0
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
