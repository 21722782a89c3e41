"""What kinds of jobs there are, and how one is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

if TYPE_CHECKING:
    from traceviewer.accounts.models import Project
    from traceviewer.jobs.context import JobContext
    from traceviewer.jobs.models import Job

Handler = Callable[["JobContext"], None]
Ended = Callable[["Job"], None]


@dataclass(frozen=True)
class Kind:
    """`handler` does the work; `ended` is told, within the same transaction, that a job failed or was cancelled."""

    name: str
    handler: Handler
    ended: Ended | None = None


KINDS: dict[str, Kind] = {}


def register(name: str, *, ended: Ended | None = None) -> Callable[[Handler], Handler]:
    """Decorate a job's handler. It may run more than once (a worker can die) and must not mind:
    what it leaves behind goes into `with context.finishing():`, which happens once or not at all.
    """

    def decorate(handler: Handler) -> Handler:
        assert name not in KINDS or KINDS[name].handler is handler, f"two handlers for jobs of kind {name!r}"
        KINDS[name] = Kind(name, handler, ended)
        return handler

    return decorate


def start(kind: str, project: Project, payload: dict[str, Any] | None = None, created_by: Any = None) -> Job:
    """A new queued job; a worker hears of it when the transaction at hand is committed.

    `payload` is JSON for the handler; its key "run" names the run that the job makes, if any. Raises TooManyJobs
    where too many of the user's are waiting.
    """
    from traceviewer.jobs.models import Job  # models are there only once Django is set up
    from traceviewer.jobs.quota import check_user

    assert kind in KINDS, f"no handler for jobs of kind {kind!r}"
    if created_by is not None:
        check_user(created_by)
    with transaction.atomic():
        job = Job.objects.create(kind=kind, project=project, payload=payload or {}, created_by=created_by)
        return job.queued()
