"""POST projects/{slug}/runs/: files in, a run out."""

import hashlib
import shutil
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.traceviewer.reading import as_user, stored_files, upload
from traceviewer.accounts.models import Project
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_makes_a_reading_run_with_its_job(project: Project, bob: User) -> None:
    answer = upload(as_user(bob), project, {"a.json": b"{}"}, name="Baseline")
    assert answer.status_code == 201
    run = answer.json()
    assert (run["name"], run["state"], run["kind"], run["created_by"]) == ("Baseline", "reading", "measured", "bob")
    assert (run["job"]["state"], run["project"], run["measured_run"]) == ("queued", project.slug, None)
    assert run["url"] == f"/p/{project.slug}/runs/{run['id']}/"


def test_it_stages_each_file_whole_with_its_hash(project: Project, bob: User) -> None:
    files = {"b.json": b"x" * 100_000, "a.json": b""}
    run = Run.objects.get(pk=upload(as_user(bob), project, files).json()["id"])
    traces = list(run.traces.all())
    assert [trace.file_name for trace in traces] == ["b.json", "a.json"]
    assert [trace.size_bytes for trace in traces] == [100_000, 0]
    assert [trace.sha256 for trace in traces] == [hashlib.sha256(content).hexdigest() for content in files.values()]
    assert stored_files() == sorted(f"files/{trace.source}" for trace in traces)


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (["bert.pt.trace.json.gz"], "bert.pt.trace"),
        (["gpt_rank0.json", "gpt_rank1.json"], "gpt_rank"),
        (["a.json", "b.json"], "a"),
        ([".json"], "run"),
    ],
)
def test_it_names_the_run_after_its_files(project: Project, bob: User, names: list[str], name: str) -> None:
    assert upload(as_user(bob), project, dict.fromkeys(names, b"{}")).json()["name"] == name


def test_it_demands_the_csrf_token_of_a_session(project: Project, bob: User) -> None:
    browser = as_user(bob, enforce_csrf_checks=True)
    assert upload(browser, project, {"a.json": b"{}"}).status_code == 403
    token = browser.get(f"/p/{project.slug}/").context["page"]["csrf"]
    files = {"a.json": b"{}"}
    assert upload(browser, project, files, headers={"X-CSRFToken": token}).status_code == 201


def test_it_wants_at_least_one_file(project: Project, bob: User) -> None:
    answer = upload(as_user(bob), project, {})
    assert answer.status_code == 400
    assert answer.json()["fields"] == {"files": ["This field is required."]}


def test_it_refuses_a_viewer(project: Project, victor: User) -> None:
    assert upload(as_user(victor), project, {"a.json": b"{}"}).status_code == 403
    assert stored_files() == []


def test_it_refuses_a_file_over_the_limit(project: Project, bob: User, settings: Any) -> None:
    settings.UPLOAD_MAX_FILE_BYTES = 1000
    answer = upload(as_user(bob), project, {"fits.json": b"x" * 1000, "large.json": b"x" * 1001})
    assert answer.status_code == 413
    detail = "large.json is larger than 1000 bytes, the limit for one file."
    assert answer.json() == {"detail": detail, "code": "file_too_large"}
    assert stored_files() == []
    assert upload(as_user(bob), project, {"fits.json": b"x" * 1000}).status_code == 201


def test_it_refuses_at_the_limit_in_a_browser_too(project: Project, bob: User, settings: Any) -> None:
    """There the CSRF check is the first to read the body."""
    settings.UPLOAD_MAX_FILE_BYTES = 1000
    browser = as_user(bob, enforce_csrf_checks=True)
    headers = {"X-CSRFToken": browser.get(f"/p/{project.slug}/").context["page"]["csrf"]}
    answer = upload(browser, project, {"large.json": b"x" * 1001}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert stored_files() == []


def test_it_refuses_more_files_than_a_run_may_hold(project: Project, bob: User, settings: Any) -> None:
    settings.UPLOAD_MAX_FILES = 2
    answer = upload(as_user(bob), project, {"a.json": b"", "b.json": b"", "c.json": b""})
    assert answer.status_code == 422
    assert answer.json() == {"detail": "More than 2 files; a run may hold at most 2.", "code": "too_many_files"}
    assert stored_files() == []


def test_it_keeps_some_disk_free(project: Project, bob: User, settings: Any) -> None:
    settings.UPLOAD_MIN_FREE_BYTES = shutil.disk_usage(settings.HOME).free + (1 << 40)
    answer = upload(as_user(bob), project, {"a.json": b"x"})
    assert answer.status_code == 507
    assert answer.json()["code"] == "disk_full"
    assert "keeps" in answer.json()["detail"]
    assert stored_files() == []


def test_it_keeps_nothing_of_an_upload_with_a_bad_name(project: Project, bob: User) -> None:
    answer = upload(as_user(bob), project, {"a.json": b"x"}, name="x" * 4001)
    assert answer.status_code == 400
    assert stored_files() == []


def test_it_keeps_the_users_path_out_of_the_storage(project: Project, bob: User) -> None:
    head = 'Content-Disposition: form-data; name="files"; filename="../../../etc/crontab.json"'
    answer = as_user(bob).post(
        f"/api/v1/projects/{project.slug}/runs/",
        f"--x\r\n{head}\r\n\r\n{{}}\r\n--x--\r\n".encode(),
        content_type="multipart/form-data; boundary=x",
    )
    trace = Run.objects.get(pk=answer.json()["id"]).traces.get()
    assert trace.file_name == "crontab.json"
    assert stored_files() == [f"files/{trace.source}"]
    assert trace.file_name not in trace.source
