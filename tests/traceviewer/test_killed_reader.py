"""A real worker, killed in the middle of reading: the run still becomes ready, once."""

import os
import shutil
import signal
from contextlib import AbstractContextManager
from subprocess import Popen

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from tests.traceviewer.processes import alive, child_environment, children_of, running, until
from tests.traceviewer.reading import as_user, stored_files, upload
from traceviewer.accounts.models import Project
from traceviewer.jobs.models import Job
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
EVENTS = 400_000
"""Reading them takes a second or more: long enough to be killed in."""


@pytest.fixture(autouse=True)
def empty_broker() -> None:
    for folder in ("messages", "taken"):
        shutil.rmtree(settings.HOME / "broker" / folder)
        (settings.HOME / "broker" / folder).mkdir()


def long_trace() -> bytes:
    event = (
        '{"ph": "X", "cat": "cpu_op", "name": "op%d", "pid": 1, "tid": 1, "ts": %d.5, "dur": 1.25, "args": {"n": %d}}'
    )
    events = ",\n".join(event % (number % 100, 2 * number, number) for number in range(EVENTS))
    return f'{{"schemaVersion": 1, "traceEvents": [\n{events}\n]}}'.encode()


def worker() -> AbstractContextManager[Popen[bytes]]:
    options = ("--concurrency", "1", "--loglevel", "WARNING", "--without-gossip", "--without-mingle")
    return running("-m", "celery", "-A", "traceviewer", "--quiet", "worker", *options, environment=child_environment())


def at_work(run: Run, attempt: int) -> bool:
    """Whether this attempt is in the middle of reading, by what it has told."""
    job = Job.objects.get(pk=run.job_id)
    waited = job.events.filter(state="queued").last()
    told = job.events.filter(number__gt=waited.number, state="running", stage="reading")
    return job.attempt == attempt and told.count() > 1  # the first tells that it was taken up, as it was left


def test_a_run_becomes_ready_once_however_often_its_worker_is_killed(project: Project, bob: User) -> None:
    answer = upload(as_user(bob), project, {"long.json": long_trace()})
    run = Run.objects.get(pk=answer.json()["id"])
    with worker() as process:
        until(lambda: at_work(run, attempt=1))
        kill(children_of(process.pid)[0])  # the process that reads; its parent starts another
        until(lambda: at_work(run, attempt=2))
        assert Run.objects.get(pk=run.pk).state == Run.State.READING
        family = children_of(process.pid)
        kill(process.pid)  # all of the worker
        until(lambda: not any(map(alive, family)))
    assert Run.objects.get(pk=run.pk).state == Run.State.READING
    with worker():
        until(lambda: Run.objects.get(pk=run.pk).state != Run.State.READING)
    run.refresh_from_db()
    assert (run.state, run.error, run.events) == (Run.State.READY, "", EVENTS)
    states = list(Job.objects.get(pk=run.job_id).events.values_list("state", flat=True))
    assert (states.count("succeeded"), states.count("failed"), states[-1]) == (1, 0, "succeeded")
    assert len(stored_files()) == len(run.files) + 1  # the uploaded file, and nothing of the dead attempts


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
