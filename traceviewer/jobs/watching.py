"""The websocket's Watch: a job's events after the number the client saw last, and then live."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import Http404

from traceviewer.accounts.visibility import get_visible
from traceviewer.jobs.models import Job, JobEvent
from traceviewer.jobs.poller import Poller, Watch
from traceviewer.live.handlers import register
from traceviewer.protocol import messages_pb2
from traceviewer.protocol.messages_pb2 import ServerMessage

if TYPE_CHECKING:
    from traceviewer.live.consumer import Socket

MAX_WATCHES = 200
MAX_WAITING = 2000
TOO_MANY = 4429


class Watching:
    """What one socket watches. The poller never waits for a socket: what is to be told goes through a queue."""

    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.watches: dict[str, Watch] = {}
        self.waiting: asyncio.Queue[ServerMessage] = asyncio.Queue(MAX_WAITING)
        self.telling = asyncio.create_task(self.tell())

    async def close(self) -> None:
        for watch in self.watches.values():
            await Poller.here().remove(watch)
        self.telling.cancel()
        await asyncio.gather(self.telling, return_exceptions=True)

    def count(self) -> int:
        """How many go on; those of jobs that have ended are let go."""
        self.watches = {job: watch for job, watch in self.watches.items() if not watch.over}
        return len(self.watches)

    async def watch(self, job: str, after: int) -> None:
        if job in self.watches:
            await Poller.here().remove(self.watches[job])
        self.watches[job] = Watch(job, self.socket.user, after, self.take)
        Poller.here().add(self.watches[job])

    def take(self, watch: Watch, event: JobEvent | None) -> None:
        message = ServerMessage()
        if event is None:
            message.error.code, message.error.message = "not_found", "There is nothing here."
        else:
            message.job_event.CopyFrom(as_message(event))
        try:
            self.waiting.put_nowait(message)
        except asyncio.QueueFull:  # a client that takes nothing in: it comes back and says where it was
            asyncio.create_task(self.socket.hang_up(TOO_MANY))

    async def tell(self) -> None:
        while True:
            await self.socket.tell(await self.waiting.get())


def as_message(event: JobEvent) -> messages_pb2.JobEvent:
    return messages_pb2.JobEvent(
        job=str(event.job_id),
        number=event.number,
        state=event.state,
        stage=event.stage,
        done=max(0, event.done),
        total=max(0, event.total),
        message=event.message,
        run=event.job.run,
    )


@register("watch")
async def on_watch(socket: Socket, watch: messages_pb2.Watch, seq: int) -> None:
    watching = socket.part(Watching)
    if watching.count() + len(watch.jobs) > MAX_WATCHES:
        return await socket.refuse(seq, "too_many", f"At most {MAX_WATCHES} jobs on one socket.")
    for cursor in watch.jobs:
        try:
            job = await database_sync_to_async(visible_job)(socket.user, cursor.job)
        except Http404 as error:
            await socket.refuse_error(seq, error)
        else:
            await watching.watch(job, cursor.after)


def visible_job(user: object, job: str) -> str:
    """The job's id as we write it; Http404 if the user may see no such job."""
    try:
        return str(get_visible(Job.objects, user, pk=UUID(job)).pk)
    except ValueError:
        raise Http404 from None
