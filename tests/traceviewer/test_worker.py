"""A real Celery worker on the broker of files: whatever is killed, a job is done once."""

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from django.conf import settings

from tests.traceviewer import job_worker  # noqa: F401  (the kinds of jobs, known here as well)
from tests.traceviewer.processes import alive, child_environment, children_of, running, until
from traceviewer import jobs
from traceviewer.accounts.models import Project
from traceviewer.jobs.models import Job

Worker = Callable[[], AbstractContextManager[Popen[bytes]]]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def worker() -> Iterator[Worker]:
    """`with worker() as process` runs one; no message of another test is left for it."""
    for folder in ("messages", "taken"):
        shutil.rmtree(settings.HOME / "broker" / folder)
        (settings.HOME / "broker" / folder).mkdir()
    yield lambda: running("tests/traceviewer/job_worker.py", environment=child_environment())


def begin(kind: str, project: Project, folder: Path) -> Job:
    return jobs.start(f"test.{kind}", project, {"folder": str(folder)})


def state(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def lines(path: Path) -> list[int]:
    """Process ids that a job has noted."""
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def states(job: Job) -> list[Any]:
    return list(job.events.exclude(stage="waiting", state="running").values_list("state", flat=True))


def test_it_does_a_job(worker: Worker, project: Project, tmp_path: Path) -> None:
    (tmp_path / "open").touch()
    with worker():
        job = begin("gate", project, tmp_path)
        until(lambda: state(job) == "succeeded")
    assert len(lines(tmp_path / "began")) == len(lines(tmp_path / "finished")) == 1
    assert list(job.events.values_list("number", flat=True)) == list(range(1, job.events.count() + 1))


def test_a_killed_child_loses_no_job(worker: Worker, project: Project, tmp_path: Path) -> None:
    with worker():
        job = begin("gate", project, tmp_path)
        until(lambda: lines(tmp_path / "began"))
        os.kill(lines(tmp_path / "began")[0], signal.SIGKILL)
        until(lambda: len(lines(tmp_path / "began")) == 2)
        (tmp_path / "open").touch()
        until(lambda: state(job) == "succeeded")
    assert len(lines(tmp_path / "finished")) == 1
    assert states(job).count("queued") == 2


def test_a_killed_parent_loses_no_job(worker: Worker, project: Project, tmp_path: Path) -> None:
    second = tmp_path / "second"
    second.mkdir()
    with worker() as process:
        job = begin("gate", project, tmp_path)
        until(lambda: lines(tmp_path / "began"))
        family = children_of(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        waiting = begin("gate", project, second)  # a message that nobody hears
        until(lambda: not any(map(alive, family)))
    with worker():
        for folder in (tmp_path, second):
            (folder / "open").touch()
        until(lambda: state(job) == state(waiting) == "succeeded")
    assert len(lines(tmp_path / "finished")) == len(lines(second / "finished")) == 1


def test_lost_messages_are_sent_again(worker: Worker, project: Project, tmp_path: Path) -> None:
    (tmp_path / "open").touch()
    job = begin("gate", project, tmp_path)
    for message in (settings.HOME / "broker" / "messages").iterdir():
        message.unlink()
    with worker():
        until(lambda: state(job) == "succeeded")


def test_it_gives_up_a_job_that_kills_its_worker(worker: Worker, project: Project, tmp_path: Path) -> None:
    with worker():
        job = begin("suicide", project, tmp_path)
        until(lambda: state(job) == "failed")
    assert len(lines(tmp_path / "began")) == 3
    assert "worker died 3 times" in Job.objects.get(pk=job.pk).error


def test_it_tries_a_fault_of_ours_three_times(worker: Worker, project: Project, tmp_path: Path) -> None:
    with worker():
        job = begin("break", project, tmp_path)
        until(lambda: state(job) == "failed")
    assert len(lines(tmp_path / "began")) == 3


def test_it_fails_bad_input_at_once(worker: Worker, project: Project, tmp_path: Path) -> None:
    with worker():
        job = begin("bad_input", project, tmp_path)
        until(lambda: state(job) == "failed")
    assert len(lines(tmp_path / "began")) == 1
    assert Job.objects.get(pk=job.pk).error == "rank0.json, byte 12: the file ends in the middle"


def test_cancelling_stops_the_work(worker: Worker, project: Project, tmp_path: Path) -> None:
    with worker():
        job = begin("gate", project, tmp_path)
        until(lambda: lines(tmp_path / "began"))
        assert job.cancel()
        after = begin("gate", project, tmp_path)  # with the gate shut, done only by a child that is free again
        others = [begin("bad_input", project, tmp_path) for _ in range(3)]
        until(lambda: all(state(other) == "failed" for other in others))
        (tmp_path / "open").touch()
        until(lambda: state(after) == "succeeded")
    assert state(job) == "cancelled"
    assert len(lines(tmp_path / "finished")) == 1
