"""Offsets of clocks, from what ranks do together: known ones are found, unknown ones are said."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.clocks import Tie, spanned, tie_of
from simulation.groups import ProcessGroup
from simulation.meetings import kind_of
from simulation.run import Run, read_run
from tests.simulation.build import make_table, op
from tests.simulation.job import STEP_NS, Job

WITHIN_NS = 5_000
SKEW_NS = [0, 700_000_123, -3_000_000, 41_000]


def offsets_ns(run: Run) -> list[int | None]:
    return [clock and clock.offset_ns for clock in run.clocks]


def assert_found(run: Run, skew_ns: list[int]) -> None:
    for found, true in zip(offsets_ns(run), skew_ns, strict=True):
        assert found is not None
        assert abs(found - (true - skew_ns[0])) <= WITHIN_NS


def told(name: str, ranks: list[int], **more: int) -> dict[str, object]:
    words = {"Collective name": "allreduce", "Process Group Name": name, "Process Group Ranks": str(ranks)}
    return {**words, **more}


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(-(10**9), 10**9), min_size=2, max_size=5), st.integers(0, 1000))
def test_it_finds_a_known_skew(skew_ns: list[int], seed: int) -> None:
    job = Job(skew_ns, seed)
    for _ in range(9):
        job.collective(range(len(skew_ns)))
    assert_found(job.run(), skew_ns)


def test_it_says_how_uncertain_it_is() -> None:
    calm, noisy = Job(SKEW_NS), Job(SKEW_NS, jitter_ns=200_000)
    for job in (calm, noisy):
        for _ in range(30):
            job.collective(range(4))
    (_, calm_clock, *_), (_, noisy_clock, *_) = calm.run().clocks, noisy.run().clocks
    assert calm_clock and noisy_clock
    assert calm_clock.uncertainty_ns <= 2_000 and calm_clock.meetings == 30
    assert 20_000 < noisy_clock.uncertainty_ns < 200_000
    assert abs(noisy_clock.offset_ns - SKEW_NS[1]) < 2 * noisy_clock.uncertainty_ns


def test_a_few_collectives_that_end_late_do_no_harm() -> None:
    job = Job(SKEW_NS[:2])
    for late_ns in (0, 0, 8_000_000, 0, 0, 0, 4_000_000):
        job.on_host((0, 1), (0, late_ns))
    assert_found(job.run(), SKEW_NS[:2])


def test_it_goes_over_others_where_two_ranks_share_no_group() -> None:
    job = Job(SKEW_NS)
    for _ in range(5):
        for name, ranks in (("tp0", [0, 1]), ("tp1", [2, 3]), ("dp0", [0, 2])):
            job.collective(ranks, **told(name, ranks))
    assert_found(job.run(), SKEW_NS)


def test_it_pairs_sends_with_receives() -> None:
    job = Job(SKEW_NS)
    for _ in range(4):
        for sender in range(3):
            job.pair(sender, sender + 1, [0, 1, 2, 3])
            job.pair(sender + 1, sender, [0, 1, 2, 3])
    assert_found(job.run(), SKEW_NS)


def test_a_group_names_its_peers_by_their_ranks_in_the_job() -> None:
    job = Job(SKEW_NS)
    for _ in range(4):
        job.pair(1, 3, [1, 3])
        job.pair(0, 1, [0, 1, 2])
        job.pair(2, 0, [0, 1, 2])
    assert_found(job.run(), SKEW_NS)


def test_a_sequence_number_tells_which_one_was_missed() -> None:
    job = Job(SKEW_NS[:2])
    for number in range(12):
        job.collective((0, 1), misses=[1] if number in (0, 5) else [], **told("0", [0, 1], Seq=number))
    run = job.run()
    assert_found(run, SKEW_NS[:2])
    assert run.clocks[1] and run.clocks[1].meetings == 10


def test_without_one_it_does_not_guess_which_was_missed() -> None:
    job = Job(SKEW_NS[:2])
    for number in range(12):
        job.collective((0, 1), misses=[1] if number == 5 else [])
    assert offsets_ns(job.run()) == [None, None]


def test_streams_of_one_role_may_have_other_numbers() -> None:
    job = Job(SKEW_NS[:2])
    for _ in range(5):
        for name, streams in (("ncclKernel_AllGather_RING", (7, 30)), ("ncclKernel_ReduceScatter_RING", (9, 20))):
            job.now_ns += 10**6
            for rank, stream in enumerate(streams):
                job.record(rank, name, job.now_ns, job.now_ns + 5000, ("stream", stream))
    assert_found(job.run(), SKEW_NS[:2])


def test_ranks_that_share_nothing_have_no_clock() -> None:
    job = Job(SKEW_NS)
    for _ in range(3):
        job.collective([1, 2], **told("a", [1, 2]))
        job.collective([0], **told("b", [0]))
    job.record(3, "op", 0, 10, 1, "cpu_op")
    run = job.run()
    assert [offset is None for offset in offsets_ns(run)] == [True, False, False, True]
    assert run.quality.which("clocks_unknown") == ["rank 0", "rank 3"]
    assert run.quality.which("clocks_differ") == ["rank 2"]


def test_a_lone_rank_has_no_clock_and_nothing_is_said() -> None:
    run = Run.of([make_table([op(1, 0, 10)])])
    assert run.clocks == (None,)
    assert not {"clocks_unknown", "clocks_differ"} & set(run.quality.counts())


def test_collectives_with_a_root_do_not_count() -> None:
    job = Job(SKEW_NS[:2])
    for _ in range(5):
        job.collective((0, 1), "ncclDevKernel_Broadcast_RING_LL(args)")
        job.collective((0, 1), **{**told("0", [0, 1]), "Collective name": "reduce"})
    assert offsets_ns(job.run()) == [None, None]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ncclKernel_AllReduce_RING_LL_Sum_float(ncclDevComm*)", "allreduce"),
        ("ncclDevKernel_ReduceScatter_Sum_bf16_RING_LL", "reducescatter"),
        ("_allgather_base", "allgather"),
        ("all_to_allv", "alltoall"),
        ("gloo:all_reduce", "allreduce"),
        ("ncclDevKernel_Generic_4(ncclDevKernelArgsStorage<4096ul>)", "generic"),
        ("ncclDevKernel_Reduce_Sum_f32_RING_LL", None),
        ("ncclKernel_Broadcast_RING_LL_Sum_int8_t", None),
        ("gloo:gather", None),
        ("scatter", None),
        ("gemm", None),
    ],
)
def test_a_name_tells_the_kind(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


def test_ends_that_contradict_each_other_tie_nothing() -> None:
    ends, short, long = np.array([0, 10**9, -(10**9), 3 * 10**9, 50]), np.full(5, 1000), np.full(5, 10**10)
    assert tie_of(0, 1, [(ends, short, short)]) is None  # nobody can have waited for anybody
    tie = tie_of(0, 1, [(ends, long, long)])  # they may have
    assert tie is not None and tie.uncertainty_ns > 10**9
    halves = np.array([0, 0, 0, 10**9, 10**9, 10**9, 10**9 + 1])
    tie = tie_of(0, 1, [(halves, np.full(7, 1000), np.full(7, 1000))])
    assert tie is not None and tie.offset_ns == 10**9


def test_collectives_that_a_sample_left_out_are_not_mistaken_for_others(samples: Path) -> None:
    run = read_run([samples / "hta" / f"sampled_rank-{rank}.json.gz" for rank in (0, 1)])
    assert offsets_ns(run) == [None, None]


def test_one_meeting_is_as_uncertain_as_it_is_long() -> None:
    tie = tie_of(0, 1, [(np.array([70]), np.array([9_000]), np.array([30_000]))])
    assert tie == Tie(0, 1, 70, 30_000, 1)


@given(
    st.integers(2, 6),
    st.dictionaries(
        st.sampled_from(list(combinations(range(6), 2))), st.tuples(st.integers(-99, 99), st.integers(1, 50))
    ),
)
def test_it_takes_the_least_uncertain_way(traces: int, drawn: dict[tuple[int, int], tuple[int, int]]) -> None:
    tied = [Tie(*pair, *values, 1) for pair, values in drawn.items() if max(pair) < traces]
    found = spanned(traces, tied)
    least = {(at, at): 0 for at in range(traces)}
    for tie in tied:
        least[tie.first, tie.second] = least[tie.second, tie.first] = tie.uncertainty_ns
    for over in range(traces):  # Floyd and Warshall
        for one in range(traces):
            for other in range(traces):
                way = least.get((one, over), 10**9) + least.get((over, other), 10**9)
                least[one, other] = min(least.get((one, other), 10**9), way)
    sizes = [sum(least[one, other] < 10**9 for other in range(traces)) for one in range(traces)]
    assert len(found) == (max(sizes) if max(sizes) > 1 else 0)
    if found:
        first = sizes.index(max(sizes))
        expected = {other: least[first, other] for other in range(traces) if least[first, other] < 10**9}
        assert {trace: clock.uncertainty_ns for trace, clock in found.items()} == expected


def test_it_is_kept_beside_the_events_and_applied_on_demand(tmp_path: Path) -> None:
    job = Job(SKEW_NS)
    for _ in range(9):
        job.collective(range(4))
    measured = job.run()
    measured.save(tmp_path)
    run = Run.open(tmp_path)
    assert run.clocks == measured.clocks
    assert [table.content_hash() for table in run.traces] == [table.content_hash() for table in measured.traces]
    aligned = run.aligned()
    assert aligned.traces is run.traces
    ends = [int(table.end_ns.max()) + shift for table, shift in zip(aligned.traces, aligned.shift_ns, strict=True)]
    starts = [int(table.start_ns.min()) + shift for table, shift in zip(aligned.traces, aligned.shift_ns, strict=True)]
    assert max(ends) - min(ends) <= WITHIN_NS
    assert min(starts) == 0
    apart = [int(table.end_ns.max()) + shift for table, shift in zip(run.traces, run.shift_ns, strict=True)]
    assert max(apart) - min(apart) > 7 * 10**8


def test_gloo_on_the_host_tells_it_too(demo_files: list[Path]) -> None:
    run = read_run(demo_files)
    assert run.clocks[1] is not None
    assert abs(run.clocks[1].offset_ns) <= 10_000
    assert run.clocks[1].meetings == 5
    assert run.groups == (ProcessGroup("0", "default_pg", "cpu:gloo,cuda:gloo", (0, 1)),)


def test_a_job_records_what_it_says() -> None:
    job = Job([0, 5])
    job.on_host((0, 1), (0, STEP_NS))
    assert [event.name for events in job.events for event in events] == ["gloo:all_reduce"] * 2
    assert job.events[1][0].end - job.events[0][0].end == STEP_NS + 5
