"""Steps from the others: matching against plain Python, medians, and a machine that runs the step that is predicted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.graph import build_graph
from simulation.run import Run, read_run
from simulation.trust.alike import Alike
from simulation.trust.borrowing import Matching, come_twice
from simulation.trust.marks import Marks
from simulation.trust.matching import event_keys
from simulation.trust.steps_from_others import predict_steps
from tests.simulation.build import Event, call, kernel, make_run, op
from tests.simulation.machine import Machine, Step

GAP_NS = 40_000


def paths(run: Run, marks: Marks) -> list[Any]:
    """What `event_keys` hashes, as nested tuples: slow and plain."""
    found: dict[tuple[int, int], Any] = {}
    for trace, table in enumerate(run.traces):
        base = int(run.row_base[trace])
        is_mark = set((marks.row[marks.trace == trace] - base).tolist())
        rows = sorted(range(len(table)), key=lambda row: (table.launch[row] >= 0, table.start_ns[row], row))
        turns: Counter[Any] = Counter()
        for row in rows:
            step = int(marks.of_rows[base + row])
            above = int(table.launch[row] if table.launch[row] >= 0 else table.parent[row])
            inside = above >= 0 and int(marks.of_rows[base + above]) == step
            begin = (trace, above) if inside else (trace, "track", int(table.track[row]))
            name = "a step" if row in is_mark else table.name_of(row)
            turn = turns[begin, step, name]
            turns[begin, step, name] += 1
            parent = found[trace, above] if inside else begin
            found[trace, row] = (parent, name, turn) if step >= 0 else None
    return [found[trace, row] for trace, table in enumerate(run.traces) for row in range(len(table))]


trees = st.recursive(
    st.sampled_from("ab").map(lambda name: (name, [])),
    lambda inner: st.tuples(st.sampled_from("abc"), st.lists(inner, max_size=3)),
    max_leaves=8,
)


def unfolded(tree: Any, thread: int, at: int, events: list[Event]) -> int:
    """Lay a tree of names out in time from `at`; some names launch. Returns its end."""
    name, inner = tree
    place = len(events)
    events.append(op(thread, at, 0, name))
    end = at + 10
    for child in inner:
        end = unfolded(child, thread, end, events) + 10
    if name == "b":
        events.append(call(thread, end, 5, correlation=place + 1))
        events.append(kernel(7, end + 3, 4, correlation=place + 1))
        end += 10
    events[place] = op(thread, at, end - at, name)
    return end


def forests(steps: list[list[Any]], threads: int) -> Run:
    """Steps that do these trees, one after the other."""
    events: list[Event] = []
    at = 0
    for number, forest in enumerate(steps):
        begin, place = at, len(events)
        events.append(op(1, begin, 0))
        at += 10
        for turn, tree in enumerate(forest):
            at = unfolded(tree, 1 + turn % threads, at, events) + 10
        events[place] = Event(f"ProfilerStep#{number}", "user_annotation", 1, begin, at - begin)
        at += 20
    return make_run(events)


drawn_steps = st.lists(st.lists(trees, max_size=4), min_size=1, max_size=3)


@given(drawn_steps, st.integers(1, 2))
@settings(max_examples=60)
def test_keys_are_equal_where_the_way_down_is(steps: list[list[Any]], threads: int) -> None:
    run = forests(steps, threads)
    marks = Marks.of(run)
    keys, expected = event_keys(run, marks).tolist(), paths(run, marks)
    assert [key == 0 for key in keys] == [path is None for path in expected]
    assert len(set(zip(keys, map(repr, expected), strict=True))) == len(set(keys)) == len(set(map(repr, expected)))


@given(drawn_steps, st.integers(1, 2))
@settings(max_examples=30)
def test_nodes_are_found_in_other_steps(steps: list[list[Any]], threads: int) -> None:
    run = forests(steps, threads)
    graph, marks = build_graph(run), Marks.of(run)
    alike = Alike.of(run, graph, marks)
    known: dict[tuple[str, int, bool], list[int]] = {}
    asked: dict[int, tuple[str, bool]] = {}
    for row, path in enumerate(paths(run, marks)):
        for nodes, is_end in ((graph.start_node, False), (graph.end_node, True)):
            if path is not None and nodes[row] >= 0:
                known.setdefault((repr(path), int(marks.of_rows[row]), is_end), []).append(int(nodes[row]))
                asked[int(nodes[row])] = repr(path), is_end
    for node, (path, is_end) in asked.items():
        for step in range(-1, len(steps)):
            same = known.get((path, step, is_end), [])
            found = alike.within(np.array([node]), np.array([step])).tolist()
            assert found == (same if len(same) == 1 else [-1])


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4), st.integers(-50, 50)), max_size=20))
@settings(max_examples=100)
def test_medians_leave_out_the_step_itself(entries: list[tuple[int, int, int]]) -> None:
    entries = sorted({(key, step): (key, value, step) for key, step, value in entries}.values())
    key, value, step = (np.array([entry[column] for entry in entries], np.int64) for column in range(3))
    group = np.unique(key, return_inverse=True)[1]
    nothing = np.zeros(5, np.int64)
    everything = np.ones(len(key), bool)
    edges = Matching(np.arange(len(key)), step, value, group, np.full(len(key), -1), everything, nothing)
    for chosen in range(5):
        medians, others = edges.medians_without(chosen)
        for number, name in enumerate(sorted(set(key.tolist()))):
            expected = [v for k, v, s in entries if k == name and s != chosen]
            assert others[number] == len(expected)
            if expected:
                assert medians[number] == int(median(expected) // 1)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), max_size=12))
def test_entries_that_come_twice_are_known(entries: list[tuple[int, int]]) -> None:
    key, step = (np.array([entry[column] for entry in entries], np.int64) for column in range(2))
    assert come_twice(key, step).tolist() == [entries.count(entry) > 1 for entry in entries]


def program(works: list[int], device: list[int]) -> list[Step]:
    """A step whose host runs ahead of the device and waits for it at the end."""
    launches = [step for ns, long in zip(works, device, strict=True) for step in (("work", ns), ("launch", 7, long))]
    return [("nest", [*launches, ("stream_sync", 7)]), ("gap", GAP_NS)]


def stepped(programs: list[list[Step]]) -> tuple[Run, list[int]]:
    """The run of one thread that does these one after the other, each in a ProfilerStep; how long each took."""
    events = list(Machine().run([[each for one in programs for each in one]]).values())
    outermost = sorted((e for e in events if e.name == "op"), key=lambda e: (e.start, -e.dur))  # type: ignore[operator]
    outer, until = [], -1
    for event in outermost:
        if event.start >= until:
            outer.append(event)
            until = event.end
    marks = [Event(f"ProfilerStep#{n}", "user_annotation", 0, e.start, e.dur) for n, e in enumerate(outer)]
    return make_run([*marks, *(event for event in events if event not in outer)]), [e.dur or 0 for e in outer]


draws = st.lists(st.integers(2_000, 60_000), min_size=3, max_size=3)


@given(st.lists(st.tuples(draws, draws), min_size=3, max_size=3))
@settings(max_examples=40)
def test_it_equals_the_machine_with_medians(drawn: list[tuple[list[int], list[int]]]) -> None:
    run, took = stepped([program(*one) for one in drawn])
    lines = predict_steps(run, build_graph(run))["steps"]
    assert len(lines) in (2, 3)  # the first may be ramp-up
    if len(lines) < 3:
        return
    for step, line in enumerate(lines):
        one, two = [drawn[other] for other in range(3) if other != step]
        typical = [[(a + b) // 2 for a, b in zip(one[kind], two[kind], strict=True)] for kind in (0, 1)]
        changed = [program(*each) for each in drawn]
        changed[step] = program(*typical)
        _, expected = stepped(changed)
        assert line["measured_ns"] == took[step]
        # Latencies are one figure for the run, from what was seen in it; medians are rounded.
        assert line["predicted_ns"] == pytest.approx(expected[step], abs=5_000)
        assert line["naive_ns"] == sum(took[other] for other in range(3) if other != step) // 2
        assert line["kept"] == 0


def test_what_the_other_steps_do_not_have_is_kept_and_counted() -> None:
    usual = program([5_000] * 30, [9_000] * 30)
    extra = [("nest", [*usual[0][1], ("work", 20_000)]), usual[1]]
    run, took = stepped([usual, usual, extra])
    lines = predict_steps(run, build_graph(run))["steps"]
    assert [line["kept"] > 0 for line in lines] == [False, False, True]
    assert lines[2]["predicted_ns"] == pytest.approx(took[2], abs=3)


def test_steps_that_are_not_alike_are_not_predicted(samples: Path) -> None:
    run = read_run([samples / "hta" / "sampled_rank-0.json.gz"])  # most of its events were not recorded
    found = predict_steps(run, build_graph(run))
    assert found["steps"] == [] and len(found["unlike"]) == 2


def test_one_step_is_not_predicted() -> None:
    run, _ = stepped([program([5_000], [9_000])])
    found = predict_steps(run, build_graph(run))
    assert found["steps"] == [] and found["mean_error_percent"] is None


SAMPLES = {
    "hta/nccl_data": (3, 0.1),
    "hta/ns_resolution": (3, 0.1),
    "hta/control": (6, 1.2),
    "hta/test": (6, 1.0),
}
"""Those of one rank with several steps: how many are predicted, and the most edges, in %, that keep their times."""


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_predicted_as_well_as_by_their_median(samples: Path, name: str) -> None:
    run = read_run([samples / f"{name}.json.gz"])
    found = predict_steps(run, build_graph(run))
    assert len(found["steps"]) == SAMPLES[name][0]
    assert found["mean_error_percent"] <= found["naive_mean_error_percent"] + 0.5
    assert found["kept_percent"] < SAMPLES[name][1]
    assert len(found["ramp_up"]) == (2 if name == "hta/ns_resolution" else 0)


def test_ranks_are_predicted_together(samples: Path) -> None:
    run = read_run(sorted((samples / "torch_cpu" / "ddp_2layer").glob("kineto_*")))
    found = predict_steps(run, build_graph(run))
    assert len(found["steps"]) == 10
    assert found["mean_error_percent"] <= found["naive_mean_error_percent"] + 0.5
