"""A job over a limit ends with the figure; its worker, and the jobs of others, go on."""

import mmap
import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from simulation.errors import Cancelled
from tests.traceviewer import job_worker  # noqa: F401  (the kinds of jobs, known here as well)
from tests.traceviewer.processes import alive, child_environment, running, until
from tests.traceviewer.reading import as_user, stored_files, upload
from tests.traceviewer.tus import make_run, uploaded
from traceviewer import jobs
from traceviewer.accounts.models import Project
from traceviewer.jobs import holder, warden
from traceviewer.jobs.context import JobContext
from traceviewer.jobs.models import Job, State
from traceviewer.jobs.quota import TooManyJobs
from traceviewer.jobs.worker import take
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
MIB = 1 << 20


@pytest.fixture(autouse=True)
def empty_broker() -> None:
    for folder in ("messages", "taken"):
        shutil.rmtree(settings.HOME / "broker" / folder)
        (settings.HOME / "broker" / folder).mkdir()


def worker(**limits: str) -> AbstractContextManager[Popen[bytes]]:
    return running("tests/traceviewer/job_worker.py", environment=child_environment(**limits))


def begin(kind: str, project: Project, folder: Path, **payload: Any) -> Job:
    folder.mkdir(exist_ok=True)
    return jobs.start(f"test.{kind}", project, {"folder": str(folder), **payload})


def now(job: Job) -> Job:
    return Job.objects.get(pk=job.pk)


@pytest.mark.parametrize(
    ("kind", "limit", "said"),
    [
        ("greedy", {"TRACEVIEWER_JOB_MAX_BYTES": str(400 * MIB)}, "more than 400.0 MB of memory"),
        ("hang", {"TRACEVIEWER_JOB_MAX_S": "2"}, "longer than 2 s"),
    ],
)
def test_it_ends_with_the_figure_and_the_others_go_on(
    project: Project, tmp_path: Path, kind: str, limit: dict[str, str], said: str
) -> None:
    with worker(**limit) as process:
        bad = begin(kind, project, tmp_path / "bad", size_bytes=500 * MIB)
        until(lambda: (tmp_path / "bad" / "began").exists())
        bad_pid = int((tmp_path / "bad" / "began").read_text())
        if kind == "greedy":
            other = begin("gate", project, tmp_path / "other")  # at work beside it all the time
        until(lambda: now(bad).state == "failed")
        until(lambda: not alive(bad_pid))
        if kind == "hang":
            other = begin("gate", project, tmp_path / "other")  # by the process that takes its place
        (tmp_path / "other").mkdir(exist_ok=True)
        (tmp_path / "other" / "open").touch()
        until(lambda: now(other).state == "succeeded")
        assert now(other).attempt == 1
        assert alive(process.pid)
    assert said in now(bad).error
    assert now(bad).attempt == 1  # it is not tried again
    assert list(bad.events.values_list("state", flat=True)) == ["queued", "running", "failed"]


def test_a_run_that_takes_too_much_fails_and_can_be_tried_again(project: Project, bob: User) -> None:
    entry = b'{"ph": "X", "name": "op%d", "pid": 1, "tid": 1, "ts": %d, "dur": 1},'
    events = b"".join(entry % (number, 2 * number) for number in range(300_000))
    answer = upload(as_user(bob), project, {"long.json": b'{"traceEvents": [' + events[:-1] + b"]}"})
    run = Run.objects.get(pk=answer.json()["id"])
    options = ("-m", "celery", "-A", "traceviewer", "--quiet", "worker", "--loglevel", "WARNING")
    with running(*options, environment=child_environment(TRACEVIEWER_JOB_MAX_BYTES=str(120 * MIB))):
        until(lambda: Run.objects.get(pk=run.pk).state == "failed")
    run.refresh_from_db()
    assert "more than 120.0 MB of memory" in run.error
    assert stored_files() == [f"files/{run.traces.get().source}"]
    assert as_user(bob).post(f"/api/v1/runs/{run.pk}/reread/").status_code == 202


def test_it_measures_this_process() -> None:
    before = holder.memory_bytes(holder.me())
    held = mmap.mmap(-1, 64 * MIB)
    held.write(bytes(64 * MIB))
    assert holder.memory_bytes(holder.me()) - before > 60 * MIB
    assert holder.memory_bytes("elsewhere pid:[1] 1 1") == holder.memory_bytes("") == 0


def test_what_has_ended_or_is_elsewhere_is_left_alone(project: Project, tmp_path: Path, settings: Any) -> None:
    settings.JOB_MAX_S = 0.0
    job = begin("gate", project, tmp_path)
    assert take(str(job.pk)) is not None
    elsewhere = now(job)
    Job.objects.filter(pk=job.pk).update(holder="boot pid:[1] 1 1")
    warden.look()
    assert now(job).state == "running"
    elsewhere.end(State.CANCELLED)
    warden.stop(elsewhere, "too late")  # would kill this very process
    assert now(job).state == "cancelled"


def test_the_attempt_that_was_stopped_writes_nothing_more(project: Project, tmp_path: Path) -> None:
    taken = take(str(begin("gate", project, tmp_path).pk))
    assert taken is not None
    Job.objects.filter(pk=taken.pk).update(holder="boot pid:[1] 1 1")
    warden.stop(now(taken), "over a limit")
    with pytest.raises(Cancelled), JobContext(taken).finishing():
        pass
    assert now(taken).error == "over a limit"


# Waiting


def test_a_user_has_so_many_jobs_waiting(
    project: Project, alice: User, bob: User, settings: Any, demo_files: list[Path]
) -> None:
    settings.JOBS_MAX_QUEUED = 2
    first, _ = (upload(as_user(bob), project, {"a.json": b"{}"}).json() for _ in range(2))
    files = stored_files()
    refused = upload(as_user(bob), project, {"a.json": b"{}"})
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_jobs")
    assert "2 of your jobs are waiting" in refused.json()["detail"]
    assert stored_files() == files
    assert Run.objects.count() == 2
    assert upload(as_user(alice), project, {"a.json": b"{}"}).status_code == 201  # her own count
    as_user(bob).post(f"/api/v1/jobs/{first['job']['id']}/cancel/")
    assert upload(as_user(bob), project, {"a.json": b"{}"}).status_code == 201


def test_what_was_refused_is_asked_for_again(project: Project, bob: User, settings: Any) -> None:
    settings.JOBS_MAX_QUEUED = 0
    uploads = uploaded(bob, project, {"a.json": b"{}"})
    assert make_run(bob, project, uploads).status_code == 429
    settings.JOBS_MAX_QUEUED = 1
    assert make_run(bob, project, uploads).status_code == 201


def test_jobs_of_nobody_are_not_counted(project: Project, bob: User, tmp_path: Path, settings: Any) -> None:
    settings.JOBS_MAX_QUEUED = 0
    begin("gate", project, tmp_path)
    with pytest.raises(TooManyJobs):
        jobs.start("test.gate", project, {}, created_by=bob)
