"""Which events of different ranks are one meeting, against a slow oracle and by hand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.rendezvous import Rendezvous, State, find
from simulation.run import Run, read_run
from tests.simulation.build import Event, make_table, op
from tests.simulation.job import Job

KERNEL = "ncclDevKernel_Generic_4(args)"
SPAN_NS = 1_000_000


def states(run: Run) -> list[State]:
    return [State(state) for state in find(run).state]


def members(found: Rendezvous, run: Run) -> list[list[int | None]]:
    """Ranks of each meeting."""
    return [
        [run.ranks[trace] for trace in found.trace[begin:end].tolist()]
        for begin, end in zip(found.offsets[:-1], found.offsets[1:], strict=True)
    ]


def told(ranks: list[int], **more: Any) -> dict[str, Any]:
    words = {"Collective name": "allreduce", "Process Group Name": "tp", "Process Group Ranks": str(ranks)}
    return {**words, **more}


def job(events: list[list[tuple[int, int, dict[str, Any]]]]) -> Run:
    """Per rank (start, duration, args) of collective kernels; all on one clock."""
    tables = []
    for rank, mine in enumerate(events):
        made = [Event(KERNEL, "kernel", ("stream", 7), start, dur, args) for start, dur, args in mine]
        tables.append(make_table([op(1, 0, 10), *made], rank))
    return replace(Run.of(tables), clocks=(None,) * len(tables))


drawn_meeting = st.tuples(
    st.sampled_from(["a", "b"]),
    st.integers(0, 3),
    st.sampled_from(["allreduce", "allgather"]),
    st.sampled_from([8, 16]),
)
drawn_job = st.lists(st.lists(drawn_meeting, max_size=6, unique_by=lambda each: each[:2]), min_size=1, max_size=4)


@given(drawn_job, st.integers(0, 1))
def test_it_tells_what_every_meeting_lacks(drawn: list[list[tuple[str, int, str, int]]], absent: int) -> None:
    """Numbered collectives of two groups of all ranks, some of whose traces are not in the run."""
    ranks = list(range(len(drawn) + absent))
    events = [
        [
            (100_000 * at, SPAN_NS, told(ranks, **{
                "Process Group Name": group, "Seq": number, "Collective name": kind, "dtype": "Float",
                "In msg nelems": elements, "Out msg nelems": elements,
            }))
            for at, (group, number, kind, elements) in enumerate(sorted(mine))
        ]
        for mine in drawn
    ]  # fmt: skip
    run = job(events)
    found = find(run)
    expected = defaultdict(list)
    for rank, mine in enumerate(drawn):
        for group, number, kind, elements in mine:
            expected[group, kind, number].append((rank, elements))
    assert {
        (str(found.keys[key].place[1]), found.keys[key].kind, number): (ranks_of, State(state))
        for key, number, state, ranks_of in zip(
            found.key.tolist(), found.number.tolist(), found.state.tolist(), members(found, run), strict=True
        )
    } == {
        key: ([rank for rank, _ in came], slow_state(key, came, expected, len(drawn), absent))
        for key, came in expected.items()
    }


def slow_state(
    key: tuple[str, str, int], came: list[tuple[int, int]], all_: dict[Any, Any], here: int, absent: int
) -> State:
    group, kind, number = key
    if len(came) < here:
        others = [other for other in all_ if other[0] == group and other[2] == number and other[1] != kind]
        return State.DIFFERENT if any(len(all_[other]) < here for other in others) else State.MISSING
    if absent:
        return State.ABSENT
    return State.DIFFERENT if len({elements for _, elements in came}) > 1 else State.MET


def test_sizes_are_in_bytes_and_must_agree() -> None:
    same = told([0, 1], Seq=0, dtype="BFloat16", **{"In msg nelems": 100, "Out msg nelems": 200})
    found = find(job([[(0, 500, same)], [(100, 400, same)]]))
    assert (found.size_bytes.tolist(), found.state.tolist()) == ([400], [State.MET])
    other = {**same, "dtype": "Float"}
    assert states(job([[(0, 500, same)], [(100, 400, other)]])) == [State.DIFFERENT]
    uneven = [{**each, "Collective name": "all_to_allv"} for each in (same, other)]
    assert states(job([[(0, 500, uneven[0])], [(100, 400, uneven[1])]])) == [State.MET]


def test_who_left_before_another_came_was_not_there() -> None:
    args = told([0, 1], Seq=0)
    assert states(job([[(0, 500, args)], [(10_000, 400, args)]])) == [State.MET]  # no more than clocks are uncertain
    assert states(job([[(0, 500, args)], [(50_000, 400, args)]])) == [State.APART]


def test_pairs_are_told_apart_by_sender_and_receiver() -> None:
    made = Job([0, 0, 0], jitter_ns=1)
    for sender, receiver in ((0, 1), (1, 0), (1, 2), (0, 1)):
        made.pair(sender, receiver, [0, 1, 2])
    run = made.run()
    found = find(run)
    assert [found.keys[key].label for key in found.key] == [
        "send 0 to 1 of group pp", "send 1 to 0 of group pp", "send 1 to 2 of group pp", "send 0 to 1 of group pp",
    ]  # fmt: skip
    assert found.is_pair.all()
    assert members(found, run) == [[0, 1], [0, 1], [1, 2], [0, 1]]
    assert (found.state == State.MET).all()


def test_a_buffered_send_is_no_contradiction_but_a_receive_before_it_is() -> None:
    sends, receives = told([0, 1], **{"Dst Rank": 1}), told([0, 1], **{"Src Rank": 0})
    sends, receives = {**sends, "Collective name": "send"}, {**receives, "Collective name": "recv"}
    assert states(job([[(0, 500, sends)], [(90_000, 400, receives)]])) == [State.SENT]
    assert states(job([[(90_000, 500, sends)], [(0, 400, receives)]])) == [State.APART]


def test_a_rank_alone_shows_nothing() -> None:
    made = Job([0])
    made.collective([0], **told([0, 1], Seq=0))
    made.collective([0])
    assert states(made.run()) == [State.ABSENT, State.ABSENT]


def test_kernels_of_several_streams_meet_in_the_order_of_their_launches() -> None:
    def launched(rank: int, starts: list[int], streams: list[int]) -> list[Event]:
        side = {"Collective name": "send", "Dst Rank": 1} if rank == 0 else {"Collective name": "recv", "Src Rank": 0}
        events = [op(1, 0, 10)]
        for at, (start, stream) in enumerate(zip(starts, streams, strict=True)):
            args = {**side, "Process Group Name": "pp", "correlation": at + 1}
            events.append(Event("cudaLaunchKernel", "cuda_runtime", 1, 100 * (at + 1), 50, {"correlation": at + 1}))
            events.append(Event(KERNEL, "kernel", ("stream", stream), start, 400_000, args))
        return events

    sender = launched(0, [90_000, 20_000], [7, 20])  # the first one launched starts last
    receiver = launched(1, [20_000, 90_000], [7, 20])
    run = Run.of([make_table(sender, 0), make_table(receiver, 1)])
    found = find(run)
    places = [run.traces[trace].tracks[run.traces[trace].track[row - run.row_base[trace]]].stream
              for trace, row in zip(found.trace.tolist(), found.row.tolist(), strict=True)]  # fmt: skip
    assert places in ([7, 7, 20, 20], [20, 20, 7, 7])


def test_a_collective_with_a_root_meets_where_all_waited() -> None:
    args = told([0, 1], Seq=0, **{"Collective name": "broadcast"})
    run = job([[(0, 50_000, args)], [(40_000, 10_000, args)]])
    assert states(run) == [State.MET]
    assert states(job([[(0, 500, args)], [(40_000, 10_000, args)]])) == [State.APART]


def test_ranks_of_another_run_are_absent(samples: Path) -> None:
    run = read_run([samples / "hta" / f"sampled_rank-{rank}.json.gz" for rank in (0, 1)])
    assert set(states(run)) <= {State.ABSENT, State.MISSING}


def test_it_picks_meetings_with_their_members() -> None:
    made = Job([0, 0, 0])
    for ranks in ([0, 1, 2], [0, 1], [1, 2], [0, 1, 2]):
        made.collective(ranks, **told(ranks))
    run = made.run()
    found = find(run)
    assert members(found, run) == [[0, 1, 2], [0, 1], [1, 2], [0, 1, 2]]
    assert members(found.at(np.array([3, 1])), run) == [[0, 1, 2], [0, 1]]
    assert members(found.at(found.counts == 2), run) == [[0, 1], [1, 2]]
