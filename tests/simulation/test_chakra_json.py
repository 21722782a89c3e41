"""Chakra's graphs as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulation.errors import DamagedTrace, EmptyTrace, TraceError, UnknownFormat
from tests.simulation.nodes import needs, read, times_us

FEEDER = [
    {"Id": 1, "Name": "a", "NodeType": 4, "runtime": 3, "data_deps": [], "is_cpu_op": True},
    {"Id": 2, "Name": "b", "NodeType": 7, "runtime": 2, "data_deps": [1], "ctrlDeps": [9], "is_cpu_op": False,
     "comm_type": 0, "comm_size": 64},
]  # fmt: skip
JSONIZER = [
    {"id": "1", "name": "a", "type": "COMP_NODE", "durationMicros": "3", "dataDeps": []},
    {"id": "2", "name": "b", "type": "COMM_COLL_NODE", "durationMicros": "2", "dataDeps": ["1"], "comm_type": "0"},
]


@pytest.mark.parametrize("nodes", [FEEDER, JSONIZER])
def test_it_reads_the_spellings_in_use(tmp_path: Path, nodes: list[dict[str, Any]]) -> None:
    table = read(tmp_path, json.dumps({"ngpus": 8, "workload_graph": nodes}).encode())
    assert (table.info.format, table.info.metadata["ngpus"]) == ("chakra_json", 8)
    assert times_us(table) == {"a": (0, 3), "b": (3, 5)}
    assert needs(table) == {"a": [], "b": ["a"]}
    collective: Any = table.sides["collectives"]["collective"]
    assert collective[0] == "all_reduce"


def test_it_counts_what_is_no_node(tmp_path: Path) -> None:
    text = json.dumps({"workload_graph": [7, {}, {"Id": "x"}, {"Id": 1.5}, FEEDER[0]]}).encode()
    table = read(tmp_path, text.replace(b'"a"', b'"a\xff\x01"'))
    assert table.names == ("a\ufffd\x01",)
    assert (table.quality.count("unknown_phases"), table.quality.count("invalid_utf8")) == (4, 1)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (b'{"workload_graph": []}', EmptyTrace),
        (b'{"workload_graph": {}}', DamagedTrace),
        (b'{"workload_graph": [{"Id": ', EmptyTrace),
        (b'{"workload_name": "x"}', UnknownFormat),
    ],
)
def test_it_refuses_what_has_no_nodes(tmp_path: Path, text: bytes, error: type[TraceError]) -> None:
    with pytest.raises(error):
        read(tmp_path, text)
