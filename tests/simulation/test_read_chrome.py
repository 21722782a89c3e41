"""Chrome trace events that Kineto does not write: what becomes of each phase."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.events import EventTable
from simulation.formats.chrome import write_chrome
from simulation.run import Run
from tests.simulation.traces import Event, counts, event, kernel, launch, read, rows, side


def at(ph: str, ts: Any, name: str | None = "a", tid: Any = 1, pid: Any = 1, **more: Any) -> Event:
    named = {} if name is None else {"name": name}
    return {"ph": ph, "ts": ts, **named, "pid": pid, "tid": tid, **more}


def spans(table: EventTable) -> list[tuple[str, float, float]]:
    """(name, start, end) of the slices in microseconds, in the order of the file."""
    return [
        (name, start / 1000, (start + dur) / 1000)
        for name, start, dur, kind in rows(table, "start_ns", "dur_ns", "kind")
        if kind == 0
    ]


def test_it_pairs_begins_and_ends_thread_by_thread(tmp_path: Path) -> None:
    table = read(
        tmp_path, at("B", 1, "outer", args={"a": 1}), at("B", 2, "other", tid=2), at("B", 2, "inner"),
        at("E", 3, None), at("E", 5, "outer", args={"b": 2}), at("E", 9, None, tid=2), at("X", 2.5, "in", dur=0.25),
    )  # fmt: skip
    assert spans(table) == [("outer", 1, 5), ("other", 2, 9), ("inner", 2, 3), ("in", 2.5, 2.75)]
    assert {name: depth for name, depth in rows(table, "depth")} == {"outer": 0, "other": 0, "inner": 1, "in": 2}
    ends = {line["row"]: line["source_index"] for line in side(table, "ends")}
    assert ends == {"outer": 4, "other": 5, "inner": 3}
    assert [json.loads(table.args[place] or b"{}") for place in (0, ends["outer"])] == [{"a": 1}, {"b": 2}]
    assert (table.info.format, counts(table)) == ("chrome", {"no_steps": 1})


def test_it_pairs_by_time_and_then_by_place_in_the_file(tmp_path: Path) -> None:
    late_first = read(tmp_path, at("E", 5, "a"), at("B", 1, "a"))
    assert spans(late_first) == [("a", 1, 5)]
    touching = read(tmp_path, at("B", 1), at("E", 2), at("B", 2), at("E", 2), at("B", 2), at("E", 3))
    assert spans(touching) == [("a", 1, 2), ("a", 2, 2), ("a", 2, 3)]


def test_it_keeps_what_crosses(tmp_path: Path) -> None:
    table = read(tmp_path, at("B", 1, "a"), at("B", 2, "b"), at("E", 3, "a"), at("E", 4, "b"))
    assert spans(table) == [("a", 1, 3), ("b", 2, 4)]
    assert counts(table) == {"child_outlasts_parent": 1, "no_steps": 1}


def test_it_counts_begins_without_end_and_ends_without_begin(tmp_path: Path) -> None:
    table = read(
        tmp_path, at("E", 1, "before"), at("B", 2, "cut"), at("B", 3, "done"), at("E", 4, "done"), at("X", 5, "bare"),
        at("i", 7), at("B", 9, "elsewhere", tid=2), at("b", 1, "flying", id=1, cat="io"), at("e", 3, "gone", id=2),
        at("B", "soon", "lost"), at("E", None, "lost too"), at("X", 1, "null", dur=None),
    )  # fmt: skip
    assert spans(table) == [
        ("cut", 2, 7), ("done", 3, 4), ("bare", 5, 7), ("elsewhere", 9, 9), ("flying", 1, 9),
    ]  # fmt: skip
    assert [(line["name"], line["phase"], line["reason"]) for line in side(table, "unplaced")] == [
        ("before", "E", "an end without a begin"), ("gone", "e", "an end without a begin"),
        ("lost", "B", "no usable start"), ("lost too", "E", "no usable start"), ("null", "X", "no usable duration"),
    ]  # fmt: skip
    assert {line["row"]: line["source_index"] for line in side(table, "ends")}["cut"] == -1
    found = counts(table)
    assert (found["unfinished_slices"], found["lone_ends"], found["unplaced_events"]) == (4, 2, 3)


def test_it_gives_asynchronous_work_tracks_of_its_own(tmp_path: Path) -> None:
    io, net = {"cat": "io", "id": "0x1"}, {"cat": "net", "id": "0x1"}
    table = read(
        tmp_path, at("X", 0, "run", dur=20), at("b", 1, "read", **io), at("n", 2, "half", **io, tid=2),
        at("b", 1, "send", **net), at("b", 3, "wait", **io), at("e", 4, "wait", **io), at("e", 9, "read", **io, tid=5),
        at("e", 5, "send", **net), at("b", 2, "read", **{**io, "id": 2}), at("e", 6, "read", **{**io, "id": 2}),
        at("b", 2, "read", **io, pid=2), at("e", 3, "read", **io, pid=2),
    )  # fmt: skip
    assert [(track.kind, track.pid, track.name, track.lanes) for track in table.tracks if track.kind == "async"] == [
        ("async", "1", "io", 4), ("async", "1", "net", 1), ("async", "2", "io", 1),
    ]  # fmt: skip
    asyncs = [(line["row"], line["id"]) for line in side(table, "asyncs")]
    assert sorted(asyncs) == [
        ("half", "0x1"), ("read", "0x1"), ("read", "0x1"), ("read", "2"), ("send", "0x1"), ("wait", "0x1"),
    ]  # fmt: skip
    inside = {name: table.name_of(parent) if parent >= 0 else None for name, parent in rows(table, "parent")}
    assert (inside["half"], inside["wait"], inside["run"]) == ("read", "read", None)
    assert [lane for name, lane in rows(table, "lane") if name in ("read", "wait")] == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"id": 1}, {"id": 1}, True),
        ({"id": 1}, {"id": 1, "scope": "s"}, False),
        ({"id": 1}, {"id": 1, "pid": 2}, False),
        ({"id2": {"local": "1"}}, {"id2": {"local": "1"}, "pid": 2}, False),
        ({"id2": {"global": "1"}}, {"id2": {"global": "1"}, "pid": 2}, True),
        ({"id": 1, "cat": "x"}, {"id": 1, "cat": "y"}, False),
        ({"id": 2**53 + 1}, {"id": 2**53}, False),
    ],
)
def test_it_tells_asynchronous_ids_apart(tmp_path: Path, one: Event, other: Event, same: bool) -> None:
    table = read(tmp_path, {**at("b", 1), **one}, {**at("e", 2), **other})
    assert counts(table).get("lone_ends", 0) == int(not same)


@pytest.mark.parametrize(("begin", "step", "end"), ["bne", "STF", "SpF"])
def test_it_reads_the_old_spelling_of_asynchronous_work(tmp_path: Path, begin: str, step: str, end: str) -> None:
    table = read(tmp_path, at(begin, 1, id=3), at(step, 2, "on", id=3), at(end, 4, id=3))
    assert (spans(table), [track.kind for track in table.tracks]) == ([("a", 1, 4)], ["async"])
    assert [name for name, kind in rows(table, "kind") if kind == 1] == ["on"]


@pytest.mark.parametrize("phase", "iIRP")
def test_it_reads_marks_and_samples_as_instants(tmp_path: Path, phase: str) -> None:
    table = read(tmp_path, at(phase, 3, s="g"))
    assert rows(table, "start_ns", "kind", "dur_ns") == [("a", 3000, 1, 0)]


def test_it_reads_every_series_of_a_counter(tmp_path: Path) -> None:
    table = read(
        tmp_path, at("C", 1, "heap", args={"used": 1.5, "free": 2}), at("C", 2, "heap", args={"used": "3"}),
        at("C", 2, "queue", id=7, args={"n": 1}), at("C", 3, "queue", id="8", args={"n": "many"}), at("C", 4, "heap"),
    )  # fmt: skip
    assert [(track.kind, track.name) for track in table.tracks] == [
        ("counter", "heap"), ("counter", "queue[7]"), ("counter", "queue[8]"),
    ]  # fmt: skip
    assert [(line["row"], line["series"], line["value"]) for line in side(table, "counters")] == [
        ("heap", "used", 1.5), ("heap", "free", 2), ("heap", "used", 3), ("queue[7]", "n", 1),
    ]  # fmt: skip
    assert counts(table)["unreadable_samples"] == 1


def test_it_binds_flows_as_chrome_does(tmp_path: Path) -> None:
    arrow = {"cat": "f", "name": "f"}
    table = read(
        tmp_path, event("from", 0, 5), event("around", 10, 9), event("next", 12, 2), event("inside next", 12, 1),
        at("s", 1, pid=7, tid=7, id="0xff", **arrow), at("f", 11, pid=7, tid=7, id="0xFF", **arrow),
        at("s", 1, pid=7, tid=7, id="word", **arrow), at("t", 10, pid=7, tid=7, id="word", **arrow),
        at("f", 11, pid=7, tid=7, id="word", bp="e", **arrow), at("f", 15, pid=7, tid=7, id="late", **arrow),
    )  # fmt: skip
    flows = [(line["row"], chr(line["phase"])) for line in side(table, "flows")]
    assert flows == [("from", "s"), ("next", "f"), ("from", "s"), ("around", "t"), ("around", "f"), ("around", "f")]
    ids = [line["id"] for line in side(table, "flows")]
    assert ids[:2] == [255, 255] and len(set(ids[2:5])) == 1 and len(set(ids)) == 3 and min(ids) < -1
    assert counts(table)["dangling_flows"] == 1


def test_it_counts_what_lies_far_away(tmp_path: Path) -> None:
    near = [event("near", at, 1) for at in range(200)]
    assert counts(read(tmp_path, *near, event("far", 10**9, 1)))["outside_dense_range"] == 1
    assert "outside_dense_range" not in counts(read(tmp_path, *near))


def test_it_counts_operators_that_share_an_id(tmp_path: Path) -> None:
    def op(start: int, external: int, cat: str = "cpu_op") -> Event:
        return event("op", start, 1, cat, args={"External id": external})

    table = read(tmp_path, op(1, 5), op(2, 5), op(3, 5), op(4, 6), op(5, 0), op(6, 0), op(7, 6, "cuda_runtime"))
    assert counts(table) == {"duplicate_external_ids": 2, "no_steps": 1}


@pytest.mark.parametrize(
    ("events", "top", "format_"),
    [
        ([at("X", 1, dur=1, cat="gfx")], {}, "chrome"),
        ([at("X", 1, dur=1)], {"displayTimeUnit": "ns", "traceName": "x"}, "chrome"),
        ([at("X", 1, dur=1)], {"deviceProperties": []}, "kineto"),
        ([at("X", 1, dur=1, cat="Operator")], {}, "kineto"),
        ([at("X", 1, dur=1), at("i", 1, cat="cpu_instant_event")], {}, "kineto"),
    ],
)
def test_it_says_who_wrote_the_file(tmp_path: Path, events: list[Event], top: Event, format_: str) -> None:
    table = read(tmp_path, *events, **top)
    assert (table.info.format, table.start_ns.min()) == (format_, 1000)


def test_it_keeps_the_spelling_of_the_file(tmp_path: Path) -> None:
    table = read(
        tmp_path, event(cat="Operator"), event(cat="cpu_op"), kernel(1, 1, cat="Kernel"), event(cat="async"),
        event("m", cat="user_annotation"), at("s", 1, cat="async_gpu", id=1), at("f", 1, cat="async_gpu", id=1),
    )  # fmt: skip
    assert table.info.spellings == {"cpu_op": ["Operator", "cpu_op"], "kernel": ["Kernel"], "ac2g": ["async_gpu"]}
    assert set(table.categories) == {"cpu_op", "kernel", "async", "user_annotation"}
    assert {line["category"] for line in side(table, "flows")} == {"ac2g"}


@pytest.mark.parametrize("calls", ["cuda_driver", "xpu_runtime", "xpu_driver", "mtia_runtime", "privateuse1_runtime"])
def test_it_links_work_to_the_calls_of_every_device(tmp_path: Path, calls: str) -> None:
    table = read(tmp_path, launch(1, 1, 4, cat=calls), kernel(3, 1, 4))
    assert "unlinked_device_events" not in counts(table)


def test_it_names_the_row_of_stream_waits(tmp_path: Path) -> None:
    wait = event("Stream Sync", 4, 1, "cuda_sync", pid=0, tid=1_000_003, args={"stream": 3})
    table = read(tmp_path, kernel(3, 1, args={"stream": 3}), wait)
    assert [(track.name, track.stream) for track in table.tracks] == [("stream 3", 3), ("stream 3 waits", 3)]


phases = st.sampled_from("XXBBBEEEiCbbenSTFP")
entries = st.lists(
    st.builds(
        lambda ph, ts, dur, name, tid, id_, args: at(
            ph, ts / 4, name, tid, cat="c", **({"dur": dur / 4} if ph == "X" else {}), **args,
            **({"id": id_} if ph in "benSTF" else {}),
        ),
        phases, st.integers(0, 40), st.integers(0, 12), st.sampled_from("pq"), st.integers(1, 2), st.integers(1, 2),
        st.sampled_from([{}, {"args": {"v": 1}}, {"args": {"w": 2}}]),
    ),
    min_size=1, max_size=25,
)  # fmt: skip


@settings(max_examples=40)
@given(entries)
def test_it_reads_back_what_it_wrote(tmp_path_factory: pytest.TempPathFactory, listed: list[Event]) -> None:
    folder = tmp_path_factory.mktemp("written")
    table = read(folder, at("i", 0), *listed)
    write_chrome(Run.of([table]), folder / "out.json")
    back = Run.of([read(folder, *json.loads((folder / "out.json").read_text())["traceEvents"])]).traces[0]
    assert described(back) == described(table)
    assert [track.name for track in back.tracks] == [track.name for track in table.tracks]


def described(table: EventTable) -> list[Any]:
    """All there is to a row but its place in the file, in the order of the file."""
    end = {line["row"]: line["source_index"] for line in _numbered(table, "ends")}
    ids = {line["row"]: line["id"] for line in _numbered(table, "asyncs")}
    order = sorted(range(len(table)), key=lambda row: int(table.source_index[row]))
    place = {row: at for at, row in enumerate(order)}
    return [
        (
            table.name_of(row), table.category_of(row), int(table.start_ns[row]), int(table.dur_ns[row]),
            int(table.kind[row]), int(table.track[row]), int(table.lane[row]), int(table.depth[row]),
            place.get(int(table.parent[row])), ids.get(row), table.args[int(table.source_index[row])],
            row in end and (table.args[end[row]] if end[row] >= 0 else None),
        )
        for row in order
    ]  # fmt: skip


def _numbered(table: EventTable, name: str) -> list[dict[str, Any]]:
    columns = table.sides[name]
    return [
        {key: value[at] if isinstance(value[at], str) else value[at].item() for key, value in columns.items()}
        for at in range(len(columns["row"]))
    ]


@settings(max_examples=40)
@given(entries)
def test_it_loses_no_entry(tmp_path_factory: pytest.TempPathFactory, listed: list[Event]) -> None:
    table = read(tmp_path_factory.mktemp("read"), at("i", 0), *listed)
    kept = set(table.source_index.tolist()) | {line["source_index"] for line in side(table, "unplaced")}
    ends = {line["source_index"] for line in side(table, "ends")} - {-1}
    assert kept | ends == set(range(len(listed) + 1)) and not kept & ends
