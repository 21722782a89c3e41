"""GET and POST runs/{run}/trust/: a measured run gets its assessment, and keeps it."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from simulation import ENGINE_VERSION
from simulation.run import Run as EngineRun
from simulation.trust import assess
from tests.traceviewer.reading import as_user, contents, read, upload, work_off
from traceviewer.accounts.models import Project
from traceviewer.jobs.worker import run_job
from traceviewer.runs import store
from traceviewer.runs.models import Run
from traceviewer.trust.models import Assessment

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def measured(project: Project, bob: User, demo_files: list[Path]) -> Run:
    return read(project, contents(demo_files), bob)


def ask(user: User, run: Run) -> Any:
    return as_user(user).post(f"/api/v1/runs/{run.pk}/trust/")


def look(user: User, run: Run) -> Any:
    return as_user(user).get(f"/api/v1/runs/{run.pk}/trust/")


def test_nobody_has_asked_yet(measured: Run, victor: User) -> None:
    answer = look(victor, measured)
    assert (answer.status_code, answer.json()["state"], answer.json()["figures"]) == (200, "none", None)


def test_it_ends_in_the_figures_of_the_engine(measured: Run, bob: User, victor: User) -> None:
    answer = ask(bob, measured)
    assert (answer.status_code, answer.json()["state"]) == (202, "working")
    run_job(answer.json()["job"]["id"])
    found = look(victor, measured).json()
    assert (found["state"], found["engine_version"], found["is_of_now"]) == ("ready", ENGINE_VERSION, True)
    assert found["figures"] == assess(EngineRun.open(store.local(measured.folder, measured.files)))


def test_asking_twice_gives_the_same(measured: Run, bob: User) -> None:
    first, second = (ask(bob, measured).json() for _ in range(2))
    assert first["job"]["id"] == second["job"]["id"]
    run_job(first["job"]["id"])
    third = ask(bob, measured).json()
    assert third["state"] == "ready" and third["job"]["id"] == first["job"]["id"]


def test_what_failed_is_tried_again(measured: Run, bob: User) -> None:
    first = ask(bob, measured).json()
    as_user(bob).post(f"/api/v1/jobs/{first['job']['id']}/cancel/")
    found = look(bob, measured).json()
    assert (found["state"], found["error"]) == ("failed", "Cancelled.")
    again = ask(bob, measured).json()
    assert (again["state"], again["error"]) == ("working", "") and again["job"]["id"] != first["job"]["id"]


def test_a_run_that_was_read_again_is_assessed_again(measured: Run, bob: User) -> None:
    run_job(ask(bob, measured).json()["job"]["id"])
    as_user(bob).post(f"/api/v1/runs/{measured.pk}/reread/")
    work_off(Run.objects.get(pk=measured.pk))
    before = look(bob, measured).json()
    assert (before["state"], before["is_of_now"]) == ("ready", False) and before["figures"]
    assert ask(bob, measured).json()["state"] == "working"


def test_only_a_measured_and_ready_run_is_assessed(measured: Run, project: Project, bob: User) -> None:
    reading = Run.objects.get(pk=upload(as_user(bob), project, {"a.json": b"{}"}).json()["id"])
    predicted = Run.objects.create(project=project, kind="predicted", measured_run=measured, state="ready")
    for run in (reading, predicted):
        assert (ask(bob, run).status_code, ask(bob, run).json()["code"]) == (409, "not_ready")


def test_a_viewer_may_look_but_not_ask(measured: Run, victor: User) -> None:
    assert ask(victor, measured).status_code == 403
    assert not Assessment.objects.exists()


def test_the_page_of_a_prediction_has_its_tabs_and_the_figures_of_its_measured_run(
    measured: Run, project: Project, victor: User
) -> None:
    predicted = Run.objects.create(project=project, kind="predicted", measured_run=measured, state="ready")
    answer = as_user(victor).get(f"/p/{project.slug}/runs/{predicted.pk}/trust/")
    assert answer.context["page"]["run"]["id"] == str(measured.pk)
    assert answer.context["run"]["id"] == str(predicted.pk)
    page = answer.content.decode()
    assert "How far can I trust" in page and f"/compare/{measured.pk}/{predicted.pk}/" in page
    assert f'/runs/{predicted.pk}/trust/" aria-current="page"' in page


def test_a_run_takes_its_assessment_with_it(measured: Run, bob: User) -> None:
    run_job(ask(bob, measured).json()["job"]["id"])
    assert as_user(bob).delete(f"/api/v1/runs/{measured.pk}/").status_code == 204
    assert not Assessment.objects.exists()
