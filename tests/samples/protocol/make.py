"""Writes the golden messages of the websocket contract: `python -m tests.samples.protocol.make`.

Made by ourselves, from the .proto alone. Both ends decode the same files: tests/traceviewer/test_protocol.py and
frontend/tests/protocol.test.ts. A change of the bytes is a change of the contract.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from google.protobuf.message import Message

from traceviewer.protocol import messages_pb2 as pb

FOLDER = Path(__file__).parent
RUN = "0b5a3c1e-7c1f-4a58-9d3e-52f3f0a1b2c3"
FAR_NS = 2**53 - 1
"""The last time that a browser's number holds exactly."""


def tiles() -> pb.ServerMessage:
    tile = pb.Tile(
        track=7,
        n=3,
        start_ns=np.array([-250, 1_000_000, FAR_NS], "<i8").tobytes(),
        dur_ns=np.array([500, 7_635_012, 0], "<i8").tobytes(),
        name=np.array([0, 70_000, 2], "<u4").tobytes(),
        row=np.array([0, 1, 4_000_000_000], "<u4").tobytes(),
        count=np.array([1, 137, 1], "<u4").tobytes(),
        lane=np.array([0, 0, 2], "<u2").tobytes(),
        colour=np.array([0, 5, 23], "<u1").tobytes(),
    )
    empty = pb.Tile(track=8)
    return pb.ServerMessage(v=1, seq=9, tiles=pb.Tiles(run=RUN, level=21, index=3, tiles=[tile, empty], pane=1))


def job_event() -> pb.ServerMessage:
    event = pb.JobEvent(
        job=RUN, number=12, state="failed", stage="reading", done=2**40, total=2**41, message="größer → 漢字", run=RUN
    )
    return pb.ServerMessage(v=1, job_event=event)


def error() -> pb.ServerMessage:
    return pb.ServerMessage(v=1, seq=3, error=pb.Error(code="not_found", message="There is nothing here."))


def view() -> pb.ClientMessage:
    needs = [pb.TileNeed(level=21, index=0, tracks=[0, 7, 300]), pb.TileNeed(level=3, index=4_000_000_000, tracks=[1])]
    return pb.ClientMessage(v=1, seq=1, view=pb.View(pane=1, run=RUN, needs=needs))


def tiles_seen() -> pb.ClientMessage:
    return pb.ClientMessage(v=1, seq=2, tiles_seen=pb.TilesSeen(count=1))


def watch() -> pb.ClientMessage:
    return pb.ClientMessage(v=1, seq=3, watch=pb.Watch(jobs=[pb.JobCursor(job=RUN, after=11)]))


MAKERS = (tiles, job_event, error, view, tiles_seen, watch)


def golden() -> dict[str, Message]:
    return {maker.__name__: maker() for maker in MAKERS}


if __name__ == "__main__":
    for name, message in golden().items():
        (FOLDER / f"{name}.bin").write_bytes(message.SerializeToString(deterministic=True))
