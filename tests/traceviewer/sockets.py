"""The browser's end of `/ws/` for tests, over the whole ASGI application."""

from __future__ import annotations

from types import TracebackType
from typing import Any

from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from traceviewer.asgi import application
from traceviewer.protocol.messages_pb2 import ClientMessage, JobCursor, JobEvent, ServerMessage, TileNeed, View, Watch

ORIGIN = b"http://testserver"
WAIT_S = 20.0


def cookie_of(user: User) -> bytes:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return f"sessionid={client.cookies['sessionid'].value}".encode()


class Page:
    """`async with Page(alice) as page:` is an open socket; `accepted` says whether the handshake was."""

    def __init__(self, user: User | None, origin: bytes = ORIGIN) -> None:
        self.user, self.origin, self.seq = user, origin, 0

    async def __aenter__(self) -> Page:
        headers = [(b"origin", self.origin), (b"host", b"testserver")]
        if self.user is not None:
            headers.append((b"cookie", await database_sync_to_async(cookie_of)(self.user)))
        scope = {"type": "websocket", "path": "/ws/", "query_string": b"", "headers": headers, "subprotocols": []}
        self.wire = ApplicationCommunicator(application, scope)
        await self.wire.send_input({"type": "websocket.connect"})
        self.accepted = (await self.wire.receive_output(WAIT_S))["type"] == "websocket.accept"
        return self

    async def __aexit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.wire.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wire.wait(WAIT_S)

    async def send(self, **frame: Any) -> None:
        await self.wire.send_input({"type": "websocket.receive", **frame})

    async def say(self, **kind: Any) -> int:
        self.seq += 1
        await self.send(bytes=ClientMessage(v=1, seq=self.seq, **kind).SerializeToString())
        return self.seq

    async def hear(self) -> ServerMessage:
        output = await self.wire.receive_output(WAIT_S)
        assert output["type"] == "websocket.send", output
        message = ServerMessage.FromString(output["bytes"])
        assert message.v == 1
        return message

    async def close_code(self) -> int:
        """Whatever else comes, the code that ends it."""
        while (output := await self.wire.receive_output(WAIT_S))["type"] != "websocket.close":
            pass
        return int(output["code"])

    async def silent(self) -> bool:
        return bool(await self.wire.receive_nothing(timeout=0.2, interval=0.02))

    async def watch(self, job: Any, after: int = 0) -> int:
        return await self.say(watch=Watch(jobs=[JobCursor(job=str(job), after=after)]))

    async def look(self, *tiles: tuple[int, int], run: str = "a-run", pane: int = 0) -> int:
        """A View that needs these (level, index) of track 0."""
        needs = [TileNeed(level=level, index=index, tracks=[0]) for level, index in tiles]
        return await self.say(view=View(pane=pane, run=run, needs=needs))

    async def handled(self) -> None:
        """Until all that was said has been heard: messages are answered in turn, so ask for what is not there."""
        seq = await self.watch("nothing")
        assert (await self.hear()).seq == seq

    async def events_until(self, state: str) -> list[JobEvent]:
        events = [(await self.hear()).job_event]
        while events[-1].state != state:
            events.append((await self.hear()).job_event)
        return events
