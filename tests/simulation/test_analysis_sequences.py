"""What operators launch, and what runs at the same time, against loops over all pairs."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.analysis.overlaps import overlapping
from simulation.analysis.report import analyze
from tests.simulation.build import Event, call, kernel, make_run, op

NAMES = 4
WORK = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 9), st.integers(0, 2), st.integers(0, NAMES - 1)), max_size=14
)  # start, duration, stream, name


@given(WORK, st.integers(1, 4))
def test_it_finds_each_pair_that_overlaps(work: list[tuple[int, int, int, int]], least: int) -> None:
    work = sorted(work)
    start, dur, stream, name = (np.array([line[at] for line in work], np.int64) for at in range(4))
    found = overlapping(start, start + dur, stream, name, NAMES, least)
    expected: dict[int, list[int]] = defaultdict(list)
    for a, (begin_a, long_a, stream_a, name_a) in enumerate(work):
        for begin_b, long_b, stream_b, name_b in work[a + 1 :]:
            shared = min(begin_a + long_a, begin_b + long_b) - max(begin_a, begin_b)
            if stream_a != stream_b and shared >= least:
                expected[min(name_a, name_b) * NAMES + max(name_a, name_b)].append(shared)
    pairs = {pair: (count, ns) for pair, count, ns, _ in zip(*(column.tolist() for column in found), strict=True)}
    assert pairs == {pair: (len(shared), sum(shared)) for pair, shared in expected.items()}
    assert all(name[example] in divmod(pair, NAMES) for pair, *_, example in zip(*found, strict=True))


def test_kernels_that_overlap_are_named() -> None:
    run = make_run([
        Event("gemm", "kernel", ("stream", 7), 0, 5000), Event("nccl", "kernel", ("stream", 8), 1000, 2500),
        Event("nccl", "kernel", ("stream", 8), 4500, 9000), Event("gemm", "kernel", ("stream", 9), 4600, 2000),
    ])  # fmt: skip
    pairs = analyze(run, sections=["kernel_overlaps"])["kernel_overlaps"]["pairs"]
    assert [(line["name"], line["other"], line["count"], line["overlap_ns"]) for line in pairs] == [
        ("gemm", "nccl", 2, 2500 + 2000)
    ]


def launching(thread: int, start: int, first: int, names: list[str]) -> list[Event]:
    """An operator with another in it, which launches kernels of these names."""
    events = [op(thread, start, 100, "outer"), op(thread, start + 10, 80, "inner")]
    for at, name in enumerate(names):
        events.append(call(thread, start + 20 + 10 * at, 5, first + at))
        args = kernel(7, 0, 0, first + at).args
        events.append(Event(name, "kernel", ("stream", 7), start + 200 + 10 * at, 5, args))
    return events


def test_operators_are_told_apart_by_what_they_launch() -> None:
    run = make_run([
        *launching(1, 0, 1, ["a", "b", "c"]), *launching(1, 1000, 11, ["a", "b", "c"]),
        *launching(1, 2000, 21, ["a", "c", "b"]), *launching(1, 3000, 31, ["a", "b"]),
    ])  # fmt: skip
    found = analyze(run, sections=["sequences"])["sequences"]
    inner = {tuple(line["sequence"]): line for line in found["innermost"]}
    assert {names: line["count"] for names, line in inner.items()} == {
        ("a", "b", "c"): 2, ("a", "c", "b"): 1, ("a", "b"): 1,
    }  # fmt: skip
    twice = inner["a", "b", "c"]
    assert (twice["name"], twice["kernels"], twice["device_ns"], twice["host_ns"]) == ("inner", 3, 30, 160)
    assert (twice["op_to_launch_ns"], twice["launch_to_start_ns"]) == (20, 180)
    assert (twice["op_to_first_launch_ns"], twice["first_launch_to_start_ns"]) == (10, 180)
    outer = {tuple(line["sequence"]): (line["name"], line["count"]) for line in found["outermost"]}
    assert outer == {("a", "b", "c"): ("outer", 2), ("a", "c", "b"): ("outer", 1)}


def test_sets_and_copies_are_in_the_outer_sequence_only() -> None:
    cleared = [call(1, 15, 1, 9, "cudaMemsetAsync"), kernel(7, 190, 5, 9, "gpu_memset")]
    run = make_run([*launching(1, 0, 1, ["a", "b"]), *cleared])
    found = analyze(run, sections=["sequences"])["sequences"]
    assert [(line["name"], line["sequence"]) for line in found["innermost"]] == [("inner", ["a", "b"])]
    assert [(line["name"], line["sequence"]) for line in found["outermost"]] == [("outer", ["gpu_memset", "a", "b"])]


def test_operators_are_told_apart_by_shapes() -> None:
    events = [event for at in range(3) for event in launching(1, 1000 * at, 10 * at + 1, ["a"])]
    for at, dims in ((0, [[2, 2]]), (2, [[2, 2]]), (4, [[3, 3]])):
        inner = [at for at, event in enumerate(events) if event.name == "inner"][at // 2]
        events[inner].args["Input Dims"] = dims
    (rank,) = analyze(make_run(events), sections=["ops_by_shape"])["ops_by_shape"]["ranks"]
    lines = [(line["name"], line["dims"].replace(" ", ""), line["count"], line["total_ns"]) for line in rank["ops"]]
    assert lines == [("inner", "[[2,2]]", 2, 10), ("inner", "[[3,3]]", 1, 5)]
