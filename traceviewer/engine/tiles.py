"""Tiles of a run as protobuf: the body of the HTTP twin, and of the websocket's answer."""

from __future__ import annotations

from collections.abc import Sequence

from simulation.lod import MAX_LEVEL, PIXELS, TileColumns, tile
from simulation.lod.tile import MAX_NS
from traceviewer.engine.opened import OPENED, Files, OpenedRun
from traceviewer.protocol import messages_pb2 as pb

MAX_TRACKS = 512


class BadTile(ValueError):
    """No such tile can be asked for; the text says which number is out of range."""


def tiles(files: Files, level: int, index: int, tracks: Sequence[int], pane: int = 0) -> bytes:
    """A serialized `Tiles`, the tracks in the order asked for. Raises BadTile; reads nothing but what is drawn."""
    check(level, index, tracks)
    opened = OPENED.get(files)
    number = len(opened.tracks)
    if any(track >= number for track in tracks):
        raise BadTile(f"track {max(tracks)}: the run has {number}, the first is 0")
    answer = pb.Tiles(run=files.id, level=level, index=index, pane=pane, aligned=files.is_aligned)
    answer.tiles.extend(_tile(opened, level, index, track) for track in tracks)
    return answer.SerializeToString()


def check(level: int, index: int, tracks: Sequence[int]) -> None:
    """Refuse what can be refused without looking at the run. Raises BadTile."""
    if not 0 <= level <= MAX_LEVEL:
        raise BadTile(f"level {level}: levels are 0 to {MAX_LEVEL}")
    if index < 0 or (index * PIXELS) << level >= MAX_NS:
        raise BadTile(f"index {index}: at level {level} the last tile is {((MAX_NS - 1) >> level) // PIXELS}")
    if not 1 <= len(tracks) <= MAX_TRACKS:
        raise BadTile(f"{len(tracks)} tracks: ask for 1 to {MAX_TRACKS} at a time")
    if min(tracks) < 0:
        raise BadTile(f"track {min(tracks)}: the first is 0")


def _tile(opened: OpenedRun, level: int, index: int, number: int) -> pb.Tile:
    trace, track = opened.tracks[number]
    lane_rows = opened.run.traces[trace].tracks[track].lane_rows
    return _message(number, tile(opened.sources[trace], lane_rows, level, index))


def _message(number: int, columns: TileColumns) -> pb.Tile:
    return pb.Tile(
        track=number,
        n=len(columns),
        start_ns=columns.start_ns.tobytes(),
        dur_ns=columns.dur_ns.tobytes(),
        name=columns.name.tobytes(),
        row=columns.row.tobytes(),
        count=columns.count.tobytes(),
        lane=columns.lane.tobytes(),
        colour=columns.colour.tobytes(),
    )
