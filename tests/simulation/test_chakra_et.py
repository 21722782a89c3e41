"""Chakra `.et` files: framing, layouts of all versions, attributes, and hostile bytes."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulation.errors import TraceError
from simulation.events import EventTable
from simulation.formats.chakra_et import frames
from simulation.formats.chakra_et.frames import Layout, layout_of, messages
from tests.simulation import nodes
from tests.simulation.nodes import HEADER, attribute4, chunk, framed, needs, node4, number, read, times_us

COMP, COLL, SEND = 4, 7, 5


def side(table: EventTable, name: str, column: str) -> list[Any]:
    values: Any = table.sides[name][column]
    return [values[line] for line in range(len(values))]


@given(st.integers(0, 2**32 - 1), st.binary(max_size=3))
def test_it_reads_numbers_of_32_bits(value: int, after: bytes) -> None:
    written = nodes.varint(value)
    assert frames.varint(written + after, 0) == (value, len(written))
    assert frames.varint(written[:-1] + b"\x80" * 5, 0)[1] == -1


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(0, 400))
def test_it_cuts_files_into_messages(contents: list[bytes], cut: int) -> None:
    whole = framed(*contents)
    found, stops = messages(whole)
    assert ([whole[begin:end] for begin, end in found], stops) == (contents, -1)
    part, stops = messages(whole[:cut])
    assert part == found[: len(part)]
    assert stops == -1 or (stops <= cut and (part[-1][1] if part else 0) == stops)


def test_it_reads_the_documented_example(tmp_path: Path) -> None:
    table = read(tmp_path, bytes.fromhex(
        "070a05302e302e34481214616c6c5f7265647563655f346e7075735f314d421807520e0a0969735f6370755f6f70d801"
        "00520d0a09636f6d6d5f747970654800520f0a09636f6d6d5f73697a6548808040"
    ))  # fmt: skip
    assert (table.names, table.info.metadata["version"]) == (("all_reduce_4npus_1MB",), "0.0.4")
    assert (side(table, "collectives", "collective"), side(table, "nodes", "message_bytes")) == (
        ["all_reduce"],
        [2**20],
    )
    assert (table.tracks[0].kind, table.tracks[0].name) == ("stream", "stream communication")
    assert table.quality.count("unknown_durations") == 1


def test_it_places_nodes_by_their_dependencies(tmp_path: Path) -> None:
    file = framed(HEADER, node4(0, COMP, "a", dur_us=3), node4(1, COMP, "b", data=[0], dur_us=2),
                  node4(2, COMP, "c", control=[1], data=[0], dur_us=1))  # fmt: skip
    table = read(tmp_path, gzip.compress(file))
    assert times_us(table) == {"a": (0, 3), "b": (3, 5), "c": (5, 6)}
    assert needs(table) == {"a": [], "b": ["a"], "c": ["a", "b!"]}
    assert (table.info.format, table.info.placed) == ("chakra_et", "replay")


def test_it_takes_control_for_the_caller_where_it_contradicts_data(tmp_path: Path) -> None:
    file = framed(HEADER, node4(1, COMP, "call", data=[2], dur_us=3), node4(2, COMP, "inner", control=[1], dur_us=2))
    table = read(tmp_path, file)
    assert times_us(table) == {"inner": (0, 2), "call": (2, 5)}
    assert (table.info.placing, table.quality.count("dependency_cycles")) == ("data", 0)


def test_it_keeps_recorded_times(tmp_path: Path) -> None:
    file = framed(
        HEADER, node4(1, COMP, "a", start_us=7, dur_us=3), node4(2, COMP, "b", data=[1], start_us=8, dur_us=1)
    )
    table = read(tmp_path, file)
    assert (times_us(table), table.info.placed, table.info.placing) == ({"a": (7, 10), "b": (8, 9)}, "recorded", "")


def test_it_resolves_forward_and_missing_dependencies(tmp_path: Path) -> None:
    table = read(
        tmp_path, framed(HEADER, node4(5, COMP, "late", data=[9, 77], dur_us=1), node4(9, COMP, "early", dur_us=1))
    )
    assert needs(table)["late"] == ["early"]
    assert table.quality.count("dangling_dependencies") == 1


@pytest.mark.parametrize(
    "value",
    [number(7, 64), number(9, 64), number(11, 64), number(13, 64), number(15, 128), number(17, 128),
     nodes.varint(19 << 3 | 5) + struct.pack("<I", 64), nodes.varint(21 << 3 | 1) + struct.pack("<Q", 64),
     nodes.varint(3 << 3 | 1) + struct.pack("<d", 64), nodes.varint(5 << 3 | 5) + struct.pack("<f", 64)],
)  # fmt: skip
def test_it_takes_numbers_from_any_member(tmp_path: Path, value: bytes) -> None:
    attributes = attribute4("comm_type", number(9, 7)) + attribute4("comm_size", value)
    table = read(tmp_path, framed(HEADER, node4(1, COLL, attributes=attributes)))
    assert side(table, "nodes", "message_bytes") == [64]
    assert side(table, "collectives", "collective") == ["reduce_scatter"]


def test_it_tells_host_from_device(tmp_path: Path) -> None:
    host = attribute4("is_cpu_op", number(7, 1)) + attribute4("tid", number(9, 3))
    device = attribute4("is_cpu_op", number(27, 0)) + attribute4("stream", number(9, 20))
    peer = (
        attribute4("comm_dst", number(7, 6))
        + attribute4("comm_tag", number(7, 2))
        + attribute4("pg_name", chunk(29, "4"))
    )
    file = framed(
        HEADER, node4(1, COMP, attributes=host), node4(2, COMP, attributes=device), node4(3, SEND, attributes=peer)
    )
    table = read(tmp_path, file)
    assert {(track.kind, track.name) for track in table.tracks} == {
        ("thread", "thread 3"), ("stream", "stream 20"), ("stream", "stream communication"),
    }  # fmt: skip
    told = [side(table, "collectives", column) for column in ("collective", "target_rank", "group")]
    assert told == [["send"], [6], ["4"]]


def test_it_keeps_attributes_it_has_no_column_for(tmp_path: Path) -> None:
    dims = chunk(28, chunk(1, b"\x01\x00"))
    table = read(tmp_path, framed(HEADER, node4(1, COLL, attributes=attribute4("involved_dim", dims))))
    assert b'"involved_dim":[true,false]' in table.args[0]


def old_header(typed: bool) -> bytes:
    return chunk(1, chunk(1, "schema") + (number(2, 4) + chunk(8, "1.0") if typed else chunk(29, "1.0")))


def node2(id_: int, type_: int, *attributes: bytes, parents: tuple[int, ...] = ()) -> bytes:
    """proto2: zero ids are written, lists are not packed."""
    head = number(1, id_) + chunk(2, f"n{id_}") + number(3, type_)
    return head + b"".join(number(4, parent) for parent in parents) + b"".join(chunk(11, one) for one in attributes)


V1_NODE = number(1, 1) + chunk(2, "n1") + number(3, 6) + number(4, 0) + number(7, 5) + number(13, 2) + number(18, 64)
V2_TYPE = chunk(1, "comm_type") + number(2, 1) + number(5, 1)
JULY_TYPE = chunk(1, "comm_type") + number(2, 2) + number(6, 1)
V3_TYPE = chunk(1, "comm_type") + number(2, 3) + number(7, 1)


@pytest.mark.parametrize(
    ("layout", "file"),
    [
        (Layout.V1, framed(number(1, 0) + chunk(2, "n0") + number(3, 3) + number(7, 4), V1_NODE)),
        (Layout.V2, framed(node2(0, 3), node2(1, 6, V2_TYPE, parents=(0,)))),
        (Layout.V3_JULY, framed(node2(0, 4), node2(1, 7, JULY_TYPE, parents=(0,)))),
        (Layout.V3, framed(old_header(True), node2(0, 4), node2(1, 7, V3_TYPE, parents=(0,)))),
        (Layout.V4_EARLY, framed(old_header(False), node4(0, COMP, "n0"),
                                 node4(1, COLL, "n1", data=[0], attributes=attribute4("comm_type", number(9, 6))))),
        (Layout.V4, framed(b"", node4(0, COMP, "n0"),
                           node4(1, COLL, "n1", data=[0], attributes=attribute4("comm_type", number(9, 6))))),
    ],
)  # fmt: skip
def test_it_reads_every_layout(tmp_path: Path, layout: Layout, file: bytes) -> None:
    spans, _ = messages(file)
    assert layout_of(file[begin:end] for begin, end in spans) == (layout, True)
    table = read(tmp_path, file)
    assert table.info.metadata["layout"] == layout.value
    assert sorted(side(table, "nodes", "node_type")) == ["COMM_COLL_NODE", "COMP_NODE"]
    assert side(table, "collectives", "collective") == ["all_to_all"]
    assert needs(table) == {"n0": [], "n1": ["n0"]}
    assert "node_types_unclear" not in table.quality.counts()


def test_it_says_when_a_layout_cannot_be_told(tmp_path: Path) -> None:
    table = read(tmp_path, framed(node2(0, 4), node2(1, 4)))
    assert table.quality.count("node_types_unclear") == 2


def test_it_reads_what_is_whole(tmp_path: Path) -> None:
    file = framed(HEADER, node4(1, COMP, "a", dur_us=1), node4(2, COMP, "b", dur_us=1))
    table = read(tmp_path, file[:-3])
    assert (table.names, table.quality.count("truncated")) == (("a",), 1)


def test_it_counts_messages_that_are_no_nodes(tmp_path: Path) -> None:
    table = read(
        tmp_path, framed(HEADER, node4(1, COMP, "a", dur_us=1), b"\x0a\xff", b"", node4(2, COMP, "b", dur_us=1))
    )
    assert (table.quality.count("unknown_phases"), table.quality.count("empty_nodes")) == (1, 1)
    assert {"a", "b"} < set(table.names)


def test_it_shows_names_that_are_no_utf8(tmp_path: Path) -> None:
    table = read(tmp_path, framed(HEADER, node4(1, COMP, "a~").replace(b"~", b"\xff")))
    assert (table.names, table.quality.count("invalid_utf8")) == (("a\ufffd",), 1)


BASE = framed(
    HEADER,
    *(node4(at, COMP, f"n{at}", data=list(range(at)), dur_us=at, attributes=attribute4("tid", number(9, 1)))
      for at in range(6)),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, len(BASE) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_it_ends_in_a_table_or_a_refusal(tmp_path: Path, flips: list[tuple[int, int]]) -> None:
    data = bytearray(BASE)
    for at, value in flips:
        data[at] = value
    try:
        table = read(tmp_path, bytes(data))
    except TraceError as error:
        assert error.file == "file"
        return
    assert np.asarray(table.dur_ns).min() >= 0


def test_it_does_not_take_json_of_the_same_first_byte(tmp_path: Path) -> None:
    text = b'{\n"traceEvents": [{"ph": "X", "ts": 1, "dur": 1, "name": "' + b"a" * 80 + b'"}]}'
    assert text[0] < len(text)  # a length that would fit
    assert read(tmp_path, text).info.format != "chakra_et"
