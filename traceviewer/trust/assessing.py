"""Assessing: the job that works out how far the replay of a measured run can be trusted.

A run has one assessment. Asking again gives the one there is, unless it failed, the run has been read again since,
or the engine is another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from simulation import ENGINE_VERSION
from simulation.errors import Cancelled
from traceviewer import jobs
from traceviewer.jobs.models import Job
from traceviewer.runs import store
from traceviewer.runs.models import Run
from traceviewer.trust.models import Assessment

if TYPE_CHECKING:
    from traceviewer.jobs.context import JobContext


def begin(run: Run, user: Any = None) -> Assessment:
    """The assessment of a ready, measured run: the one there is, or one at work."""
    with transaction.atomic():
        run = Run.objects.select_for_update().get(pk=run.pk)
        found, _ = Assessment.objects.get_or_create(run=run)
        is_busy = found.state == Assessment.State.WORKING and found.job is not None and not found.job.ended
        if not is_busy and not (found.state == Assessment.State.READY and found.is_of_now):
            found.state, found.error = Assessment.State.WORKING, ""
            found.job = jobs.start("assess", run.project, {"run": str(run.pk)}, created_by=user)
            found.save(update_fields=["state", "error", "job"])
    return found


def job_ended(job: Job) -> None:
    """The job failed or was cancelled: say so."""
    rows = Assessment.objects.filter(run=job.run, job=job)
    rows.update(state=Assessment.State.FAILED, error=job.error or "Cancelled.")


@jobs.register("assess", ended=job_ended)
def assess(context: JobContext) -> None:
    """Assess the run named in the payload as its files are now. Raises TraceError where they cannot be read."""
    from simulation.run import Run as EngineRun  # the engine takes a moment to load: only workers assess
    from simulation.trust import assess as assessed

    run = Run.objects.filter(pk=context.payload["run"]).first()
    if run is None:
        raise Cancelled("the run was deleted")
    figures = assessed(EngineRun.open(store.local(run.folder, run.files)), context.progress)
    values = {"figures": figures, "folder": run.folder, "engine_version": ENGINE_VERSION, "error": ""}
    with context.finishing():
        Assessment.objects.filter(run=run).update(state=Assessment.State.READY, **values)
