"""What a handler holds while it works on a job: progress, heartbeat, and the one moment in which it is done."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DatabaseError, connection, transaction
from django.db.models import Q
from django.utils import timezone

from simulation.errors import Cancelled
from traceviewer.jobs.models import Job, State

logger = logging.getLogger(__name__)
HEARTBEAT_S = 1.0
EVENT_INTERVAL_S = 0.1


class JobContext:
    """One attempt at one job. `progress` is a `simulation.progress.Progress`."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.attempt = job.attempt
        self.payload: dict[str, Any] = job.payload
        self._mine = Q(attempt=job.attempt, state=State.RUNNING)
        self._lost = threading.Event()
        self._finished = False
        self._stages: list[str] = []
        self._latest: tuple[str, int, int] = ("", 0, 0)
        self._written_s = float("-inf")

    def progress(self, stage: str, done: int, total: int) -> None:
        """Say how far the work is; at most ten events a second are written, the others are free.

        Raises Cancelled when the job was cancelled, or another worker has taken it over.
        """
        if self._lost.is_set():
            raise Cancelled(f"attempt {self.attempt} of job {self.job.pk} no longer counts")
        self._latest = (stage, done, total)
        if stage not in self._stages:
            self._stages.append(stage)
        now_s = time.monotonic()
        if now_s - self._written_s >= EVENT_INTERVAL_S:
            self._written_s = now_s
            self._write()

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """The job's success and what is written in the block, in one transaction: both happen, or neither.

        Raises Cancelled, and undoes the block, when this attempt no longer counts.
        """
        with transaction.atomic():
            yield
            if not self.job.end(State.SUCCEEDED, self._mine, **self._where()):
                raise Cancelled(f"attempt {self.attempt} of job {self.job.pk} no longer counts")
        self._finished = True

    def finish(self) -> None:
        """Success, if the handler has not said so itself."""
        if not self._finished:
            with self.finishing():
                pass

    def fail(self, error: str) -> None:
        self.job.end(State.FAILED, self._mine, error=error, **self._where())

    def give_back(self) -> None:
        """Into the queue again: the next sweep sends it to a worker."""
        self.job.change(self._mine, state=State.QUEUED, sent_at=None, sends=0)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """While open, a thread says every second that this attempt is alive."""
        over = threading.Event()
        thread = threading.Thread(target=self._beat, args=(over,), name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _beat(self, over: threading.Event) -> None:
        try:
            while not over.wait(HEARTBEAT_S):
                self._beat_once()
        finally:
            connection.close()

    def _beat_once(self) -> None:
        try:
            alive = Job.objects.filter(self._mine, pk=self.job.pk).update(heartbeat_at=timezone.now())
        except DatabaseError:
            logger.warning("Job %s: no heartbeat this time", self.job.pk, exc_info=True)
        else:
            if not alive:
                self._lost.set()

    def _where(self) -> dict[str, Any]:
        return dict(zip(("stage", "done", "total"), self._latest, strict=True))

    def _write(self) -> None:
        values = self._where()
        here = (len(self._stages), values["done"])
        if here > (self.job.furthest_stage, self.job.furthest_done):
            values |= {"furthest_stage": here[0], "furthest_done": here[1], "attempts_without_progress": 0}
        if not self.job.change(self._mine, **values):
            self._lost.set()
            raise Cancelled(f"attempt {self.attempt} of job {self.job.pk} no longer counts")
