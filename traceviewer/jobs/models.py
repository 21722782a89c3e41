"""Job and JobEvent. Every change of a job passes through `Job.change`, which writes the event that tells of it."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from traceviewer.accounts.models import ProjectScoped
from traceviewer.accounts.visibility import VisibleQuerySet
from traceviewer.jobs import doorbell
from traceviewer.jobs.kinds import KINDS

logger = logging.getLogger(__name__)
MAX_ATTEMPTS = 3
"""So often a job may be taken up without getting further than ever before."""


class State(models.TextChoices):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


OPEN = (State.QUEUED, State.RUNNING)
BEFORE: dict[str, tuple[State, ...]] = {
    State.QUEUED: (State.RUNNING,),
    State.RUNNING: (State.QUEUED,),
    State.SUCCEEDED: (State.RUNNING,),
    State.FAILED: OPEN,
    State.CANCELLED: OPEN,
}
"""The states from which a state can be reached."""


class Job(ProjectScoped):
    """One piece of work.

    `attempt` counts how often a worker took it up: a worker that was believed dead and is not holds an older number,
    and nothing it writes counts. `sent_at` and `sends` say when a message last told the workers of a queued job.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=40)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    error = models.TextField(blank=True, default="")

    stage = models.CharField(max_length=40, blank=True, default="")
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    number = models.PositiveIntegerField(default=0, help_text="of the newest event")

    attempt = models.PositiveIntegerField(default=0)
    attempts_without_progress = models.PositiveIntegerField(default=0)
    furthest_stage = models.PositiveIntegerField(default=0, help_text="how many stages the best attempt began")
    furthest_done = models.BigIntegerField(default=0, help_text="how far it came in the last of them")

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    sends = models.PositiveIntegerField(default=0)
    holder = models.CharField(max_length=200, blank=True, default="", help_text="the process at work, see holder.py")
    taken_at = models.DateTimeField(null=True, blank=True, help_text="when the attempt at hand began")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = VisibleQuerySet["Job"].as_manager()

    class Meta:
        ordering = ["created_at", "id"]
        indexes = [models.Index(fields=["state", "created_at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def run(self) -> str:
        """Id of the run that the job makes, "" if none."""
        return str(self.payload.get("run", ""))

    @property
    def ended(self) -> bool:
        return self.state not in OPEN

    def change(self, *conditions: Q, message: str = "", **values: Any) -> bool:
        """Change the row if it meets the conditions (and the new state may follow on its own), and write the event.

        False, and nothing written, if it does not. The count of events rises in the same conditional UPDATE, so
        whoever changes a job, its events are numbered without gap or double.
        """
        before = Q(state__in=BEFORE[values["state"]]) if "state" in values else Q()
        with transaction.atomic():
            rows = Job.objects.filter(before, *conditions, pk=self.pk)
            if rows.update(number=F("number") + 1, **values) != 1:
                return False
            self.refresh_from_db()
            JobEvent.objects.create(
                job=self,
                number=self.number,
                state=self.state,
                stage=self.stage,
                done=self.done,
                total=self.total,
                message=message or self.error,
            )
            transaction.on_commit(lambda: doorbell.ring(self.pk))
        return True

    def end(self, state: State, *conditions: Q, error: str = "", **values: Any) -> bool:
        """To a final state; the kind is told of failure and cancellation in the same transaction."""
        with transaction.atomic():
            changed = self.change(*conditions, state=state, error=error, ended_at=timezone.now(), **values)
            kind = KINDS.get(self.kind)
            if changed and state != State.SUCCEEDED and kind and kind.ended:
                kind.ended(self)
        return changed

    def cancel(self) -> bool:
        """Stop it, whether a worker has it or not; False if it had ended already."""
        return self.end(State.CANCELLED)

    def queued(self) -> Job:
        """Write the first event, and tell the workers once this is committed."""
        self.change()
        transaction.on_commit(self.send)
        return self

    def send(self, now: datetime | None = None) -> None:
        """Put a message into the workers' queue. Any number of messages do no harm: the first one is taken."""
        from traceviewer.jobs.worker import run_job

        Job.objects.filter(pk=self.pk, state=State.QUEUED).update(sent_at=now or timezone.now(), sends=F("sends") + 1)
        try:
            run_job.delay(str(self.pk))
        except (OSError, OperationalError):
            logger.warning("Job %s: the broker is out of reach; the message is sent again later", self.pk)


class JobEvent(models.Model):
    """What could be said of a job at one moment; numbered 1, 2, 3 ... within the job."""

    project_path = "job__project"

    job = models.ForeignKey(Job, models.CASCADE, related_name="events")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices)
    stage = models.CharField(max_length=40, blank=True, default="")
    done = models.BigIntegerField(default=0)
    total = models.BigIntegerField(default=0)
    message = models.TextField(blank=True, default="")
    at = models.DateTimeField(auto_now_add=True)

    objects = VisibleQuerySet["JobEvent"].as_manager()

    class Meta:
        ordering = ["job", "number"]
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="one_event_per_number")]

    def __str__(self) -> str:
        return f"{self.job_id} #{self.number}"
