"""Reading Kineto files: what becomes of each kind of event."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulation.errors import Cancelled, DamagedTrace
from simulation.events import EventTable
from simulation.formats import read_trace, walk
from tests.simulation.traces import counts, event, kernel, launch, read, rows, side, step, write


def test_it_keeps_times_to_the_nanosecond(tmp_path: Path) -> None:
    table = read(tmp_path, event("a", 1419247332972.313, 4426.114), event("b", 1740461679479712, 3))
    assert rows(table, "start_ns", "dur_ns") == [
        ("a", 1419247332972313, 4426114),
        ("b", 1740461679479712000, 3000),
    ]


def test_it_reads_the_rank_from_behind_the_events(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_text('{"traceEvents": [{"ph": "i", "ts": 1}], "distributedInfo": {"rank": 3, "world_size": 8}}')
    assert (read_trace(path).info.rank, read_trace(path).info.world_size) == (3, 8)


@pytest.mark.parametrize("told", [None, {}, {"rank": "3"}, {"rank": -1}, {"rank": True}, {"rank": 2**40}, [3]])
def test_it_has_no_rank_where_none_is_told(tmp_path: Path, told: object) -> None:
    assert read(tmp_path, event(), distributedInfo=told).info.rank is None


def test_it_keeps_the_files_own_words(tmp_path: Path) -> None:
    info = read(tmp_path, event(), baseTimeNanoseconds=1711964646000000000, with_stack=1, long=list(range(99))).info
    assert (info.base_ns, info.metadata["with_stack"], len(info.metadata["long"])) == (1711964646000000000, 1, 64)
    assert (info.events, info.format, info.file_name, len(info.source_sha256)) == (1, "kineto", "trace.json", 64)


def test_it_links_work_to_the_first_call_with_its_id(tmp_path: Path) -> None:
    big = 2**53 + 1
    table = read(
        tmp_path,
        kernel(10, 1, big), kernel(20, 1, big - 1), kernel(30, 1, 0), kernel(40, 1), kernel(2, 1, 5),
        launch(6, 1, big, name="late"), launch(3, 1, big, name="first"), launch(4, 1, 5),
    )  # fmt: skip
    linked = [table.name_of(row) if row >= 0 else None for row in table.launch[np.argsort(table.source_index)]]
    assert linked[:5] == ["first", None, None, None, "cudaLaunchKernel"]
    assert counts(table) == {
        "duplicate_correlations": 1, "launch_after_start": 1, "unlinked_device_events": 3, "no_steps": 1,
    }  # fmt: skip


def test_it_links_by_flow_where_there_is_no_id(tmp_path: Path) -> None:
    arrow = {"cat": "async", "name": "async", "id": 4}
    table = read(
        tmp_path, event("call", 1, 1, "Runtime"), kernel(5, 1, cat="Kernel", tid="stream 3"),
        {**arrow, "ph": "s", "pid": 7, "tid": 7, "ts": 1}, {**arrow, "ph": "f", "pid": 0, "tid": "stream 3", "ts": 5},
        {**arrow, "ph": "s", "pid": 7, "tid": 7, "ts": 1, "id": 5},
    )  # fmt: skip
    device = table.is_device
    assert table.name_of(table.launch[device][0]) == "call"
    assert [(line["row"], line["category"]) for line in side(table, "flows")] == [
        ("call", "ac2g"), ("kernel", "ac2g"), ("call", "ac2g"),
    ]  # fmt: skip
    assert counts(table) == {"dangling_flows": 1, "no_steps": 1}


def test_it_gives_device_work_the_step_of_its_launch(tmp_path: Path) -> None:
    table = read(
        tmp_path, step(4, 0, 10), step(5, 10, 10), event("in 4", 9, 5), event("after", 20, 1),
        event("elsewhere", 1, 1, pid=8), event("other thread", 11, 1, tid=9), launch(2, 1, 1), kernel(15, 1, 1),
        kernel(30, 1), event("ProfilerStep#4", 15, 1, "gpu_user_annotation", pid=0, tid=3),
    )  # fmt: skip
    of = {name: found for name, found in rows(table, "step")}
    assert [line["number"] for line in side(table, "steps")] == [4, 5]
    assert of | {"ProfilerStep#4": 0} == {
        "ProfilerStep#4": 0, "ProfilerStep#5": 1, "in 4": 0, "after": -1, "elsewhere": -1, "other thread": 1,
        "cudaLaunchKernel": 0, "kernel": -1,
    }  # fmt: skip
    linked = table.is_device & (table.launch >= 0)
    assert table.step[linked].tolist() == [0]


def test_it_does_not_take_a_python_stack_for_a_stream(tmp_path: Path) -> None:
    python = event("f", 1, 5, "python_function", pid=0, tid=0, args={"Python id": 1, "Python parent id": None})
    table = read(tmp_path, python, kernel(2, 9, tid=0), event("note", 2, 1, "gpu_user_annotation", pid=0, tid=0))
    assert [(track.kind, track.pid, track.tid, track.stream) for track in table.tracks] == [
        ("stream", "0", "0", 0), ("thread", "0", "0", -1),
    ]  # fmt: skip
    assert side(table, "modules") == [{"row": "f", "python_id": 1, "python_parent": -1, "module": -1}]


def test_it_tells_numbers_from_text_in_places(tmp_path: Path) -> None:
    table = read(tmp_path, event("a", pid=1), event("b", pid="1"), event("c", pid=1.0))
    assert len({int(track) for name, track in rows(table, "track")}) == 2


def test_it_names_and_orders_tracks(tmp_path: Path) -> None:
    def named(what: str, pid: object, tid: int, **args: object) -> dict[str, object]:
        return {"ph": "M", "name": what, "pid": pid, "tid": tid, "ts": 0, "args": args}

    table = read(
        tmp_path, event("window", 0, 9, "Trace", pid="Spans", tid="PyTorch Profiler"), kernel(1, 1, tid=20),
        kernel(1, 1, tid=7, args={"device": 2, "stream": 7}), event(pid=5, tid=50), event(pid=5, tid=51),
        event("ProfilerStep#1", 0, 9, pid=5, tid=51),
        {"ph": "C", "name": "power", "pid": 5, "ts": 1, "args": {"W": 1.5}},
        named("process_name", 5, 0, name="python3"), named("process_labels", 0, 0, labels="GPU 2"),
        named("thread_name", 5, 50, name="thread 50 (pt_autograd_0)"), named("thread_name", 0, 7, name="stream 7 "),
    )  # fmt: skip
    assert [(track.kind, track.process, track.name) for track in table.tracks] == [
        ("stream", "GPU 2", "stream 20"),
        ("stream", "GPU 2", "stream 7"),
        ("thread", "python3 5", "main thread"),
        ("thread", "python3 5", "pt_autograd_0 50"),
        ("counter", "python3 5", "power"),
        ("marker", "profiler", "PyTorch Profiler"),
    ]
    assert [track.sort for track in table.tracks] == list(range(6))
    assert side(table, "counters") == [{"row": "power", "series": "W", "value": 1.5}]


def test_it_lifts_args_into_side_tables(tmp_path: Path) -> None:
    table = read(
        tmp_path,
        kernel(1, 1, args={
            "device": 0, "stream": 3, "grid": [4, 2, 1], "block": [128, 1, 1], "registers per thread": 32,
            "shared memory": 2**33, "graph id": 9, "Collective name": "allreduce", "dtype": "Float", "Group size": 2,
            "In msg nelems": 10, "Out msg nelems": 11, "Process Group Name": "0", "Process Group Ranks": "[0, 1]",
            "Seq": 5,
        }),
        event("copy", 5, 1, "gpu_memcpy", pid=0, tid=3, args={"bytes": 4096}),
        event("aten::mm", 1, 5, args={"Input Dims": [[2, 3]], "Input type": ["float"], "Record function id": 12,
                                      "Sequence number": 3, "Fwd thread id": 1, "External id": 77}),
        event("Event Sync", 9, 1, "cuda_sync", pid=0, tid=3, args={"cuda_sync_kind": "Event Sync", "stream": -1,
              "wait_on_stream": 7, "wait_on_cuda_event_record_corr_id": 99, "wait_on_cuda_event_id": 4}),
        {"ph": "i", "s": "t", "cat": "cpu_instant_event", "name": "[memory]", "pid": 7, "tid": 7, "ts": 2, "args": {
            "Addr": 2**47, "Bytes": -512, "Total Allocated": 1024, "Total Reserved": 2048, "Device Type": 1,
            "Device Id": 0}},
    )  # fmt: skip
    assert side(table, "kernels") == [{
        "row": "kernel", "grid_x": 4, "grid_y": 2, "grid_z": 1, "block_x": 128, "block_y": 1, "block_z": 1,
        "registers": 32, "shared_memory_bytes": 2**33,
    }]  # fmt: skip
    assert side(table, "device") == [
        {"row": "kernel", "device": 0, "stream": 3, "graph": 9, "size_bytes": -1},
        {"row": "copy", "device": -1, "stream": -1, "graph": -1, "size_bytes": 4096},
    ]
    assert side(table, "collectives") == [{
        "row": "kernel", "collective": "allreduce", "group": "0", "group_ranks": "[0, 1]", "dtype": "Float",
        "group_size": 2, "sequence": 5, "in_elements": 10, "out_elements": 11, "source_rank": -1, "target_rank": -1,
    }]  # fmt: skip
    assert side(table, "shapes") == [{"row": "aten::mm", "dims": "[[2, 3]]", "types": '["float"]'}]
    assert side(table, "ops") == [{"row": "aten::mm", "record_function": 12, "sequence": 3, "forward_thread": 1}]
    assert side(table, "syncs") == [{
        "row": "Event Sync", "sync": "Event Sync", "stream": -1, "wait_stream": 7, "wait_record_correlation": 99,
        "event": 4,
    }]  # fmt: skip
    assert side(table, "memory") == [{
        "row": "[memory]", "address": 2**47, "size_bytes": -512, "allocated_bytes": 1024, "reserved_bytes": 2048,
        "device_type": 1, "device": 0,
    }]  # fmt: skip
    assert table.external_id.max() == 77


def test_it_keeps_what_has_no_place_beside_the_table(tmp_path: Path) -> None:
    events = [
        event("fine"), event("no start", None), event("no duration", 1, "long"), event("negative", 1, -2),
        event("far", 1e300), {"ph": "N", "name": "object", "ts": 1}, None, {"name": "bare"},
        {"ph": "i", "name": "lost"},
    ]  # fmt: skip
    table = read(tmp_path, *events)
    assert len(table) == 1
    assert [(line["name"], line["reason"]) for line in side(table, "unplaced")] == [
        ("no start", "no usable start"), ("no duration", "no usable duration"), ("negative", "negative duration"),
        ("far", "no usable start"), ("object", "a phase that a timeline cannot show"), ("", "not an object"),
        ("bare", "a phase that a timeline cannot show"), ("lost", "no usable start"),
    ]  # fmt: skip
    assert counts(table) == {"unplaced_events": 4, "negative_durations": 1, "unknown_phases": 3, "no_steps": 1}


def test_it_counts_what_it_repairs(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    path.write_bytes(
        b'{"traceEvents": [{"ph": "X", "name": "a\xff", "ts": "1.5", "dur": 0, "pid": 1, "tid": 1},'
        b'{"ph": "X", "name": "tab\there", "ts": 1.00049, "dur": 1, "pid": 1, "tid": 1, "cat": "cpu_op"}]}'
    )
    table = read_trace(path)
    assert rows(table, "start_ns", "dur_ns") == [("a\ufffd", 1500, 0), ("tab\there", 1000, 1000)]
    assert counts(table) == {
        "zero_durations": 1, "sub_nanosecond_times": 1, "text_numbers": 1, "invalid_utf8": 1, "control_characters": 1,
        "no_steps": 1,
    }  # fmt: skip


def test_it_keeps_args_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    raw = '{ "a" : [1.50, "\\u00e9"],"b":{} }'
    path.write_text(f'{{"traceEvents": [{{"ph": "i", "ts": 0}}, {{"ph": "i", "ts": 1, "args": {raw}}}]}}')
    args = read_trace(path).args
    assert [args[0], args[1], len(args)] == [b"", raw.encode(), 2]


def test_it_reads_in_blocks_as_in_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    events = [
        step(1, 0, 50),
        *(launch(at, 1, at) for at in range(1, 40)),
        *(kernel(at + 2, 1, at) for at in range(1, 40)),
    ]
    whole = read(tmp_path, *events)
    monkeypatch.setattr(walk, "BLOCK_EVENTS", 7)
    seen: list[int] = []
    parts = read_trace(tmp_path / "trace.json", lambda stage, done, total: seen.append(done))
    assert len(seen) > len(events) / 7
    assert_same(parts, whole)


def test_it_stops_when_asked(tmp_path: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        read_trace(write(tmp_path / "trace.json.gz", [event()]), stop)


def test_it_opens_what_it_saved(tmp_path: Path) -> None:
    table = read(tmp_path, step(1, 0, 50), launch(1, 1, 4), kernel(5, 1, 4), event("lost", "x"), with_stack=1)
    table.save(tmp_path / "store")
    assert_same(EventTable.open(tmp_path / "store"), table)


@pytest.mark.parametrize("what", ["tracks", "lanes"])
def test_it_refuses_more_than_it_can_number(tmp_path: Path, what: str) -> None:
    many = range(2**16)
    events = [event("t", 1, 1, tid=at) for at in many] if what == "tracks" else [event("l", at, 10**6) for at in many]
    with pytest.raises(DamagedTrace, match="65,5"):
        read(tmp_path, *events)


def assert_same(one: EventTable, other: EventTable) -> None:
    for column, values in other.columns.items():
        assert np.array_equal(getattr(one, column), values), column
    assert (one.names, one.categories, one.tracks) == (other.names, other.categories, other.tracks)
    assert (one.info, one.quality.counts()) == (other.info, other.quality.counts())
    assert [one.args[at] for at in range(len(one.args))] == [other.args[at] for at in range(len(other.args))]
    for name in ("steps", "kernels", "device", "flows", "unplaced", "counters", "shapes"):
        assert side(one, name) == side(other, name)
