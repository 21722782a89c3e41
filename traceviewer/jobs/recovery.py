"""Nothing is lost: jobs whose worker died go back into the queue, messages that were lost are sent again.

A thread of every worker looks every two seconds. Several workers may do so at once: each step is one conditional
UPDATE, and one message too many does no harm.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import ParamSpec

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Q
from django.utils import timezone

from traceviewer.jobs.chores import CHORES
from traceviewer.jobs.holder import is_gone
from traceviewer.jobs.models import MAX_ATTEMPTS, Job, JobEvent, State

logger = logging.getLogger(__name__)
P = ParamSpec("P")
SWEEP_S = 2.0
RESEND_S = 5.0
LONGEST_RESEND_S = 300.0
KEEP_PROGRESS = timedelta(hours=1)
KEEP_TAKEN_S = 600.0
GAVE_UP = "The worker died {} times at this point, for want of memory perhaps. The server's log says more (job {})."


class Sweeper:
    """The thread. Whatever one look stumbles over, the next one comes."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="sweeper", daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _run(self) -> None:
        resend_s = 0.0  # messages that the last worker held are lost: at the start, all are sent again
        while not self._over.is_set():
            sweep(settings.JOB_STALE_S, resend_s)
            resend_s = RESEND_S
            # Closed each time, lest a child that is forked meanwhile inherits an open connection.
            connection.close()
            self._over.wait(SWEEP_S)


def sweep(stale_s: float, resend_s: float) -> None:
    """One look at everything that may have been lost."""
    now = timezone.now()
    guarded(requeue_orphans, now - timedelta(seconds=stale_s))
    guarded(resend, now, resend_s)
    guarded(forget_progress, now - KEEP_PROGRESS)
    guarded(forget_messages)
    for chore in list(CHORES.values()):
        if chore.is_due():
            guarded(chore.step)


def guarded(step: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """One job that cannot be mended must not keep the others from it."""
    try:
        step(*args, **kwargs)
    except DatabaseError as error:
        logger.warning("The sweep could not %s (%s); it tries again", step.__name__, error)
    except Exception:  # the boundary of the thread
        logger.exception("The sweep could not %s; it tries again", step.__name__)


def requeue_orphans(stale_since: datetime) -> None:
    """Running jobs whose process is gone, or whose heart has long not beaten, go back into the queue."""
    for job in Job.objects.filter(state=State.RUNNING):
        if is_gone(job.holder) or (job.heartbeat_at and job.heartbeat_at < stale_since):
            guarded(requeue, job)


def requeue(job: Job) -> None:
    """Once more, or it fails if that has not helped before; unless its worker has come back to life meanwhile."""
    unchanged = Q(state=State.RUNNING, attempt=job.attempt, heartbeat_at=job.heartbeat_at)
    if job.attempts_without_progress >= MAX_ATTEMPTS:
        job.end(State.FAILED, unchanged, error=GAVE_UP.format(job.attempts_without_progress, job.pk))
    elif job.change(unchanged, state=State.QUEUED, sent_at=None, sends=0):
        logger.warning("Job %s lost its worker; attempt %s was its last", job.pk, job.attempt)


def resend(now: datetime, first_s: float) -> None:
    """Queued jobs of which the workers may not know. The wait doubles, so a long queue does not flood the broker."""
    for job in Job.objects.filter(state=State.QUEUED):
        wait_s = min(first_s * 2 ** min(max(job.sends - 1, 0), 20), LONGEST_RESEND_S)
        if job.sent_at is None or job.sent_at + timedelta(seconds=wait_s) <= now:
            job.send(now)


def forget_progress(ended_before: datetime) -> None:
    """Progress of jobs that ended long ago is of no use; their first and last events stay."""
    old = JobEvent.objects.filter(job__ended_at__lt=ended_before, state=State.RUNNING)
    ids = list(old.values_list("pk", flat=True)[:1000])
    if ids:
        JobEvent.objects.filter(pk__in=ids).delete()


def forget_messages() -> None:
    """The broker of files keeps every message that was taken."""
    folder = getattr(settings, "CELERY_BROKER_TRANSPORT_OPTIONS", {}).get("processed_folder")
    oldest_s = time.time() - KEEP_TAKEN_S
    for message in Path(folder).iterdir() if folder else ():
        with suppress(FileNotFoundError):  # another worker's sweep was faster
            if message.stat().st_mtime < oldest_s:
                message.unlink()
