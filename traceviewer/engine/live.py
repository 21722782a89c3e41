"""The websocket's tiles: the same bytes as the HTTP twin's, cut in the pool."""

from __future__ import annotations

from typing import Any

from channels.db import database_sync_to_async

from simulation.errors import TraceError
from traceviewer.engine.asking import NotReady, files_of
from traceviewer.engine.pool import ask_async
from traceviewer.engine.tiles import BadTile, check, tiles
from traceviewer.live.panes import serve_tiles


@serve_tiles
async def cut(user: Any, run: str, level: int, index: int, tracks: tuple[int, ...], aligned: bool) -> bytes:
    """A serialized `Tiles`. Raises Http404, or TraceError with the number that is out of range."""
    try:
        check(level, index, tracks)
        files = await database_sync_to_async(files_of)(user, run, aligned)
        return await ask_async(tiles, files, level, index, tracks)
    except (BadTile, NotReady) as error:
        raise TraceError(str(error)) from error
