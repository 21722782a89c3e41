"""The golden messages of tests/samples/protocol decode to what they were made of; the browser's half is Vitest's."""

from __future__ import annotations

import numpy as np
import pytest

from tests.samples.protocol.make import FAR_NS, FOLDER, golden
from traceviewer.protocol import messages_pb2 as pb


@pytest.mark.parametrize("name", sorted(golden()))
def test_it_writes_and_reads_the_golden_bytes(name: str) -> None:
    message = golden()[name]
    stored = (FOLDER / f"{name}.bin").read_bytes()
    assert message.SerializeToString(deterministic=True) == stored
    assert type(message).FromString(stored) == message


def test_it_has_a_golden_message_of_every_kind() -> None:
    kinds = {message.WhichOneof("kind") for message in golden().values()}
    known = {
        field.name
        for envelope in (pb.ClientMessage, pb.ServerMessage)
        for field in envelope.DESCRIPTOR.oneofs_by_name["kind"].fields
    }
    assert kinds == known


def test_it_keeps_columns_as_packed_little_endian_bytes() -> None:
    tile = pb.ServerMessage.FromString((FOLDER / "tiles.bin").read_bytes()).tiles.tiles[0]
    assert np.frombuffer(tile.start_ns, "<i8").tolist() == [-250, 1_000_000, FAR_NS]
    assert np.frombuffer(tile.row, "<u4").tolist() == [0, 1, 4_000_000_000]
    assert len(tile.lane) == 2 * tile.n
