"""What tests of runs share: upload files, do the job, look at what is stored."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from traceviewer.accounts.models import Project
from traceviewer.jobs.worker import run_job
from traceviewer.runs.models import Run


def as_user(user: Any, **options: Any) -> Client:
    """A browser in which the user is logged in."""
    client = Client(**options)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def upload(client: Client, project: Project, files: dict[str, bytes], name: str = "", **extra: Any) -> Any:
    body = [SimpleUploadedFile(name, content) for name, content in files.items()]
    return client.post(f"/api/v1/projects/{project.slug}/runs/", {"files": body, "name": name}, **extra)


def contents(paths: Sequence[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths}


def read(project: Project, files: dict[str, bytes], user: Any) -> Run:
    """Upload as the user, then do the job in this process: the run as it ends."""
    answer = upload(as_user(user), project, files)
    assert answer.status_code == 201, answer.content
    return work_off(Run.objects.get(pk=answer.json()["id"]))


def work_off(run: Run) -> Run:
    """Do the run's job as a worker does, in this process."""
    run_job(str(run.job_id))
    run.refresh_from_db()
    return run


def stored_files() -> list[str]:
    """Every file in the storage, in workspaces or on its way in."""
    folders = [Path(settings.HOME) / name for name in ("files", "work", "incoming", "fetched")]
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return sorted(str(path.relative_to(settings.HOME)) for path in paths)
