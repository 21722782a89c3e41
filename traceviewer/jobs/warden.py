"""What one job may use: a thread of every worker looks how long jobs take and how much memory their processes hold.

A job over a limit is failed with the figure, and its process killed: the worker starts another, and whatever else is
at work goes on. It is looked at from outside, because a kernel that fills the memory lets no thread of its own look.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from traceviewer.jobs import holder
from traceviewer.jobs.models import Job, State
from traceviewer.jobs.recovery import guarded

LOOK_S = 0.5
GONE_WITHIN_S = 5.0
TOO_LONG = "It took longer than {:,.0f} s, the most that one job may take on this server."
TOO_LARGE = "It needed more than {} of memory, the most that one job may have on this server."


class Warden:
    """The thread."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._run, name="warden", daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(LOOK_S):
            guarded(look)
            connection.close()  # as the sweeper does: no child that is forked meanwhile inherits it


def look() -> None:
    """Stop the jobs of this machine that are over a limit."""
    for job in Job.objects.filter(state=State.RUNNING):
        error = excess(job)
        if error:
            guarded(stop, job, error)


def excess(job: Job) -> str:
    """Which limit a running job is over, in words; "" if none, or if it is up to the worker of another machine."""
    if not holder.is_here(job.holder):
        return ""
    if job.taken_at and timezone.now() - job.taken_at > timedelta(seconds=settings.JOB_MAX_S):
        return TOO_LONG.format(settings.JOB_MAX_S)
    if holder.memory_bytes(job.holder) > settings.JOB_MAX_BYTES:
        return TOO_LARGE.format(filesizeformat(settings.JOB_MAX_BYTES).replace("\xa0", " "))
    return ""


def stop(job: Job, error: str) -> None:
    """Fail this attempt and kill its process; nothing if it has ended meanwhile.

    It is killed before the failure is committed: until then the process has this job and no other.
    """
    with transaction.atomic():
        if job.end(State.FAILED, Q(attempt=job.attempt, holder=job.holder), error=error):
            holder.kill(job.holder)
            deadline_s = time.monotonic() + GONE_WITHIN_S
            while not holder.is_gone(job.holder) and time.monotonic() < deadline_s:
                time.sleep(0.01)
