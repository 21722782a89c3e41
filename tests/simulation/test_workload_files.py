"""Written Kineto files: read by the standard library, and by our reader, against what the program did."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.errors import Cancelled, TraceError
from simulation.events import SIDE_TABLES, EventTable
from simulation.formats import read_trace
from simulation.run import Run, read_run
from simulation.store import Strings
from simulation.workload import Workload, events_of, of_size, recordings, tables, write_kineto, write_run
from simulation.workload.kineto import BASE_NS, MARKS
from simulation.workload.program import AUTOGRAD, MAIN
from simulation.workload.recording import Recording

SMALL = {"layers": 2, "hidden": 64, "heads": 4, "sequence": 32, "vocabulary": 256, "micro_batches": 2}
SPEC = Workload(
    **SMALL, dp=2, tp=2, pp=2, steps=3, jitter=0.2, skew_us=5000, parting_us=1.5, straggler=3, bucket_mib=0.05, seed=9
)
EXACT = ("start_ns", "dur_ns", "kind", "depth", "lane", "correlation", "external_id", "step")
WORK = ("kernel", "gpu_memcpy")
SIDES = ("steps", "kernels", "device", "collectives", "shapes", "ops", "syncs")
MARK_TRACKS = ("Spans", "Traces", "")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return write_kineto(SPEC, tmp_path_factory.mktemp("generated"))


@pytest.fixture(scope="module")
def known() -> list[Recording]:
    return list(recordings(SPEC))


@pytest.fixture(scope="module")
def run(files: list[Path]) -> Run:
    return read_run(files)


def entries(path: Path) -> list[dict[str, Any]]:
    return json.loads(gzip.decompress(path.read_bytes()), parse_float=Decimal)["traceEvents"]


def of_category(events: list[dict[str, Any]], *categories: str) -> list[dict[str, Any]]:
    return [event for event in events if event["ph"] == "X" and event["cat"] in categories]


def ns(event: dict[str, Any], key: str) -> int:
    assert event[key].as_tuple().exponent == -3  # as Kineto writes them
    return int(event[key] * 1000)


def flat(values: np.ndarray) -> list[int]:
    return values.ravel().tolist()


def times(events: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(ns(event, "ts"), ns(event, "dur")) for event in events]


def test_any_json_parser_finds_what_the_program_did(files: list[Path], known: list[Recording]) -> None:
    for path, recording in zip(files, known, strict=True):
        events, program, true = entries(path), recording.program, recording.times
        zero, steps = recording.zero_ns, SPEC.steps
        work = sorted(of_category(events, *WORK), key=lambda event: event["args"]["correlation"])
        begins, took = flat(true.work_start + zero), flat(true.work_end - true.work_start)
        assert times(work) == list(zip(begins, took, strict=True))
        assert [event["name"] for event in work] == steps * [program.labels[at].name for at in program.work_label]
        calls = sorted(of_category(events, "cuda_runtime"), key=lambda event: event["args"]["correlation"])
        called = [(true.do_start + zero)[:, program.call_at], (true.do_end - true.do_start)[:, program.call_at]]
        assert times(calls) == list(zip(*map(flat, called), strict=True))
        slices = sorted(of_category(events, "cpu_op", "user_annotation"), key=lambda event: event["args"]["Ev Idx"])
        opened = true.do_start[:, program.slice_open] + zero
        lasted = true.do_end[:, program.slice_close] + zero - opened
        assert times(slices) == list(zip(flat(opened), flat(lasted), strict=True))


def test_calls_and_what_they_launched_share_a_correlation_and_an_arrow(files: list[Path]) -> None:
    for path in files:
        events = entries(path)
        calls = {event["args"]["correlation"]: event for event in of_category(events, "cuda_runtime")}
        work = {event["args"]["correlation"]: event for event in of_category(events, *WORK)}
        assert len(calls) == len(of_category(events, "cuda_runtime")) and work.keys() < calls.keys()
        assert all(calls[id_]["args"]["External id"] == each["args"]["External id"] for id_, each in work.items())
        starts = {event["id"]: event for event in events if event["ph"] == "s" and event["cat"] == "ac2g"}
        ends = {event["id"]: event for event in events if event["ph"] == "f" and event["cat"] == "ac2g"}
        assert starts.keys() == ends.keys() == work.keys()
        for id_, each in work.items():
            assert (starts[id_]["ts"], starts[id_]["tid"]) == (calls[id_]["ts"], calls[id_]["tid"])
            assert (ends[id_]["ts"], ends[id_]["tid"]) == (each["ts"], each["tid"])
        waits = Counter(calls[id_]["name"] for id_ in calls.keys() - work.keys())
        assert waits["cudaEventRecord"] == waits["cudaStreamWaitEvent"] > 0


def test_backward_operators_name_their_forward_operators(files: list[Path], known: list[Recording]) -> None:
    for path, recording in zip(files, known, strict=True):
        events = entries(path)
        arrows = Counter((event["id"], event["ph"]) for event in events if event.get("cat") == "fwdbwd")
        assert len(arrows) == 2 * SPEC.steps * len(recording.program.pairs) and set(arrows.values()) == {1}
        threads: dict[int, set[int]] = {MAIN: set(), AUTOGRAD: set()}
        for event in of_category(events, "cpu_op"):
            if "Sequence number" in event["args"]:
                threads[event["args"]["Fwd thread id"]].add(event["args"]["Sequence number"])
        assert threads[MAIN] == threads[AUTOGRAD] != set()


def test_told_waits_are_what_the_program_waits_for(tmp_path: Path) -> None:
    spec = replace(SPEC, sync_events=True)
    for path, recording in zip(write_kineto(spec, tmp_path), recordings(spec), strict=True):
        events, program = entries(path), recording.program
        work = {event["args"]["correlation"]: event for event in of_category(events, *WORK)}
        calls = {event["args"]["correlation"]: event for event in of_category(events, "cuda_runtime")}
        found, syncs = set(), of_category(events, "cuda_sync")
        for sync in syncs:
            args = sync["args"]
            call = calls[args["correlation"]]
            assert (sync["ts"], sync["dur"]) == (call["ts"], call["dur"])
            if sync["name"] == "Stream Wait Event":
                record = args["wait_on_cuda_event_record_corr_id"]
                assert calls[record]["name"] == "cudaEventRecord"
                before = [at for at in work if at < record and work[at]["tid"] == args["wait_on_stream"]]
                behind = [at for at in work if at > args["correlation"] and work[at]["tid"] == args["stream"]]
                if before and behind:
                    found.add((max(before), min(behind)))
        assert Counter(sync["name"] for sync in syncs).keys() == {"Stream Wait Event", "Stream Sync", "Context Sync"}
        assert within_steps(found, recording) == true_waits(recording)
        assert program.after.size


def true_waits(recording: Recording) -> set[tuple[int, int]]:
    """(work, work that waits for it) of other streams, by correlation, over all steps."""
    p, steps = recording.program, recording.spec.steps
    waits = [
        (p.work_call[awaited], p.work_call[work])
        for work in range(len(p.work_call))
        for awaited in p.after[p.after_first[work] : p.after_first[work + 1]]
        if p.work_stream[awaited] != p.work_stream[work]
    ]
    return {(a + 1 + step * len(p.call_at), b + 1 + step * len(p.call_at)) for a, b in waits for step in range(steps)}


def within_steps(waits: set[tuple[int, int]], recording: Recording) -> set[tuple[int, int]]:
    """Without those across steps: the device is idle in between."""
    calls = len(recording.program.call_at)
    return {(a, b) for a, b in waits if (a - 1) // calls == (b - 1) // calls}


def test_all_members_of_a_group_number_its_collectives_alike(files: list[Path]) -> None:
    seen: dict[tuple[Any, ...], dict[int, list[int]]] = {}
    for rank, path in enumerate(files):
        for event in of_category(entries(path), "kernel"):
            args = event["args"]
            if "Collective name" not in args:
                continue
            assert rank in json.loads(args["Process Group Ranks"])
            numbers = seen.setdefault((args["Process Group Name"], *pair_of(args, rank)), {})
            numbers.setdefault(rank, []).append(args["Seq"])
    assert len(seen) == 4 + 4 + 8  # tensor, data; each pipeline both ways
    for numbers in seen.values():
        assert len(numbers) == 2
        first, second = numbers.values()
        assert sorted(first) == sorted(second) and len(set(first)) == len(first)


def pair_of(args: dict[str, Any], rank: int) -> tuple[int, ...]:
    """(sender, receiver), by ranks of the job; each names the other alone."""
    match args["Collective name"]:
        case "send":
            assert "Src Rank" not in args
            return (rank, args["Dst Rank"])
        case "recv":
            assert "Dst Rank" not in args
            return (args["Src Rank"], rank)
    assert not {"Src Rank", "Dst Rank"} & args.keys()
    return ()


def test_the_file_says_who_it_is(files: list[Path]) -> None:
    for rank, path in enumerate(files):
        document = json.loads(gzip.decompress(path.read_bytes()))
        told = document["distributedInfo"]
        assert (told["rank"], told["world_size"], told["pg_count"]) == (rank, 8, len(told["pg_config"]))
        assert all(rank in group["ranks"] and group["pg_size"] == len(group["ranks"]) for group in told["pg_config"])
        assert [len(group["ranks"]) for group in told["pg_config"]] == [8, 2, 2, 2]
        assert document["generated"]["clock_skew_ns"] == SPEC.clock_skew_ns()[rank]
        assert Workload.of(document["generated"]["workload"]) == SPEC


def test_our_reader_is_surprised_by_nothing(run: Run) -> None:
    assert run.quality.counts() == {"clocks_differ": run.quality.count("clocks_differ")}
    assert run.ranks == tuple(range(8))
    assert [(table.info.world_size, table.info.base_ns) for table in run.traces] == [(8, BASE_NS)] * 8
    assert {group.description for group in run.groups} == {
        "default_pg", "TENSOR_MODEL_PARALLEL_GROUP", "DATA_PARALLEL_GROUP", "PIPELINE_MODEL_PARALLEL_GROUP",
    }  # fmt: skip


def test_every_piece_of_device_work_is_linked_and_has_its_step(run: Run) -> None:
    for table in run.traces:
        launched = table.launch[table.is_device]
        assert (launched >= 0).all()
        assert (table.correlation[table.is_device] == table.correlation[launched]).all()
        assert (table.step[table.is_device] == table.step[launched]).all() and set(table.step[launched]) == {0, 1, 2}
        assert (table.start_ns[table.is_device] > table.start_ns[launched]).all()
        assert len(table.sides["steps"]["row"]) == 3 and table.sides["steps"]["number"].tolist() == [10, 11, 12]


def test_our_reader_finds_the_table_that_is_made_without_a_file(run: Run) -> None:
    for read, made in zip(run.traces, tables(SPEC), strict=True):
        assert_same(read, made)
    assert sum(len(table) for table in run.traces) == events_of(SPEC, in_files=True)


def assert_same(read: EventTable, made: EventTable) -> None:
    """All rows but the profiler's marks, all that is lifted of them, and how they hang together."""
    is_mark = np.isin(read.track, [track.index for track in read.tracks if track.pid in MARK_TRACKS])
    rows = np.flatnonzero(~is_mark)
    assert int(is_mark.sum()) == MARKS and len(rows) == len(made)
    for column in EXACT:
        assert (read.columns[column][rows] == made.columns[column]).all(), column
    assert [read.name_of(row) for row in rows] == [made.name_of(row) for row in range(len(made))]
    assert [read.category_of(row) for row in rows] == [made.category_of(row) for row in range(len(made))]
    threads = [[(t.pid, t.tid, t.kind) for t in table.tracks if t.pid not in MARK_TRACKS] for table in (read, made)]
    assert threads[0] == threads[1]
    to_made = np.cumsum(~is_mark) - 1
    for column in ("parent", "launch"):
        at = read.columns[column][rows]
        assert (np.where(at < 0, -1, to_made[at]) == made.columns[column]).all(), column
    for name in SIDES:
        assert (to_made[read.sides[name]["row"]] == made.sides[name]["row"]).all(), name
        for column in SIDE_TABLES[name].keys() - {"row"}:
            assert words(read.sides[name][column]) == words(made.sides[name][column]), (name, column)
    assert len(read.sides["flows"]["id"]) == len(made.sides["flows"]["id"])
    assert (np.asarray(read.sides["flows"]["id"]) == made.sides["flows"]["id"]).all()


def words(column: Any) -> list[Any]:
    return [column[at] for at in range(len(column))] if isinstance(column, Strings) else column.tolist()


@settings(max_examples=12, deadline=None)
@given(
    layout=st.sampled_from([(1, 1, 1), (2, 1, 1), (1, 2, 1), (1, 1, 2), (2, 2, 1), (1, 2, 2), (3, 1, 2)]),
    layers=st.sampled_from([2, 4]),
    micro_batches=st.integers(1, 3),
    steps=st.integers(1, 3),
    jitter=st.floats(0, 1),
    skew_us=st.floats(0, 10**8),
    parting_us=st.floats(0, 50),
    seed=st.integers(0, 2**40),
    sync_events=st.booleans(),
)
def test_whatever_is_asked_for_reads_back(
    tmp_path_factory: pytest.TempPathFactory, layout: tuple[int, int, int], layers: int, **disturbed: Any
) -> None:
    dp, tp, pp = layout
    spec = Workload(**{**SMALL, "layers": layers, **disturbed}, dp=dp, tp=tp, pp=pp, bucket_mib=0.05)
    paths = write_kineto(spec, tmp_path_factory.mktemp("any"))
    run = read_run(paths)
    shares_streams = (
        {"overlapping_slices"} if spec.sync_events else set()
    )  # a wait is shown beside the work of its stream
    assert set(run.quality.counts()) <= {"clocks_differ"} | shares_streams
    for read, made in zip(run.traces, tables(spec), strict=True):
        assert_same(read, made)


def test_a_run_that_is_stored_straight_away_opens_as_one_that_was_read(run: Run, tmp_path: Path) -> None:
    write_run(SPEC, tmp_path / "stored")
    stored = Run.open(tmp_path / "stored")
    assert (stored.ranks, stored.clocks, stored.groups) == (run.ranks, run.clocks, run.groups)
    for read, made in zip(run.traces, stored.traces, strict=True):
        assert_same(read, made)


def test_it_is_as_long_as_it_is_asked_to_be() -> None:
    one = events_of(Workload(**SMALL, steps=1))
    for events, steps in ((1, 1), (one, 1), (one + 1, 2), (10 * one, 10)):
        assert of_size(Workload(**SMALL), events).steps == steps
    assert sum(len(table) for table in tables(Workload(**SMALL, steps=2))) == 2 * one


def test_packed_and_plain_hold_the_same(files: list[Path], known: list[Recording], tmp_path: Path) -> None:
    from simulation.workload.kineto import write

    write(known[0], tmp_path / "rank0.json")
    assert (tmp_path / "rank0.json").read_bytes() == gzip.decompress(files[0].read_bytes())
    assert_same(read_trace(tmp_path / "rank0.json"), next(tables(SPEC)))


def test_equal_workloads_give_equal_bytes(files: list[Path], tmp_path: Path) -> None:
    assert [path.read_bytes() for path in write_kineto(SPEC, tmp_path)] == [path.read_bytes() for path in files]


def test_files_of_another_run_are_not_mixed_in(files: list[Path]) -> None:
    with pytest.raises(TraceError, match="holds files already"):
        write_kineto(SPEC, files[0].parent)


def test_a_file_that_is_not_finished_is_not_there(tmp_path: Path) -> None:
    def stop(stage: str, done: int, total: int) -> None:
        assert 0 < done <= total
        if stage == "writing":
            raise Cancelled

    with pytest.raises(Cancelled):
        write_kineto(SPEC, tmp_path, stop)
    assert list(tmp_path.iterdir()) == []


def test_numbers_of_any_size_are_written_in_full() -> None:
    from simulation.workload.forms import END, Forms

    values = [0, 7, 999, 1000, 1001, -1, -1000, 123456789012345678, 2**63 - 1, -(2**63) + 1]
    forms = Forms.of([[("a", 0), ("b", 1), ("\n", END)], [("c", 1), ("\n", END)]], decimal=1)
    form = np.arange(len(values)) % 2
    text = bytes(forms.fill(form, np.array([values, values]))).decode()
    expected = [
        f"c{value}\n" if kind else f"a{'-' * (value < 0)}{abs(value) // 1000}.{abs(value) % 1000:03}b{value}\n"
        for kind, value in zip(form, values, strict=True)
    ]
    assert text == "".join(expected)
