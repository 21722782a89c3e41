"""GET compare/{a}/{b}/: two runs in figures, and their page."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.traceviewer.reading import as_user, contents, read, upload, work_off
from traceviewer.accounts.models import Project
from traceviewer.experiments import replaying
from traceviewer.runs.models import Run
from traceviewer.runs.serializers import run_object

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def measured(project: Project, bob: User, demo_files: list[Path]) -> Run:
    return read(project, contents(demo_files), bob)


def compare(user: User, a: Run, b: Run) -> Any:
    return as_user(user).get(f"/api/v1/compare/{a.pk}/{b.pk}/")


def layout(user: User, run: Run) -> Any:
    return as_user(user).get(f"/api/v1/runs/{run.pk}/timeline/").json()


def test_it_compares_measured_and_predicted(measured: Run, victor: User) -> None:
    predicted = work_off(replaying.begin(measured))
    found = compare(victor, measured, predicted).json()
    report = predicted.replay
    assert (found["a"]["id"], found["b"]["id"]) == (str(measured.pk), str(predicted.pk))
    assert found["pairing"] == {"by": "origin", "coverage_percent": 100.0}
    assert (found["total"]["a_ns"], found["total"]["b_ns"]) == (report["measured_ns"], report["predicted_ns"])
    assert found["total"]["error_percent"] == pytest.approx(report["error_percent"], abs=1e-3)
    for side, run in (("a", measured), ("b", predicted)):
        steps = [
            (step["trace"], step["name"], [step["begin_ns"], step["end_ns"]]) for step in layout(victor, run)["steps"]
        ]
        assert sorted((step["trace"], step["name"], step[side]) for step in found["steps"]) == sorted(steps)


def test_it_compares_a_run_with_itself(measured: Run, bob: User) -> None:
    found = compare(bob, measured, measured).json()
    assert found["total"] == {"a_ns": measured.span_ns, "b_ns": measured.span_ns, "error_percent": 0.0}
    assert {step["error_percent"] for step in found["steps"]} == {0.0}


def test_it_compares_two_runs_that_do_not_pair(project: Project, bob: User, demo_files: list[Path]) -> None:
    a, b = (read(project, contents([path]), bob) for path in demo_files)
    found = compare(bob, a, b).json()
    assert found["pairing"]["by"] == "none"
    assert found["total"]["error_percent"] == pytest.approx(100 * (b.span_ns - a.span_ns) / a.span_ns, abs=1e-3)


def test_it_waits_until_both_are_ready(measured: Run, project: Project, bob: User) -> None:
    reading = Run.objects.get(pk=upload(as_user(bob), project, {"a.json": b"{}"}).json()["id"])
    for pair in ((measured, reading), (reading, measured)):
        assert compare(bob, *pair).status_code == 409


def test_it_asks_for_both_whether_they_may_be_seen(measured: Run, charlie: User, demo_files: list[Path]) -> None:
    his = read(charlie.projects.get(), contents(demo_files[:1]), charlie)
    for pair in ((measured, his), (his, measured)):
        assert compare(charlie, *pair).status_code == 404
        assert as_user(charlie).get(f"/p/{pair[0].project.slug}/compare/{pair[0].pk}/{pair[1].pk}/").status_code == 404


def test_its_page_hands_both_runs_to_the_island(measured: Run, victor: User) -> None:
    page = as_user(victor).get(f"/p/{measured.project.slug}/compare/{measured.pk}/{measured.pk}/")
    assert page.status_code == 200
    assert page.context["page"]["a"] == page.context["page"]["b"] == run_object(Run.objects.get(pk=measured.pk))
    assert page.context["page"]["can_edit"] is False
