"""Sends and receives that are enqueued as one kernel: who takes part, and what each waits for."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from simulation.clocks import ties
from simulation.graph import build_graph
from simulation.meetings import meetings_of
from simulation.rendezvous import State, find
from simulation.replay import replay, replay_run
from simulation.run import Run
from tests.simulation.build import Event, make_table, op

KERNEL = "ncclDevKernel_SendRecv(ncclDevKernelArgsStorage<4096ul>)"
TRANSFER_NS = 3_000
GAP_NS = 100_000


def told(rank: int, start: int, word: str, peer: int) -> Event:
    key = "Dst Rank" if word == "send" else "Src Rank"
    args = {"Collective name": word, key: peer, "Process Group Name": "pp", "Rank": rank,
            "dtype": "BFloat16", "In msg nelems": 64, "Out msg nelems": 64}  # fmt: skip
    return Event("record_param_comms", "cpu_op", 1, start, 5, args)


def pipeline(batches: list[list[int]], **kernel_args: Any) -> tuple[Run, list[list[int]]]:
    """Ranks in a row; in each batch all exchange with their neighbours, each arriving at its time. And all ends."""
    ranks = len(batches[0])
    events: list[list[Event]] = [[op(1, 0, 10)] for _ in range(ranks)]
    ends = []
    for number, arrivals in enumerate(batches):
        begin = GAP_NS * (number + 1)
        came = [begin + 1_000 + arrival for arrival in arrivals]
        ends.append([max(came[max(rank - 1, 0) : rank + 2]) + TRANSFER_NS for rank in range(ranks)])
        for rank in range(ranks):
            at = begin
            for peer in (rank - 1, rank + 1):
                if 0 <= peer < ranks:
                    events[rank] += [told(rank, at, "send", peer), told(rank, at + 10, "recv", peer)]
                    at += 20
            args = {"correlation": number + 1}
            events[rank].append(Event("cudaLaunchKernelExC", "cuda_runtime", 1, begin + 200, 50, args))
            dur = ends[-1][rank] - came[rank]
            events[rank].append(Event(KERNEL, "kernel", ("stream", 7), came[rank], dur, {**args, **kernel_args}))
    run = Run.of([make_table(mine, rank) for rank, mine in enumerate(events)])
    return replace(run, clocks=(None,) * ranks), ends


arrivals = st.integers(2, 5).flatmap(
    lambda ranks: st.lists(st.lists(st.integers(0, 40_000), min_size=ranks, max_size=ranks), min_size=1, max_size=4)
)


@given(arrivals)
def test_neighbours_meet_once_in_each_batch(batches: list[list[int]]) -> None:
    run, _ = pipeline(batches)
    found = find(run)
    assert (found.state == State.MET).all()
    assert (found.size_bytes == 128).all()
    met = [tuple(sorted(pair)) for pair in found.trace.reshape(-1, 2).tolist()]
    ranks = len(batches[0])
    assert sorted(met) == sorted([(rank, rank + 1) for rank in range(ranks - 1)] * len(batches))


@given(arrivals, st.integers(0, 4), st.integers(0, 50_000))
def test_each_waits_for_its_own_neighbours(batches: list[list[int]], late: int, by_ns: int) -> None:
    """One rank comes later to the last batch: those beside it end later, the others do not."""
    run, _ = pipeline(batches)
    graph, late = build_graph(run), late % len(batches[0])
    rows = [
        int(base + np.flatnonzero(table.is_device)[-1]) for table, base in zip(run.traces, run.row_base, strict=False)
    ]
    assert not graph.residual_ns[graph.end_node[rows]].any()
    weight = graph.weight_ns.copy()
    node = graph.start_node[rows[late]]
    weight[graph.offsets[node] : graph.offsets[node + 1]] += by_ns
    times = replay(graph, weight_ns=weight).node_ns
    begins = times[graph.start_node[rows]]
    expected = [int(begins[max(rank - 1, 0) : rank + 2].max()) + TRANSFER_NS for rank in range(len(rows))]
    assert times[graph.end_node[rows]].tolist() == expected
    assert replay_run(run).report["error_percent"] == 0


def test_kernels_that_tell_their_own_pair_are_no_batches() -> None:
    run, _ = pipeline([[0, 0]], **{"Collective name": "allreduce", "Process Group Name": "dp"})
    found = find(run)
    assert [found.keys[key].label for key in found.key] == ["allreduce of group dp"]


def test_clocks_are_not_told_by_who_ends_with_another() -> None:
    run, _ = pipeline([[0, 40_000, 0, 20_000]] * 3)
    assert ties([meetings_of(table, rank) for rank, table in enumerate(run.traces)]) == []
    two, _ = pipeline([[0, 40_000]] * 3)
    (tie,) = ties([meetings_of(table, rank) for rank, table in enumerate(two.traces)])
    assert (tie.first, tie.second, tie.offset_ns) == (0, 1, 0)
