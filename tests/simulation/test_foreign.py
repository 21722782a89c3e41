"""Profiles of other tools are refused by their name."""

from __future__ import annotations

import pickle
import sqlite3
from pathlib import Path

import pytest

from simulation.errors import UnknownFormat
from simulation.formats import read_trace
from tests.simulation.nodes import chunk, number


def refusal(path: Path) -> str:
    with pytest.raises(UnknownFormat) as caught:
        read_trace(path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("CUPTI_ACTIVITY_KIND_KERNEL", "Nsight Systems"),
        ("rocpd_kernel_dispatch", "rocprof"),
        ("recipes", "an SQLite database"),
    ],
)
def test_it_names_databases_by_their_tables(tmp_path: Path, table: str, said: str) -> None:
    path = tmp_path / "report.json"
    with sqlite3.connect(path) as database:
        database.execute(f"create table {table} (start integer)")
    database.close()
    assert said in refusal(path)


PLANE = chunk(1, number(1, 3) + chunk(2, "/device:TPU:0") + chunk(3, b"lines"))
PACKET = chunk(1, number(8, 123) + number(10, 7) + chunk(6, b"clocks"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (PLANE, "XPlane"),
        (chunk(1, chunk(2, "/host:CPU")) + PLANE + chunk(4, "worker-3"), "XPlane"),
        (PACKET * 3, "Perfetto"),
        (PACKET * 99, "Perfetto"),
        (pickle.dumps({"segments": [], "device_traces": []}), "memory snapshot"),
        (pickle.dumps({"segments": []}, protocol=2), "memory snapshot"),
        (b'{"segments": [], "device_traces": []}', "memory snapshot"),
        (b'"Kind","Agent_Id","Queue_Id"\n"KERNEL_DISPATCH",1,2\n', "rocprof"),
        (b"Index,KernelName,gpu-id\n0,a,1\n", "rocprof"),
        (b'{"rocprofiler-sdk-tool": []}', "rocprof"),
        (b"\x01\0\0\0QuadDCommon.Something", "Nsight Systems"),
        (b"hello", "not JSON"),
        (PACKET[:-1], "not JSON"),
    ],
)
def test_it_names_what_it_does_not_read(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "trace.json"
    path.write_bytes(content)
    assert said in refusal(path)
