"""GET runs/{run}/events/{trace}/{row}/: one event in full."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from simulation.run import Run as EngineRun
from tests.traceviewer.reading import as_user, contents, read
from traceviewer.accounts.models import Project
from traceviewer.engine.details import self_ns, split_args
from traceviewer.runs import store
from traceviewer.runs.models import Run

database = pytest.mark.django_db(transaction=True)

GPU_TRACE = b"""{"schemaVersion": 1, "distributedInfo": {"rank": 3, "world_size": 8}, "traceEvents": [
{"ph": "X", "cat": "user_annotation", "name": "ProfilerStep#7", "pid": 1, "tid": 1, "ts": 100, "dur": 100},
{"ph": "X", "cat": "cpu_op", "name": "aten::mm", "pid": 1, "tid": 1, "ts": 110.5, "dur": 50,
 "args": {"External id": 5, "big": 12345678901234567890123, "exact": 1.10, "e": 1E3, "nested": {"a": [1, 2.50]}}},
{"ph": "X", "cat": "cuda_runtime", "name": "cudaLaunchKernel", "pid": 1, "tid": 1, "ts": 120, "dur": 10,
 "args": {"External id": 5, "correlation": 42}},
{"ph": "X", "cat": "cuda_runtime", "name": "cudaFree", "pid": 1, "tid": 1, "ts": 140, "dur": 5.25},
{"ph": "X", "cat": "kernel", "name": "gemm", "pid": 0, "tid": 7, "ts": 125, "dur": 60,
 "args": {"External id": 5, "correlation": 42, "stream": 7, "device": 0, "grid": [1, 1, 1], "block": [32, 1, 1]}}
]}"""


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    run = read(project, {"gpu.json": GPU_TRACE}, bob)
    assert run.state == Run.State.READY, run.error
    return run


def event(user: User, run: Run, trace: int, row: int) -> Any:
    return as_user(user).get(f"/api/v1/runs/{run.pk}/events/{trace}/{row}/")


def named(user: User, run: Run, name: str) -> Any:
    table = EngineRun.open(store.local(run.folder, run.files)).traces[0]
    (row,) = [row for row in range(len(table)) if table.name_of(row) == name]
    return event(user, run, 0, row).json()


@database
def test_it_shows_args_exactly_as_in_the_file(run: Run, victor: User) -> None:
    assert named(victor, run, "aten::mm")["args"] == [
        ["External id", "5"],
        ["big", "12345678901234567890123"],
        ["exact", "1.10"],
        ["e", "1E3"],
        ["nested", '{"a": [1, 2.50]}'],
    ]
    assert named(victor, run, "cudaFree")["args"] == []


@database
def test_it_tells_times_nesting_and_step(run: Run, victor: User) -> None:
    found = named(victor, run, "aten::mm")
    assert (found["start_ns"], found["dur_ns"], found["depth"], found["step"]) == (10_500, 50_000, 1, "ProfilerStep#7")
    assert found["self_ns"] == 50_000 - 10_000 - 5_250
    assert [parent["name"] for parent in found["parents"]] == ["ProfilerStep#7"]
    assert (found["category"], found["source_index"], found["trace"]) == ("cpu_op", 1, 0)
    inner = named(victor, run, "cudaFree")
    assert [parent["name"] for parent in inner["parents"]] == ["ProfilerStep#7", "aten::mm"]
    assert inner["self_ns"] == inner["dur_ns"] == 5_250


@database
def test_it_tells_module_spelling_and_both_args(project: Project, bob: User) -> None:
    frame = {"ph": "X", "cat": "python_function", "name": "nn.Module: Net_0", "pid": 1, "tid": 1, "ts": 1, "dur": 9}
    apart = {"name": "apart", "cat": "Operator", "pid": 1, "tid": 1}
    begin, end = {**apart, "ph": "B", "ts": 2, "args": {"a": 1}}, {**apart, "ph": "E", "ts": 4, "args": {"b": 2.50}}
    run = read(project, {"apart.json": json.dumps({"traceEvents": [frame, begin, end]}).encode()}, bob)
    found, around = (named(bob, run, name) for name in ("apart", "nn.Module: Net_0"))
    assert (found["args"], found["end_args"], around["end_args"]) == ([["a", "1"]], [["b", "2.5"]], [])
    assert (found["category"], found["spellings"], around["spellings"]) == ("cpu_op", ["Operator"], [])
    assert (found["module"], found["dur_ns"]) == (["Net_0"], 2000)


@database
def test_it_links_a_kernel_and_its_launch_both_ways(run: Run, victor: User) -> None:
    kernel, call = named(victor, run, "gemm"), named(victor, run, "cudaLaunchKernel")
    shown = ("row", "track", "name", "start_ns")
    assert kernel["launch"] == {key: call[key] for key in shown}
    assert call["launched"] == [{key: kernel[key] for key in shown}]
    assert (kernel["launched"], call["launch"]) == ([], None)
    assert (kernel["correlation"], call["correlation"]) == ("42", "42")
    assert kernel["measured"] is None


@database
@pytest.mark.parametrize(("trace", "row"), [(1, 0), (0, 5), (0, 2**40), (2**40, 0)])
def test_an_event_that_is_not_there_is_not_found(run: Run, victor: User, trace: int, row: int) -> None:
    assert event(victor, run, trace, row).status_code == 404


@database
def test_every_event_of_the_demo_is_as_in_its_file(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, contents(demo_files), bob)
    source = json.loads(gzip.decompress(demo_files[1].read_bytes()))["traceEvents"]
    table = EngineRun.open(store.local(run.folder, run.files)).traces[1]
    for row in range(0, len(table), 499):
        found = event(bob, run, 1, row).json()
        original = source[found["source_index"]]
        assert found["name"] == original["name"]
        assert [[key, json.loads(text)] for key, text in found["args"]] == list(map(list, original["args"].items()))


@database
def test_self_time_is_what_no_child_covers(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, contents(demo_files[:1]), bob)
    table = EngineRun.open(store.local(run.folder, run.files)).traces[0]
    parents, counts = np.unique(table.parent[table.parent >= 0], return_counts=True)
    for row in parents[np.argsort(counts)[-8:]].tolist():
        assert self_ns(table, row) == slow_self_ns(table, row)


def slow_self_ns(table: Any, row: int) -> int:
    """Walk the children in order of start; what lies between them is the parent's own."""
    at, end = int(table.start_ns[row]), int(table.end_ns[row])
    own = 0
    children = [child for child, parent in enumerate(table.parent.tolist()) if parent == row]
    for child in sorted(children, key=lambda child: int(table.start_ns[child])):
        own += max(0, int(table.start_ns[child]) - at)
        at = min(end, max(at, int(table.end_ns[child])))
    return own + end - at


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (b"", []),
        (b"{}", []),
        (b'{"a": 1e400, "b": NaN}', [["", '{"a": 1e400, "b": NaN}']]),
        (b'{"a\\u00e9": "x\\ud83d\\ude00"}', [["aé", '"x\\ud83d\\ude00"']]),
        (b"[1, 2]", [["", "[1, 2]"]]),
        (b'{"a": "\xff"}', [["a", '"\ufffd"']]),
    ],
)
def test_args_that_are_odd_are_shown_all_the_same(text: bytes, pairs: list[list[str]]) -> None:
    assert split_args(text) == pairs


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), json_values))
def test_args_keep_their_text(args: dict[str, Any]) -> None:
    text = json.dumps(args)
    assert [[key, json.dumps(value)] for key, value in args.items()] == split_args(text.encode())
