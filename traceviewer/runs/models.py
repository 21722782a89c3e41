"""Run, Trace and Tag: what the database knows of them. Never events: those lie in stored files."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any

from django.conf import settings
from django.db import models, transaction

from simulation import ENGINE_VERSION
from traceviewer.accounts.models import Project, ProjectScoped
from traceviewer.accounts.visibility import VisibleQuerySet
from traceviewer.jobs.models import Job
from traceviewer.runs import store
from traceviewer.uploads import staging


class Run(ProjectScoped):
    """One execution of a workload, measured or predicted.

    `folder` is the storage key of its files; while it is "" there are none. Reading and replaying write all
    files under a new key and then flip this one row to it (`becomes_ready`), so a run is whole or not there.

    A predicted run is columns over the tables of one version of its measured run: `base_folder`. When the measured
    run gets another version, that one is kept for it, and `stale_reason` says why the two differ. A prediction of
    another engine version is as stale: `why_stale` tells both.
    """

    class Kind(models.TextChoices):
        MEASURED = "measured"
        PREDICTED = "predicted"

    class State(models.TextChoices):
        READING = "reading"
        READY = "ready"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=4000)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.MEASURED)
    state = models.CharField(max_length=12, choices=State.choices, default=State.READING)
    error = models.TextField(blank=True, default="")
    measured_run = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="predictions")
    base_folder = models.CharField(max_length=200, blank=True, default="")
    base_files = models.JSONField(default=dict)
    stale_reason = models.CharField(max_length=200, blank=True, default="")
    engine_version = models.CharField(max_length=40, blank=True, default="")
    conditions = models.JSONField(default=dict, help_text="under which it was replayed, docs/replay.md; {}: none")
    conditions_key = models.CharField(max_length=64, blank=True, default="", help_text="their hash; none: empty")

    ranks = models.PositiveIntegerField(default=0)
    steps = models.PositiveIntegerField(default=0)
    median_step_ns = models.BigIntegerField(null=True, blank=True)
    span_ns = models.BigIntegerField(default=0)
    events = models.BigIntegerField(default=0)
    gpu_events = models.BigIntegerField(default=0)
    quality = models.JSONField(default=list)
    replay = models.JSONField(null=True, blank=True)

    folder = models.CharField(max_length=200, blank=True, default="")
    files = models.JSONField(default=dict, help_text="path within the folder -> bytes")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, blank=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = VisibleQuerySet["Run"].as_manager()

    class Meta:
        ordering = ["-created_at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["measured_run", "engine_version", "conditions_key"],
                condition=models.Q(kind="predicted", stale_reason=""),
                name="one_fresh_replay_per_conditions",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def becomes_ready(self, folder: str, files: dict[str, int], why: str = "", **figures: Any) -> None:
        """Flip to the files under the new key; call it where the job succeeds, in one transaction.

        What was computed from the files before stays as it is, and is stale: `why` tells the reason.
        """
        values = {"state": Run.State.READY, "error": "", "folder": folder, "files": files, **figures}
        Run.objects.filter(pk=self.pk).update(**values)
        fresh = self.predictions.filter(stale_reason="").exclude(base_folder=folder)
        fresh.update(stale_reason=why or "The run was read again.")
        transaction.on_commit(self.clear_versions, robust=True)

    def stays_as_it_was(self, error: str) -> None:
        """Reading it again failed: it keeps the files it has, and says why it has no others."""
        Run.objects.filter(pk=self.pk).update(error=error)
        self.traces.filter(pending=True).discard()
        transaction.on_commit(self.clear_versions)

    def becomes_failed(self, error: str) -> None:
        """Keep the row and say why. The files as uploaded stay for another try, if the project keeps such files."""
        Run.objects.filter(pk=self.pk).update(state=Run.State.FAILED, error=error, base_folder="", base_files={})
        if not self.project.keep_originals:
            self.traces.release()
        self.discard_made()

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Stop its job, delete it with its predictions, and all their files once this is committed."""
        for run in (*self.predictions.all(), self):
            if run.job:
                run.job.cancel()
            run.discard_files()
        return super().delete(*args, **kwargs)

    def discard_files(self) -> None:
        """Delete all stored files, sources included, once the transaction is committed."""
        self.traces.release()
        self.discard_made()

    def discard_made(self) -> None:
        """Delete what was made of the sources, once the transaction is committed."""
        transaction.on_commit(partial(store.clear, self.pk))
        if self.base_folder:
            transaction.on_commit(partial(clear_version, self.measured_run_id, self.base_folder))

    def clear_versions(self) -> None:
        """Delete the versions that nothing rests on. Only for the job that makes the run: one may be half written."""
        store.clear(self.pk, keep=needed_folders(self.pk))

    def move_to(self, project: Project) -> None:
        """To another project, with its predictions and jobs; the same bytes are stored once there, too."""
        ids = [self.pk, *self.predictions.values_list("pk", flat=True)]
        Run.objects.filter(pk__in=ids).update(project=project)
        Project.objects.select_for_update().get(pk=project.pk)
        Job.objects.filter(payload__run__in=[str(pk) for pk in ids]).update(project=project)
        self.project = project
        for trace in self.traces.exclude(source=""):
            trace.share()

    @property
    def why_stale(self) -> str:
        """Why a prediction is not what a replay would give now; "" where it is, or the run is measured."""
        if self.stale_reason or self.kind != Run.Kind.PREDICTED or self.engine_version == ENGINE_VERSION:
            return self.stale_reason
        return f"It was made by engine {self.engine_version or '?'}, the engine is {ENGINE_VERSION} now."

    @property
    def version(self) -> str:
        """Part of every tile's address: changes with the files it is cut from."""
        return self.folder.rpartition("/")[2]

    def get_absolute_url(self) -> str:
        return f"/p/{self.project.slug}/runs/{self.pk}/"


def needed_folders(run_id: uuid.UUID) -> set[str]:
    """The versions of its files that the run as it is now, or something computed from it, rests on."""
    now = Run.objects.filter(pk=run_id).values_list("folder", flat=True)
    before = Run.objects.filter(measured_run=run_id).values_list("base_folder", flat=True)
    return {*now, *before} - {""}


def clear_version(run_id: uuid.UUID, folder: str) -> None:
    """Delete one version of a run's files, if nothing rests on it any more."""
    if folder not in needed_folders(run_id):
        store.forget(folder)


class Tag(models.Model):
    """A word that people put on a run."""

    project_path = "run__project"

    run = models.ForeignKey(Run, models.CASCADE, related_name="tags")
    name = models.CharField(max_length=60)

    objects = VisibleQuerySet["Tag"].as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["run", "name"], name="a_tag_once_per_run")]

    def __str__(self) -> str:
        return self.name


class TraceQuerySet(VisibleQuerySet["Trace"]):
    def release(self) -> None:
        """Give up the uploaded files of these rows; those that no other row names go once this is committed."""
        with transaction.atomic():
            keys = set(self.exclude(source="").values_list("source", flat=True))
            # Whoever shares one of them at this moment is waited for, and sees that it is gone or makes us see the row.
            list(Trace.objects.select_for_update().filter(source__in=keys).order_by("pk"))
            self.update(source="")
            keys -= set(Trace.objects.filter(source__in=keys).values_list("source", flat=True))
            transaction.on_commit(partial(staging.discard, sorted(keys)))

    def discard(self) -> None:
        """Delete the rows, and the files that then no row names."""
        with transaction.atomic():
            self.release()
            self.delete()


class Trace(models.Model):
    """One file of a run as it was uploaded, and, once read, the rank it holds.

    `source` is the storage key of the file. The same bytes are stored once in a project: several rows may name one
    key, and the file goes with the last of them. The row stays through re-reads: (trace, source_index) is an anchor.
    """

    project_path = "run__project"

    run = models.ForeignKey(Run, models.CASCADE, related_name="traces")
    index = models.PositiveIntegerField(help_text="order of upload; once read, the order of display")
    rank = models.PositiveIntegerField(null=True, blank=True)
    file_name = models.CharField(max_length=255)
    source = models.CharField(max_length=200, blank=True, db_index=True, help_text="storage key of the file")
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    members = models.JSONField(default=list, help_text="of an archive, once read: [rank, name] of each trace in it")
    left_out = models.JSONField(default=list, help_text="names in an archive that other files of the run replace")
    pending = models.BooleanField(default=False, help_text="not part of the run until it has been read again")

    objects = TraceQuerySet.as_manager()

    class Meta:
        ordering = ["run", "index"]

    def __str__(self) -> str:
        return self.file_name

    def share(self) -> None:
        """Name the key under which the project has these bytes already; the own copy goes once this is committed.

        Call it with the project's row locked, lest two that arrive at the same time miss each other.
        """
        same = Trace.objects.select_for_update(of=("self",)).filter(run__project=self.run.project, sha256=self.sha256)
        other = same.exclude(source__in=["", self.source]).exclude(pk=self.pk).order_by("pk").first()
        if other is not None:
            Trace.objects.filter(pk=self.pk).release()
            self.source = other.source
            self.save(update_fields=["source"])
