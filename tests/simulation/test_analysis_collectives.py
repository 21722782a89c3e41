"""Arrivals, waits and bandwidths, of a job whose clocks and collectives are known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulation.analysis.collectives import bus_factor
from simulation.analysis.report import analyze
from simulation.analysis.selection import Selection
from simulation.run import Run, read_run
from tests.simulation.job import Job

NAME = "ncclDevKernel_AllReduce_Sum_f32_RING_LL(args)"


def told(sequence: int, elements: int = 1_000_000, name: str = "allreduce", **more: Any) -> dict[str, Any]:
    group = {"Process Group Name": "dp", "Process Group Ranks": "[0, 1, 2]", "Group size": 3, "Seq": sequence}
    sizes = {"In msg nelems": elements, "Out msg nelems": elements, "dtype": "Float"}
    return {"Collective name": name, **group, **sizes, **more}


def late_job(skew_ns: tuple[int, ...] = (0, 5_000_000, -3_000_000)) -> Run:
    """Ten collectives of 20 us; rank 2 comes 300 us late, rank 1 50 us."""
    job = Job(skew_ns, jitter_ns=1)
    for sequence in range(10):
        job.now_ns += 1_000_000
        for rank, late in enumerate((0, 50_000, 300_000)):
            job.record(rank, NAME, job.now_ns + late, job.now_ns + 320_000, ("stream", 20), **told(sequence))
    return job.run()


def test_the_wait_is_taken_out() -> None:
    found = analyze(late_job(), sections=["collectives"])["collectives"]
    (line,) = found["collectives"]
    assert (found["clock"], line["group"], line["kind"]) == ("aligned", "dp", "allreduce")
    assert (line["count"], line["ranks_seen"], line["group_size"], line["latency_ns"]) == (10, 3, 3, 20_000)
    assert line["total_ns"] == 10 * (320_000 + 270_000 + 20_000)
    assert line["wait_ns"] == 10 * (300_000 + 250_000)
    assert line["algorithm_gb_per_s"] == pytest.approx(4_000_000 / 20_000)
    assert line["bus_gb_per_s"] == pytest.approx(4_000_000 / 20_000 * 4 / 3)


def test_it_names_who_came_late() -> None:
    found = analyze(late_job(), sections=["collectives"])["collectives"]
    ranks = found["stragglers"]["ranks"]
    assert [(line["came_last"], line["came_first"]) for line in ranks] == [(0, 10), (0, 0), (10, 0)]
    assert [line["caused_wait_ns"] for line in ranks] == [0, 0, 5_500_000]
    assert [line["wait_ns"] for line in ranks] == [3_000_000, 2_500_000, 0]
    worst = found["worst"][0]
    assert (worst["last_rank"], worst["wait_ns"], worst["skew_start_ns"], worst["transfer_ns"]) == (
        2, 550_000, 300_000, 20_000,
    )  # fmt: skip
    assert found["stragglers"]["steps"] == [{"step": None, "rank": 2, "caused_wait_ns": 5_500_000}]


def test_a_chosen_rank_is_still_compared_with_all() -> None:
    found = analyze(late_job(), Selection(ranks=frozenset([0])), ["collectives"])["collectives"]
    assert (found["collectives"][0]["wait_ns"], found["collectives"][0]["latency_ns"]) == (3_000_000, 20_000)
    assert [line["rank"] for line in found["stragglers"]["ranks"]] == [0]


def test_of_one_rank_nobody_knows_the_wait() -> None:
    job = Job((0,), jitter_ns=1)
    job.record(0, NAME, 100, 500_100, ("stream", 20), **told(0))
    (line,) = analyze(job.run(), sections=["collectives"])["collectives"]["collectives"]
    assert (line["ranks_seen"], line["group_size"], line["wait_ns"], line["latency_ns"]) == (1, 3, 0, 500_000)


def test_a_missed_collective_shifts_nothing_where_they_are_numbered() -> None:
    job = Job((0, 0, 0), jitter_ns=1)
    for sequence in range(6):
        job.collective((0, 1, 2), misses=(1,) if sequence == 2 else (), **told(sequence))
    (line,) = analyze(job.run(), sections=["collectives"])["collectives"]["collectives"]
    assert (line["count"], line["ranks_seen"], line["latency_max_ns"]) == (6, 3, 20_000)


def test_what_cannot_be_matched_stands_alone() -> None:
    job = Job((0, 0), jitter_ns=1)
    for at in range(4):
        job.collective((0, 1), misses=(1,) if at == 3 else ())
    found = analyze(job.run(), sections=["collectives"])["collectives"]
    assert [(line["count"], line["ranks_seen"], line["wait_ns"]) for line in found["collectives"]] == [(7, 1, 0)]


def test_an_all_gather_is_as_large_as_what_comes_out() -> None:
    """The example of TraceLens's documents, at its mean latency: 1632.03125 MiB in 6041.88 us, 8 ranks."""
    job = Job((0,), jitter_ns=1)
    size = int(1632.03125 * 2**20)
    args = {**told(0, name="allgather"), "Group size": 8, "In msg nelems": size // 16, "Out msg nelems": size // 2}
    job.record(
        0, "ncclDevKernel_AllGather_RING_LL(args)", 0, 6_041_880, ("stream", 20), **{**args, "dtype": "BFloat16"}
    )
    (line,) = analyze(job.run(), sections=["collectives"])["collectives"]["collectives"]
    assert line["size_bytes"] == size
    assert line["algorithm_gb_per_s"] / 1.073741824 == pytest.approx(263.79, abs=0.01)  # TraceLens's GB are GiB
    assert line["bus_gb_per_s"] == pytest.approx(line["algorithm_gb_per_s"] * 7 / 8)


def test_bus_factors_are_those_of_nccl_tests() -> None:
    assert [bus_factor(kind, 8) for kind in ("allreduce", "allgather", "reducescatter", "alltoall")] == [
        1.75, 0.875, 0.875, 0.875,
    ]  # fmt: skip
    assert bus_factor("broadcast", 8) is None and bus_factor("allreduce", 1) is None


def test_eight_ranks_meet(samples: Path) -> None:
    found = analyze(read_run([samples / "param" / "dlrm_kineto.tar.gz"]), sections=["collectives"])["collectives"]
    lines = [(line["kind"], line["count"], line["ranks_seen"]) for line in found["collectives"]]
    assert sorted(lines) == [("allreduce", 3, 8), ("sendrecv", 5, 8)]
    ranks = found["stragglers"]["ranks"]
    assert sum(line["came_last"] for line in ranks) == 8 and all(line["meetings"] == 8 for line in ranks)
    assert sum(line["wait_ns"] for line in ranks) == sum(line["caused_wait_ns"] for line in ranks)
