"""Assessment: how far the replay of a measured run can be trusted."""

from __future__ import annotations

from django.db import models

from simulation import ENGINE_VERSION
from traceviewer.accounts.visibility import VisibleQuerySet
from traceviewer.jobs.models import Job
from traceviewer.runs.models import Run


class Assessment(models.Model):
    """One per run. `figures` stay until there are others, and say by `folder` and `engine_version` what they are of."""

    class State(models.TextChoices):
        WORKING = "working"
        READY = "ready"
        FAILED = "failed"

    project_path = "run__project"

    run = models.OneToOneField(Run, models.CASCADE, related_name="assessment")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WORKING)
    error = models.TextField(blank=True, default="")
    figures = models.JSONField(null=True, blank=True, help_text="as `traceviewer validate --json`")
    folder = models.CharField(max_length=200, blank=True, default="", help_text="the version of the run's files")
    engine_version = models.CharField(max_length=40, blank=True, default="")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = VisibleQuerySet["Assessment"].as_manager()

    def __str__(self) -> str:
        return f"assessment of {self.run_id}"

    @property
    def is_of_now(self) -> bool:
        """Whether the figures are of the run as it is, by this engine."""
        return (self.folder, self.engine_version) == (self.run.folder, ENGINE_VERSION)
