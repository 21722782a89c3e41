"""Replaying: the job that makes a predicted run of a measured one.

A measured run has one replay per engine version and conditions: asking again gives the same predicted run. The
critical paths, and what each kernel, operator and gap would gain, are worked out in the same job, over the graph of
that execution, and stored too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction

from simulation import ENGINE_VERSION
from traceviewer import jobs
from traceviewer.experiments import paths
from traceviewer.runs import store
from traceviewer.runs.models import Run
from traceviewer.runs.reading import job_ended, publishing, run_of, summary

if TYPE_CHECKING:
    from traceviewer.jobs.context import JobContext

SENSITIVITY = "sensitivity.json"


def begin(measured: Run, user: Any = None, conditions: Mapping[str, Any] | None = None) -> Run:
    """The replay of a measured run as it is now: the one there is under these conditions, or a new one with its job.

    `conditions`: a document as `Conditions.document` gives it.
    A failed one is tried again; a stale one, of an earlier version of the run, stays beside the new one.
    """
    with transaction.atomic():
        measured = Run.objects.select_for_update().get(pk=measured.pk)
        run, _ = Run.objects.get_or_create(
            measured_run=measured,
            engine_version=ENGINE_VERSION,
            kind=Run.Kind.PREDICTED,
            stale_reason="",
            conditions_key=key_of(conditions or {}),
            defaults={
                "project": measured.project,
                "name": f"{measured.name} ({', '.join(conditions)})" if conditions else measured.name,
                "conditions": conditions or {},
                "created_by": user,
            },
        )
        run = Run.objects.select_for_update().get(pk=run.pk)
        if run.job is None or run.state == Run.State.FAILED:
            run.state, run.error = Run.State.READING, ""
            run.base_folder, run.base_files = measured.folder, measured.files
            run.job = jobs.start("replay", run.project, {"run": str(run.pk)}, created_by=user)
            run.save(update_fields=["state", "error", "base_folder", "base_files", "job"])
    return run


def key_of(conditions: Mapping[str, Any]) -> str:
    """A hash of the document, "" of none."""
    text = json.dumps(conditions, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest() if conditions else ""


@jobs.register("replay", ended=job_ended)
def replay(context: JobContext) -> None:
    """Replay the measured run of the run named in the payload. Raises TraceError where it cannot be replayed."""
    from simulation.graph import build_graph  # the engine takes a moment to load: only workers replay
    from simulation.replay import Conditions, predict_under
    from simulation.replay.sensitivity import sensitivity
    from simulation.run import Run as EngineRun
    from traceviewer.runs.indexing import write_index

    run = run_of(context)
    with store.workspace(run.pk) as work:
        engine_run = EngineRun.open(store.local(run.base_folder, run.base_files))
        context.progress("replaying", 0, 0)
        graph = build_graph(engine_run)
        prediction = predict_under(engine_run, graph, Conditions.of(run.conditions))
        assert prediction.graph is not None and prediction.bare_graph is not None
        prediction.save(work)
        paths.save(engine_run, graph, prediction.bare_graph, work)
        found = sensitivity(engine_run, prediction.graph, progress=context.progress)
        (work / SENSITIVITY).write_text(json.dumps(found))
        write_index(prediction.predicted, work, context.progress)
        figures = {**summary(prediction.predicted), "replay": prediction.report}
        with publishing(context, run, work, **figures):
            pass
