"""A bell that says "look now" to the web processes. Rows are the truth: a lost ring costs one second, no more.

By default every web process binds a UNIX datagram socket of its own in HOME/bells, and a worker writes to all of
them. With REDIS_URL set, when workers may be on other machines, the bell is a group of the channel layer.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.conf import settings

logger = logging.getLogger(__name__)
GROUP = "jobs.bell"
ID_BYTES = 64
REJOIN_S = 3600.0

Rung = Callable[[str], None]


def ring(job_id: Any) -> None:
    """Never waits and never fails."""
    try:
        (_ring_layer if settings.REDIS_URL else _ring_sockets)(str(job_id))
    except Exception:  # the bell is a courtesy: no failure of it may touch the job
        logger.warning("The bell does not ring", exc_info=True)


@asynccontextmanager
async def listening(rung: Rung) -> AsyncIterator[None]:
    """While open, `rung(job id)` is called on this event loop for each ring; where there is no bell, never."""
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context((_listening_layer if settings.REDIS_URL else _listening_socket)(rung))
        except Exception:  # whoever listens looks every second anyway
            logger.warning("There is no bell", exc_info=True)
        yield


# UNIX datagrams


class _Folder:
    """HOME/bells by descriptor: a socket's path must be shorter than 108 bytes, and HOME can be longer."""

    def __enter__(self) -> _Folder:
        self.path = Path(settings.HOME) / "bells"
        self.descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self.descriptor)

    def address(self, name: str) -> str:
        return f"/proc/self/fd/{self.descriptor}/{name}"


def _ring_sockets(job_id: str) -> None:
    with _Folder() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.setblocking(False)
        for name in os.listdir(folder.descriptor):
            try:
                bell.sendto(job_id.encode(), folder.address(name))
            except OSError as error:
                if error.errno == errno.ECONNREFUSED:  # its process died without taking it along
                    (folder.path / name).unlink(missing_ok=True)


@asynccontextmanager
async def _listening_socket(rung: Rung) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    with _Folder() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as bell:
        bell.setblocking(False)
        bell.bind(folder.address(name))
        loop.add_reader(bell, lambda: _drain(bell, rung))
        try:
            yield
        finally:
            loop.remove_reader(bell)
            (folder.path / name).unlink(missing_ok=True)


def _drain(bell: socket.socket, rung: Rung) -> None:
    while True:
        try:
            rung(bell.recv(ID_BYTES).decode(errors="replace"))
        except BlockingIOError:
            return


# The channel layer


def _ring_layer(job_id: str) -> None:
    layer = get_channel_layer()
    group_send: Callable[..., Awaitable[None]] = layer.group_send
    async_to_sync(group_send)(GROUP, {"type": "bell", "job": job_id})


@asynccontextmanager
async def _listening_layer(rung: Rung) -> AsyncIterator[None]:
    layer = get_channel_layer()
    channel = await layer.new_channel()
    task = asyncio.create_task(_receive(layer, channel, rung))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _receive(layer: Any, channel: str, rung: Rung) -> None:
    while True:
        try:
            await layer.group_add(GROUP, channel)  # again and again: a membership lapses after a day
            async with asyncio.timeout(REJOIN_S):
                while True:
                    rung((await layer.receive(channel))["job"])
        except TimeoutError:
            continue
        except Exception:  # Redis is away: until it is back, the look of every second does
            logger.warning("The bell is out of reach", exc_info=True)
            await asyncio.sleep(1)
