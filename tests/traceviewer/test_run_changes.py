"""A run that is there: tags, another project, read again, a late rank added, a broken one replaced."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage

from simulation.run import Run as EngineRun
from tests.traceviewer.changes import add, opened, renamed, reread, seen
from tests.traceviewer.reading import as_user, contents, read, stored_files, upload, work_off
from tests.traceviewer.tus import make_run, uploaded
from traceviewer.accounts.models import Membership, Project
from traceviewer.accounts.visibility import Role
from traceviewer.experiments import replaying
from traceviewer.jobs.models import Job
from traceviewer.runs import store
from traceviewer.runs.keeping import STRAY_AGE, forget_strays
from traceviewer.runs.models import Run, Trace
from traceviewer.uploads import staging

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def measured(project: Project, bob: User, demo_files: list[Path]) -> Run:
    return read(project, contents(demo_files), bob)


def patch(user: User, run: Run, **values: Any) -> Any:
    return as_user(user).patch(f"/api/v1/runs/{run.pk}/", values, content_type="application/json")


# Tags


def test_it_has_the_tags_last_given(project: Project, bob: User) -> None:
    run = Run.objects.create(project=project, name="a")
    assert patch(bob, run, tags=["h100", "baseline", "h100"]).json()["tags"] == ["baseline", "h100"]
    assert patch(bob, run, tags=["h100", " fp8 "]).json()["tags"] == ["fp8", "h100"]
    assert patch(bob, run, name="b").json()["tags"] == ["fp8", "h100"]
    assert patch(bob, run, tags=[]).json()["tags"] == []


@pytest.mark.parametrize("tags", ["h100", [""], ["x" * 61], [str(number) for number in range(51)], [["a"]]])
def test_it_refuses_tags_that_are_none(project: Project, bob: User, tags: Any) -> None:
    run = Run.objects.create(project=project, name="a")
    assert patch(bob, run, tags=tags).status_code == 400
    assert seen(bob, run)["tags"] == []


def test_runs_are_found_by_tag(project: Project, bob: User) -> None:
    first, second = (Run.objects.create(project=project, name=name) for name in "ab")
    patch(bob, first, tags=["h100", "fp8"])
    patch(bob, second, tags=["h100"])
    address = f"/api/v1/projects/{project.slug}/runs/"
    assert [run["name"] for run in as_user(bob).get(address, {"tag": "fp8"}).json()["results"]] == ["a"]
    assert as_user(bob).get(address, {"tag": "h100"}).json()["count"] == 2


# Same bytes


def test_the_same_bytes_are_stored_once_in_a_project(project: Project, bob: User) -> None:
    files = {"a.json": b'{"traceEvents": []}', "b.json": b"{}"}
    first, second = (upload(as_user(bob), project, files).json()["id"] for _ in range(2))
    third = make_run(bob, project, uploaded(bob, project, {"c.json": b"{}", "d.json": b"{}"})).json()["id"]
    assert len(stored_files()) == 2
    as_user(bob).delete(f"/api/v1/runs/{first}/")
    assert len(stored_files()) == 2
    as_user(bob).delete(f"/api/v1/runs/{second}/")
    (left,) = stored_files()
    assert {f"files/{trace.source}" for trace in Trace.objects.filter(run=third)} == {left}
    as_user(bob).delete(f"/api/v1/runs/{third}/")
    assert stored_files() == []


def test_a_run_that_fails_leaves_what_others_share(project: Project, bob: User, measured: Run) -> None:
    broken = {"rank0.json.gz": contents_of(measured, 0), "rank1.json": b"no trace"}
    assert read(project, broken, bob).state == Run.State.FAILED
    assert contents_of(measured, 0)
    assert len(stored_files()) == len(measured.files) + 2 + 1  # what could not be read, for another try


def test_other_projects_share_nothing(project: Project, bob: User) -> None:
    for place in (project, Project.objects.make("Other", bob)):
        upload(as_user(bob), place, {"a.json": b"{}"})
    assert len(stored_files()) == 2


def contents_of(run: Run, index: int) -> bytes:
    with default_storage.open(run.traces.get(index=index).source, "rb") as file:
        return bytes(file.read())


# Another project


def test_it_moves_with_its_predictions_and_jobs(measured: Run, project: Project, bob: User, victor: User) -> None:
    predicted = work_off(replaying.begin(measured))
    other = Project.objects.make("Other", bob)
    answer = patch(bob, measured, project=other.slug)
    assert (answer.status_code, answer.json()["project"]) == (200, other.slug)
    assert answer.json()["url"] == f"/p/{other.slug}/runs/{measured.pk}/"
    assert Run.objects.get(pk=predicted.pk).project == other
    assert set(Job.objects.values_list("project", flat=True)) == {other.pk}
    for path in (f"runs/{measured.pk}/", f"runs/{predicted.pk}/timeline/", f"jobs/{measured.job_id}/"):
        assert as_user(victor).get(f"/api/v1/{path}").status_code == 404
        assert as_user(bob).get(f"/api/v1/{path}").status_code == 200


def test_it_moves_only_between_projects_that_one_may_change(
    project: Project, bob: User, alice: User, charlie: User
) -> None:
    run = Run.objects.create(project=project, name="a")
    looked_at = Project.objects.make("Looked at", alice)
    Membership.objects.create(project=looked_at, user=bob, role=Role.VIEWER)
    assert patch(bob, run, project=looked_at.slug).status_code == 403
    assert patch(bob, run, project=charlie.projects.get().slug, name="gone").status_code == 404
    run.refresh_from_db()
    assert (run.project, run.name) == (project, "a")


def test_a_prediction_does_not_move_alone(measured: Run, bob: User) -> None:
    predicted = replaying.begin(measured)
    other = Project.objects.make("Other", bob)
    assert patch(bob, predicted, project=other.slug).status_code == 400


def test_what_the_new_project_has_already_is_stored_once(project: Project, bob: User) -> None:
    other = Project.objects.make("Other", bob)
    first, second = (upload(as_user(bob), place, {"a.json": b"{}"}).json()["id"] for place in (project, other))
    assert len(stored_files()) == 2
    patch(bob, Run.objects.get(pk=first), project=other.slug)
    assert len(stored_files()) == 1
    as_user(bob).delete(f"/api/v1/runs/{second}/")
    assert stored_files() == [f"files/{Trace.objects.get(run=first).source}"]


# Read again


def test_read_again_it_is_a_new_version_with_the_same_anchors(measured: Run, bob: User) -> None:
    before, anchors = seen(bob, measured), list(measured.traces.values_list("pk", "sha256"))
    source_index = [np.array(trace.columns["source_index"]) for trace in opened(measured).traces]
    answer = reread(bob, measured)
    assert (answer.status_code, answer.json()["state"], answer.json()["job"]["state"]) == (202, "ready", "queued")
    assert answer.json()["layout_version"] == before["layout_version"]
    run = work_off(Run.objects.get(pk=measured.pk))
    assert seen(bob, run)["layout_version"] != before["layout_version"]
    assert list(run.traces.values_list("pk", "sha256")) == anchors
    for old, new in zip(source_index, opened(run).traces, strict=True):
        assert (old == new.columns["source_index"]).all()
    assert len(stored_files()) == len(run.files) + 2  # nothing rests on the version before


def test_what_was_predicted_from_it_stays_and_is_stale(measured: Run, bob: User) -> None:
    predicted = work_off(replaying.begin(measured))
    before = {key: value for key, value in seen(bob, predicted).items() if not key.startswith("stale")}
    timeline = as_user(bob).get(f"/api/v1/runs/{predicted.pk}/timeline/").json()
    reread(bob, measured)
    run = work_off(Run.objects.get(pk=measured.pk))
    after = seen(bob, predicted)
    assert (after.pop("stale"), after.pop("stale_reason")) == (True, "The run was read again.")
    assert after == before
    assert as_user(bob).get(f"/api/v1/runs/{predicted.pk}/timeline/").json() == timeline
    assert as_user(bob).get(f"/api/v1/runs/{predicted.pk}/events/0/0/").status_code == 200
    comparison = as_user(bob).get(f"/api/v1/compare/{run.pk}/{predicted.pk}/").json()
    assert comparison["pairing"] == {"by": "origin", "coverage_percent": 100.0}

    fresh = work_off(replaying.begin(run))
    assert fresh.pk != predicted.pk and not seen(bob, fresh)["stale"]
    assert replaying.begin(run).pk == fresh.pk

    old = Run.objects.get(pk=predicted.pk).base_folder
    assert default_storage.exists(f"{old}/run.arrow")
    as_user(bob).delete(f"/api/v1/runs/{predicted.pk}/")
    assert not default_storage.exists(f"{old}/run.arrow")
    assert as_user(bob).get(f"/api/v1/runs/{fresh.pk}/timeline/").status_code == 200


def test_a_prediction_under_way_is_stale_when_it_ends(measured: Run, bob: User) -> None:
    predicted = replaying.begin(measured)
    reread(bob, measured)
    work_off(Run.objects.get(pk=measured.pk))
    predicted = work_off(predicted)
    assert (predicted.state, predicted.stale_reason) == ("ready", "The run was read again.")
    assert as_user(bob).get(f"/api/v1/runs/{predicted.pk}/timeline/").status_code == 200


def test_reading_again_that_fails_leaves_it_as_it_was(
    measured: Run, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, files = seen(bob, measured), stored_files()
    predicted = work_off(replaying.begin(measured))
    reread(bob, measured)
    as_user(bob).post(f"/api/v1/jobs/{Run.objects.get(pk=measured.pk).job_id}/cancel/")
    work_off(Run.objects.get(pk=measured.pk))
    after = seen(bob, measured)
    assert (after["state"], after["error"], after["layout_version"]) == (
        "ready",
        "Cancelled.",
        before["layout_version"],
    )
    assert not seen(bob, predicted)["stale"]
    assert set(files) < set(stored_files())
    assert reread(bob, measured).status_code == 202
    assert work_off(Run.objects.get(pk=measured.pk)).error == ""


def test_it_is_read_again_by_one_job_at_a_time(measured: Run, bob: User, victor: User) -> None:
    assert reread(victor, measured).status_code == 403
    assert reread(bob, measured).status_code == 202
    second = reread(bob, measured)
    assert (second.status_code, second.json()["code"]) == (409, "not_ready")
    assert add(bob, measured, {"c.json": b"{}"}).status_code == 409


def test_without_its_originals_it_cannot_be_read_again(measured: Run, bob: User) -> None:
    measured.traces.filter(index=0).release()
    answer = reread(bob, measured)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_originals")
    assert [original["url"] is None for original in answer_originals(bob, measured)] == [True, False]


def answer_originals(user: User, run: Run) -> list[dict[str, Any]]:
    return list(seen(user, run)["originals"])


def test_a_prediction_is_not_read_again(measured: Run, bob: User) -> None:
    predicted = work_off(replaying.begin(measured))
    assert reread(bob, predicted).status_code == 409
    assert add(bob, predicted, {"c.json": b"{}"}).status_code == 409


# A run that could not be read


def test_a_failed_run_is_read_again(project: Project, bob: User, demo_files: list[Path], settings: Any) -> None:
    limit, settings.UNPACKED_MAX_FILE_BYTES = settings.UNPACKED_MAX_FILE_BYTES, 100_000
    run = read(project, contents(demo_files), bob)
    assert run.state == "failed" and all(one["url"] for one in answer_originals(bob, run))
    settings.UNPACKED_MAX_FILE_BYTES = limit
    answer = reread(bob, run)
    assert (answer.status_code, answer.json()["state"], answer.json()["error"]) == (202, "reading", "")
    run = work_off(Run.objects.get(pk=run.pk))
    assert (run.state, run.error, run.ranks) == ("ready", "", 2)


def test_a_failed_run_gets_better_files_one_by_one(project: Project, bob: User, demo_files: list[Path]) -> None:
    zero, one = contents(demo_files).items()
    run = read(project, {"a.json": b"oops", "b.json": b"no trace"}, bob)
    assert run.state == "failed"
    assert add(bob, run, dict([zero]), instead_of=0).json()["state"] == "reading"
    run = work_off(Run.objects.get(pk=run.pk))
    assert run.state == "failed" and run.error.startswith("b.json")
    assert [original["file_name"] for original in answer_originals(bob, run)] == ["b.json", zero[0]]
    assert add(bob, run, dict([one]), instead_of=1).status_code == 202
    run = work_off(Run.objects.get(pk=run.pk))
    assert (run.state, run.error, run.ranks) == ("ready", "", 2)
    assert len(stored_files()) == len(run.files) + 2


def test_cancelled_it_is_read_again(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = Run.objects.get(pk=upload(as_user(bob), project, contents(demo_files)).json()["id"])
    as_user(bob).post(f"/api/v1/jobs/{run.job_id}/cancel/")
    assert reread(bob, run).status_code == 202
    assert work_off(Run.objects.get(pk=run.pk)).state == "ready"


def test_where_originals_are_not_kept_a_failure_keeps_none(project: Project, bob: User) -> None:
    Project.objects.filter(pk=project.pk).update(keep_originals=False)
    run = read(project, {"a.json": b"oops"}, bob)
    assert stored_files() == []
    assert reread(bob, run).json()["code"] == "no_originals"
    assert add(bob, run, {"b.json": b"{}"}, instead_of=0).status_code == 202  # nothing of the old is needed


def test_a_file_or_a_rank_is_replaced_not_both(measured: Run, bob: User) -> None:
    files = {"c.json": b"{}"}
    assert list(add(bob, measured, files, instead_of=0, replace=0).json()["fields"]) == ["instead_of"]
    assert add(bob, measured, files, instead_of=2).json()["fields"] == {"instead_of": "The run has no file 2."}


# Other files


def test_a_late_rank_is_added(project: Project, bob: User, demo_files: list[Path]) -> None:
    zero, one = demo_files
    run = read(project, {one.name: one.read_bytes()}, bob)
    predicted = work_off(replaying.begin(run))
    (kept,) = run.traces.values_list("pk", flat=True)
    answer = add(bob, run, {zero.name: zero.read_bytes()})
    assert (answer.status_code, answer.json()["ranks"]) == (202, 1)
    assert len(answer.json()["originals"]) == 1  # not part of it yet
    run = work_off(Run.objects.get(pk=run.pk))
    shown = [(original["index"], original["rank"], original["file_name"]) for original in answer_originals(bob, run)]
    assert (run.ranks, shown) == (2, [(0, 0, zero.name), (1, 1, one.name)])
    assert run.traces.get(pk=kept).index == 1  # an anchor names the trace, not its place
    assert seen(bob, predicted)["stale_reason"] == f"{zero.name} was added."
    assert as_user(bob).get(f"/api/v1/runs/{predicted.pk}/timeline/").json()["traces"][0]["rank"] == 1


def test_a_broken_rank_is_replaced(measured: Run, bob: User) -> None:
    predicted = work_off(replaying.begin(measured))
    kept = measured.traces.get(rank=0).pk
    answer = add(bob, measured, {"whole.json.gz": renamed(contents_of(measured, 1))}, replace=1)
    assert answer.status_code == 202
    run = work_off(Run.objects.get(pk=measured.pk))
    assert (run.state, run.error, run.ranks) == ("ready", "", 2)
    assert [original["file_name"] for original in answer_originals(bob, run)] == [
        "kineto_rank0.json.gz",
        "whole.json.gz",
    ]
    assert run.traces.get(rank=0).pk == kept
    assert "changed" in opened(run).names
    assert seen(bob, predicted)["stale_reason"] == "Rank 1 was replaced."
    assert "changed" not in EngineRun.open(store.local(predicted.base_folder, predicted.base_files)).names


@pytest.mark.parametrize("content", [b"oops", None])
def test_a_file_that_does_not_fit_changes_nothing(
    measured: Run, bob: User, demo_files: list[Path], content: bytes | None
) -> None:
    """One that is no trace, and one of another rank than that to be replaced."""
    before, files = seen(bob, measured), stored_files()
    add(bob, measured, {"new.json": content or renamed(demo_files[0].read_bytes())}, replace=1)
    run = work_off(Run.objects.get(pk=measured.pk))
    after = seen(bob, run)
    assert "new.json" in after["error"] if content else "rank 1" in after["error"]
    assert {**after, "error": "", "job": None} == {**before, "job": None}
    assert stored_files() == files


def test_a_rank_that_is_not_there_is_not_replaced(measured: Run, bob: User) -> None:
    answer = add(bob, measured, {"c.json": b"{}"}, replace=7)
    assert (answer.status_code, answer.json()["fields"]) == (400, {"replace": "The run has no file of rank 7."})
    assert measured.traces.count() == 2


def test_adding_twice_adds_once(measured: Run, bob: User, demo_files: list[Path]) -> None:
    body = {"uploads": uploaded(bob, measured.project, {"c.json": b"{}"})}
    address = f"/api/v1/runs/{measured.pk}/traces/"
    for _ in range(2):
        answer = as_user(bob).post(address, body, content_type="application/json")
        assert answer.status_code == 202
    assert measured.traces.count() == 3
    again = make_run(bob, measured.project, body["uploads"])  # what was made of them is this run
    assert (again.status_code, again.json()["id"]) == (200, str(measured.pk))


def test_what_a_killed_process_has_staged_is_forgotten(
    measured: Run, demo_files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = stored_files()
    staging.stage_paths(demo_files)
    forget_strays()
    assert len(stored_files()) == len(files) + 2
    monkeypatch.setattr("traceviewer.runs.keeping.STRAY_AGE", -STRAY_AGE)
    forget_strays()
    assert stored_files() == files
