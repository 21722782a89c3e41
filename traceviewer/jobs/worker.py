"""The worker's side of a job: take it, do it, say how it ended."""

from __future__ import annotations

import ctypes
import logging
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery.signals import worker_process_init, worker_ready, worker_shutting_down
from django.db.models import F, Q
from django.utils import timezone

from simulation.errors import Cancelled, TraceError
from traceviewer.celery import app
from traceviewer.jobs import holder
from traceviewer.jobs.context import JobContext
from traceviewer.jobs.kinds import KINDS
from traceviewer.jobs.models import MAX_ATTEMPTS, Job, State
from traceviewer.jobs.recovery import Sweeper
from traceviewer.jobs.warden import Warden

logger = logging.getLogger(__name__)
UNEXPECTED = "Something went wrong on our side, and trying again did not help. The server's log says more (job {})."
PR_SET_PDEATHSIG = 1

KILL_FIRST = "500"
"""Of 1000: where the machine runs out of memory, a job goes before its worker and the web server."""

sweeper, warden = Sweeper(), Warden()


@app.task(name="traceviewer.run_job")
def run_job(job_id: str) -> None:
    """Do the job, unless another worker has it, or it has ended: messages may come twice."""
    job = take(job_id)
    if job is not None:
        work(job)


def take(job_id: str) -> Job | None:
    """The job, now ours; None if it is not to be had."""
    job = Job.objects.filter(pk=job_id, state=State.QUEUED).first()
    if job is None:
        return None
    taken = job.change(
        Q(state=State.QUEUED, attempt=job.attempt),
        state=State.RUNNING,
        attempt=F("attempt") + 1,
        attempts_without_progress=F("attempts_without_progress") + 1,
        holder=holder.me(),
        taken_at=timezone.now(),
        heartbeat_at=timezone.now(),
    )
    return job if taken else None


def work(job: Job) -> None:
    """Run the handler. Bad input fails the job at once; what we did not expect is tried again."""
    context = JobContext(job)
    with context.beating():
        try:
            KINDS[job.kind].handler(context)
            context.finish()
        except Cancelled:
            logger.info("Job %s: attempt %s stopped", job.pk, context.attempt)
        except TraceError as error:
            context.fail(str(error))
        except Exception:  # the boundary of the process: whatever a handler raises ends here
            logger.exception("Job %s (%s): attempt %s broke", job.pk, job.kind, context.attempt)
            if job.attempts_without_progress >= MAX_ATTEMPTS:
                context.fail(UNEXPECTED.format(job.pk))
            else:
                context.give_back()


@worker_process_init.connect
def die_with_the_parent(**_: Any) -> None:
    """A child whose parent is gone would work on without anyone to give it more, or to stop it."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@worker_process_init.connect
def go_before_others(**_: Any) -> None:
    with suppress(OSError):  # not Linux, or not allowed
        Path("/proc/self/oom_score_adj").write_text(KILL_FIRST)


@worker_ready.connect
def start_looking(**_: Any) -> None:
    sweeper.start()
    warden.start()


@worker_shutting_down.connect
def stop_looking(**_: Any) -> None:
    sweeper.stop()
    warden.stop()
