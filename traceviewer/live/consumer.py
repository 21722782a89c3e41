"""One browser's socket: who it is, what it says, what it is told. What the messages mean is the apps' business."""

from __future__ import annotations

import logging
import time
from typing import Any, Protocol, TypeVar

from channels.generic.websocket import AsyncWebsocketConsumer
from django.http import Http404
from google.protobuf.message import DecodeError

from simulation.errors import TraceError
from traceviewer.live.handlers import HANDLERS
from traceviewer.protocol.messages_pb2 import ClientMessage, ServerMessage

logger = logging.getLogger(__name__)
VERSION = 1
MAX_MESSAGE_BYTES = 64 * 1024
MESSAGES_PER_S = 100.0
"""Panning sends a View and takes in a tile or two with every frame."""
BURST_MESSAGES = 300.0
BAD_MESSAGE, NOT_LOGGED_IN, TOO_MANY = 4400, 4401, 4429


class Part(Protocol):
    """What an app keeps per socket."""

    def __init__(self, socket: Socket) -> None: ...

    async def close(self) -> None: ...


SomePart = TypeVar("SomePart", bound=Part)


class Allowance:
    """A token bucket."""

    def __init__(self, per_s: float, burst: float) -> None:
        self.per_s, self.burst, self.left = per_s, burst, burst
        self.at_s = time.monotonic()

    def take(self) -> bool:
        now_s = time.monotonic()
        self.left = min(self.burst, self.left + (now_s - self.at_s) * self.per_s) - 1
        self.at_s = now_s
        return self.left >= 0


class Socket(AsyncWebsocketConsumer):
    # No group ever sends to a socket directly, so none needs a channel of its own in Redis.
    channel_layer_alias = ""

    async def connect(self) -> None:
        self.user = self.scope["user"]
        self.open = True
        self.allowance = Allowance(MESSAGES_PER_S, BURST_MESSAGES)
        self.parts: dict[type, Any] = {}
        await self.accept()  # a refused handshake would hide the close code from the browser
        if not self.user.is_authenticated:
            await self.hang_up(NOT_LOGGED_IN)

    async def disconnect(self, code: int) -> None:
        self.open = False
        for part in self.parts.values():
            await part.close()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if not self.open:
            return
        if not self.allowance.take():
            return await self.hang_up(TOO_MANY)
        message = parse(bytes_data)
        if message is None:
            return await self.hang_up(BAD_MESSAGE)
        await self.answer(message)

    async def answer(self, message: ClientMessage) -> None:
        """Hand the message to its app; whatever goes wrong there, the socket lives on."""
        kind = message.WhichOneof("kind")
        try:
            await HANDLERS[kind](self, getattr(message, kind), message.seq)
        except Exception as error:  # the boundary of the process
            await self.refuse_error(message.seq, error)

    def part(self, kind: type[SomePart]) -> SomePart:
        """The one object of this class that belongs to this socket."""
        if kind not in self.parts:
            self.parts[kind] = kind(self)
        return self.parts[kind]

    async def tell(self, message: ServerMessage) -> None:
        if self.open:
            message.v = VERSION
            await self.send(bytes_data=message.SerializeToString())

    async def refuse(self, seq: int, code: str, text: str) -> None:
        message = ServerMessage(seq=seq)
        message.error.code, message.error.message = code, text
        await self.tell(message)

    async def refuse_error(self, seq: int, error: Exception) -> None:
        """Say what went wrong; of what we did not expect, only that it did."""
        if isinstance(error, Http404):
            await self.refuse(seq, "not_found", "There is nothing here.")
        elif isinstance(error, TraceError):
            await self.refuse(seq, "failed", str(error))
        else:
            logger.error("A message could not be answered", exc_info=error)
            await self.refuse(seq, "failed", "Something went wrong on our side. The server's log says more.")

    async def hang_up(self, code: int) -> None:
        if self.open:
            self.open = False
            await self.close(code)


def parse(data: bytes | None) -> ClientMessage | None:
    """The message, None if it is not one of ours, of this version and of a size to be expected."""
    if data is None or len(data) > MAX_MESSAGE_BYTES:
        return None
    try:
        message = ClientMessage.FromString(data)
    except DecodeError:
        return None
    known = message.WhichOneof("kind") in HANDLERS
    return message if known and message.v == VERSION else None
