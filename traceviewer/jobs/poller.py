"""Reads new job events for all sockets of this process at once, when the bell rings or a second has passed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from channels.db import DatabaseSyncToAsync

from traceviewer.jobs import doorbell
from traceviewer.jobs.models import Job, JobEvent

logger = logging.getLogger(__name__)
POLL_S = 1.0
MAX_EVENTS = 1000


@dataclass(eq=False)
class Watch:
    """One user's interest in one job. `take` gets the events after number `after`; None: no longer to be seen."""

    job: str
    user: Any
    after: int
    take: Callable[[Watch, JobEvent | None], None]
    over: bool = False


@dataclass
class News:
    """Of one job: who may see it, what is new, and whether anything can follow."""

    seen_by: set[Any] = field(default_factory=set)
    events: list[JobEvent] = field(default_factory=list)
    more: bool = False
    ended: bool = False


class Poller:
    """Lives while there is something to watch."""

    _of_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, Poller] = WeakKeyDictionary()

    @classmethod
    def here(cls) -> Poller:
        """The one of the running event loop."""
        return cls._of_loop.setdefault(asyncio.get_running_loop(), cls())

    def __init__(self) -> None:
        self.watches: dict[str, set[Watch]] = {}
        self.rung: set[str] = set()
        self.wake = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    def add(self, watch: Watch) -> None:
        self.watches.setdefault(watch.job, set()).add(watch)
        self.ring(watch.job)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self._run())

    async def remove(self, watch: Watch) -> None:
        self._forget(watch)
        if not self.watches and self.task is not None:
            task, self.task = self.task, None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def ring(self, job: str) -> None:
        if job in self.watches:
            self.rung.add(job)
            self.wake.set()

    async def _run(self) -> None:
        async with doorbell.listening(self.ring):
            while True:
                jobs = await self._next()
                try:
                    await self._look(jobs)
                except Exception:  # whatever it is, those who watch are not left without news
                    logger.exception("Job events could not be read; the next look is in a second")

    async def _next(self) -> set[str]:
        """The jobs for which the bell rang, or all of them after a second of silence."""
        try:
            await asyncio.wait_for(self.wake.wait(), POLL_S)
            jobs = set(self.rung)
        except TimeoutError:
            jobs = set(self.watches)
        self.wake.clear()
        self.rung.clear()
        return jobs

    async def _look(self, jobs: set[str]) -> None:
        watches = {job: set(self.watches[job]) for job in jobs if job in self.watches}
        if not watches:
            return
        found = await DatabaseSyncToAsync(read_news, thread_sensitive=False)(watches)
        for job, news in found.items():
            for watch in watches[job]:
                self._deliver(watch, news)
            if news.more:
                self.ring(job)

    def _deliver(self, watch: Watch, news: News) -> None:
        if watch.user.pk not in news.seen_by:
            self._forget(watch)
            return watch.take(watch, None)
        for event in news.events:
            if event.number > watch.after:
                watch.after = event.number
                watch.take(watch, event)
        if news.ended and not news.more:
            self._forget(watch)

    def _forget(self, watch: Watch) -> None:
        watch.over = True
        others = self.watches.get(watch.job, set())
        others.discard(watch)
        if not others:
            self.watches.pop(watch.job, None)


def read_news(watches: dict[str, set[Watch]]) -> dict[str, News]:
    """What is new of these jobs: one query, and three more for each job of which something is."""
    after = {job: min(watch.after for watch in of_job) for job, of_job in watches.items()}
    jobs = {str(job.pk): job for job in Job.objects.filter(pk__in=watches)}
    found = {}
    for key, of_job in watches.items():
        job = jobs.get(key)
        if job is None:
            found[key] = News()
        elif job.number > after[key] or job.ended:
            found[key] = news_of(job, after[key], {watch.user.pk: watch.user for watch in of_job})
    return found


def news_of(job: Job, after: int, users: dict[Any, Any]) -> News:
    seen_by = {pk for pk, user in users.items() if Job.objects.visible_to(user).filter(pk=job.pk).exists()}
    events = list(job.events.filter(number__gt=after)[:MAX_EVENTS])
    for event in events:
        event.job = job
    return News(seen_by, events, more=len(events) == MAX_EVENTS, ended=job.ended)
