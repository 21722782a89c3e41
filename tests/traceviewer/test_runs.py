"""The runs of a project, one run, and their pages."""

import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.traceviewer.reading import as_user, contents, read, stored_files, upload, work_off
from traceviewer.accounts.models import Project
from traceviewer.jobs.models import Job
from traceviewer.runs.demo import load_demo
from traceviewer.runs.models import Run
from traceviewer.runs.serializers import run_object

pytestmark = pytest.mark.django_db(transaction=True)


def make(project: Project, *names: str, **values: Any) -> list[Run]:
    return [Run.objects.create(project=project, name=name, **values) for name in names]


def listed(user: User, project: Project, **query: Any) -> Any:
    return as_user(user).get(f"/api/v1/projects/{project.slug}/runs/", query)


def names(answer: Any) -> list[str]:
    return [run["name"] for run in answer.json()["results"]]


def patch(user: User, run: Run, **values: Any) -> Any:
    return as_user(user).patch(f"/api/v1/runs/{run.pk}/", values, content_type="application/json")


def test_it_lists_the_newest_first(project: Project, victor: User) -> None:
    make(project, "first", "second", "third")
    assert names(listed(victor, project)) == ["third", "second", "first"]


def test_it_filters_by_name_state_and_kind(project: Project, victor: User) -> None:
    make(project, "BERT small", state=Run.State.READY)
    make(project, "bert large", "gpt", state=Run.State.FAILED)
    make(project, "bert predicted", kind=Run.Kind.PREDICTED)
    assert set(names(listed(victor, project, search="Bert"))) == {"BERT small", "bert large", "bert predicted"}
    assert set(names(listed(victor, project, state="failed"))) == {"bert large", "gpt"}
    assert names(listed(victor, project, kind="predicted")) == ["bert predicted"]
    assert names(listed(victor, project, search="bert", state="failed")) == ["bert large"]
    assert listed(victor, project, state="lost").status_code == 400


def test_it_pages(project: Project, victor: User) -> None:
    make(project, *(f"run {number}" for number in range(60)))
    first = listed(victor, project)
    assert (first.json()["count"], len(names(first)), first.json()["previous"]) == (60, 50, None)
    second = as_user(victor).get(first.json()["next"])
    assert len(set(names(first)) | set(names(second))) == 60
    assert second.json()["next"] is None


def test_it_asks_the_database_no_more_for_many_runs(
    project: Project, victor: User, django_assert_num_queries: Any
) -> None:
    make(project, "one", created_by=victor)
    browser = as_user(victor)
    with django_assert_num_queries(7):  # session, user, project, count, runs, tags, traces
        browser.get(f"/api/v1/projects/{project.slug}/runs/")
    make(project, *"abcdefgh", created_by=victor)
    with django_assert_num_queries(7):
        browser.get(f"/api/v1/projects/{project.slug}/runs/")


def test_it_lists_nothing_of_other_projects(project: Project, charlie: User) -> None:
    make(project, "secret")
    assert listed(charlie, project).status_code == 404
    assert names(listed(charlie, charlie.projects.get())) == []


def test_it_renames_and_changes_nothing_else(project: Project, bob: User) -> None:
    (run,) = make(project, "old")
    answer = patch(bob, run, name="new", state="ready", kind="predicted", folder="runs/else")
    assert (answer.status_code, answer.json()["name"], answer.json()["state"]) == (200, "new", "reading")
    run.refresh_from_db()
    assert (run.name, run.state, run.kind, run.folder) == ("new", "reading", "measured", "")
    assert patch(bob, run, name="").status_code == 400


def test_a_viewer_looks_and_changes_nothing(project: Project, victor: User) -> None:
    (run,) = make(project, "kept")
    assert as_user(victor).get(f"/api/v1/runs/{run.pk}/").status_code == 200
    assert patch(victor, run, name="mine").status_code == 403
    assert as_user(victor).delete(f"/api/v1/runs/{run.pk}/").status_code == 403
    assert Run.objects.get(pk=run.pk).name == "kept"


def test_deleting_leaves_nothing(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, contents(demo_files), bob)
    assert stored_files() != []
    assert as_user(bob).delete(f"/api/v1/runs/{run.pk}/").status_code == 204
    assert stored_files() == []
    assert as_user(bob).get(f"/api/v1/runs/{run.pk}/").status_code == 404
    assert as_user(bob).get(f"/api/v1/runs/{run.pk}/timeline/").status_code == 404


def test_deleting_stops_the_job(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = Run.objects.get(pk=upload(as_user(bob), project, contents(demo_files)).json()["id"])
    as_user(bob).delete(f"/api/v1/runs/{run.pk}/")
    assert Job.objects.get(pk=run.job_id).state == "cancelled"
    assert stored_files() == []


def test_the_run_page_hands_the_run_to_the_island(project: Project, victor: User) -> None:
    (run,) = make(project, "a\u202eb <script>")
    page = as_user(victor).get(run.get_absolute_url())
    assert page.status_code == 200
    assert page.context["page"]["run"] == run_object(run)
    assert page.context["page"]["project"] == {"slug": project.slug, "name": project.name}
    assert b"<script>" not in page.content.replace(b"a\xe2\x80\xaeb <script>", b"?", 0).split(b'id="page"')[0]


def test_a_run_has_its_page_in_its_own_project_only(project: Project, victor: User, alice: User) -> None:
    (run,) = make(project, "here")
    other = Project.objects.make("Other", alice)
    assert as_user(alice).get(f"/p/{other.slug}/runs/{run.pk}/").status_code == 404
    assert as_user(alice).get(f"/p/{project.slug}/runs/{uuid.uuid4()}/").status_code == 404


def test_the_project_page_shows_its_runs_and_searches(project: Project, victor: User) -> None:
    make(project, *(f"bert {number}" for number in range(51)), "gpt")
    page = as_user(victor).get(f"/p/{project.slug}/", {"search": "bert"})
    assert len(page.context["runs"]) == 50
    shown = page.context["page"]
    assert (shown["search"], shown["count"], shown["previous"], shown["next"]) == (
        "bert",
        51,
        None,
        "?search=bert&page=2",
    )
    second = as_user(victor).get(f"/p/{project.slug}/{shown['next']}")
    assert [run["name"] for run in second.context["runs"]] == ["bert 0"]


def test_the_demo_is_loaded_once(alice: User) -> None:
    runs = load_demo(alice)
    assert [work_off(run).state for run in runs] == [Run.State.READY] * 2
    assert [(run.project.slug, run.ranks, run.steps) for run in runs] == [("demo", 2, 5), ("demo", 8, 4)]
    assert runs[0].project.can_edit(alice)
    assert load_demo(alice) == []
    assert Run.objects.count() == 2


def test_the_generated_demo_has_something_to_find(alice: User) -> None:
    run = work_off(load_demo(alice)[1])
    assert run.gpu_events > 10_000
    assert 40_000_000 < (run.median_step_ns or 0) < 100_000_000
    assert [code["code"] for code in run.quality] == ["clocks_differ"]
