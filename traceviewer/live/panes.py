"""View and TilesSeen: what each pane of a socket still waits for, and how much may be on the way.

The newest View of a pane wins. At most two Tiles are on the way until the client says that it has taken one in,
so a slow line holds what is asked for now, never a queue of what was asked for before. The tiles themselves come
from the app that called `serve_tiles`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from traceviewer.live.handlers import register
from traceviewer.protocol.messages_pb2 import ServerMessage, TilesSeen, View

if TYPE_CHECKING:
    from traceviewer.live.consumer import Socket

MAX_ON_THE_WAY = 2
MAX_PANES = 8
MAX_NEEDS = 1024

Need = tuple[int, int, tuple[int, ...], bool]
"""level, index, tracks, on aligned clocks"""
TileSource = Callable[[Any, str, int, int, tuple[int, ...], bool], Awaitable[bytes]]
"""(user, run id, level, index, tracks, aligned) -> a serialised `Tiles`.

Raises Http404 where the user may see no such run or track.
"""

_source: list[TileSource] = []


def serve_tiles(source: TileSource) -> TileSource:
    """Decorate the function that cuts tiles."""
    _source[:] = [source]
    return source


@dataclass
class Wanted:
    """A pane's newest View: what of it is not sent yet, in the order asked."""

    seq: int
    run: str
    needs: dict[Need, None]


class Panes:
    def __init__(self, socket: Socket) -> None:
        self.socket = socket
        self.wanted: dict[int, Wanted] = {}
        self.on_the_way = 0
        self.sending: asyncio.Task[None] | None = None

    async def close(self) -> None:
        if self.sending is not None:
            self.sending.cancel()
            await asyncio.gather(self.sending, return_exceptions=True)

    def look(self, view: View, seq: int) -> None:
        needs = {(need.level, need.index, tuple(need.tracks), view.aligned): None for need in view.needs}
        self.wanted.pop(view.pane, None)
        if needs:
            self.wanted[view.pane] = Wanted(seq, view.run, needs)
        self.send_more()

    def seen(self, count: int) -> None:
        self.on_the_way = max(0, self.on_the_way - count)
        self.send_more()

    def send_more(self) -> None:
        if self.wanted and self.on_the_way < MAX_ON_THE_WAY and (self.sending is None or self.sending.done()):
            self.sending = asyncio.create_task(self.send())

    async def send(self) -> None:
        """Serve the panes in turn, until nothing is wanted or enough is on the way."""
        while self.wanted and self.on_the_way < MAX_ON_THE_WAY:
            pane = next(iter(self.wanted))
            wanted = self.wanted[pane]
            try:
                await self.send_first(pane, wanted)
            except Exception as error:  # told to the client; the other panes go on
                self.drop(pane, wanted)
                await self.socket.refuse_error(wanted.seq, error)

    async def send_first(self, pane: int, wanted: Wanted) -> None:
        need = next(iter(wanted.needs))
        body = await _source[0](self.socket.user, wanted.run, *need)
        now = self.wanted.get(pane)
        # While it was cut the pane may have moved on; it is sent if the pane still wants it, else panning
        # faster than tiles are cut would show nothing at all.
        if now is None or now.run != wanted.run or need not in now.needs:
            return
        message = ServerMessage(seq=now.seq)
        message.tiles.ParseFromString(body)
        message.tiles.pane = pane
        self.on_the_way += 1
        del now.needs[need], self.wanted[pane]
        if now.needs:
            self.wanted[pane] = now  # behind the others: they take turns
        await self.socket.tell(message)

    def drop(self, pane: int, wanted: Wanted) -> None:
        if self.wanted.get(pane) is wanted:
            del self.wanted[pane]


@register("view")
async def on_view(socket: Socket, view: View, seq: int) -> None:
    if view.pane >= MAX_PANES or len(view.needs) > MAX_NEEDS:
        return await socket.refuse(seq, "too_many", f"At most {MAX_PANES} panes, and {MAX_NEEDS} tiles at a time.")
    socket.part(Panes).look(view, seq)


@register("tiles_seen")
async def on_tiles_seen(socket: Socket, seen: TilesSeen, seq: int) -> None:
    socket.part(Panes).seen(seen.count)
