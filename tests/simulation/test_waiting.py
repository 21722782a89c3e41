"""Who waited for whom, against figures worked out by hand and those known of the samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulation.analysis import waiting
from simulation.analysis.waiting import Waits
from simulation.graph import build_graph
from simulation.rendezvous import find
from simulation.replay import replay, replay_run
from simulation.replay.prediction import row_times
from simulation.run import Run, measured_times, read_run
from tests.simulation.test_rendezvous import job, told


@pytest.fixture(scope="module")
def dlrm(samples: Path) -> Run:
    return read_run([samples / "param" / "dlrm_kineto.tar.gz"])


def waits_of(run: Run) -> Waits:
    return Waits.of(find(run), *measured_times(run.aligned()))


def test_each_waits_for_the_last() -> None:
    first, second = told([0, 1, 2], Seq=0), told([0, 1], Seq=0, **{"Process Group Name": "dp"})
    run = job([
        [(100, 900, first), (5_000, 300, second)],
        [(400, 600, first), (5_100, 200, second)],
        [(250, 750, first)],
    ])  # fmt: skip
    waits = waits_of(run)
    assert waiting.counts(waits.met) | {"seen": 2, "matched": 2, "wait_visible": 2} == waiting.counts(waits.met)
    assert waits.wait_ns.tolist() == [300, 0, 150, 100, 0]
    assert waits.transfer_ns.tolist() == [600, 600, 600, 200, 200]
    assert [run.ranks[trace] for trace in waits.met.trace[waits.last]] == [1, 1]
    (straggler,) = waiting.stragglers(run, waits)
    assert (straggler["rank"], straggler["last_in"], straggler["waited_ns"]) == (1, 2, 550)
    assert [(other["rank"], other["waited_ns"]) for other in straggler["waiting"]] == [(0, 400), (2, 150)]
    assert [(part["collective"], part["waited_ns"]) for part in straggler["of_which"]] == [
        ("allreduce of group tp", 450), ("allreduce of group dp", 100),
    ]  # fmt: skip
    one = waiting.listed(run, waits, [1])[0]
    assert (one["collective"], one["last_rank"], one["waited_ns"], len(one["members"])) == (
        "allreduce of group dp", 1, 100, 2,
    )  # fmt: skip
    member = one["members"][0]
    assert run.traces[0].start_ns[member["row"]] + run.shift_ns[0] == member["arrival_ns"]
    assert (member["wait_ns"], member["transfer_ns"]) == (100, 200)


def test_without_collectives_nobody_waited() -> None:
    run = job([[]])
    waits = waits_of(run)
    assert (len(waits), waiting.stragglers(run, waits), waiting.listed(run, waits, range(0))) == (0, [], [])


def test_it_names_the_late_rank_of_each_collective(dlrm: Run) -> None:
    """The order of the eight: SendRecv x4, AllReduce, SendRecv, AllReduce, AllReduce; known from their durations."""
    waits = waits_of(dlrm)
    listed = waiting.listed(dlrm, waits, range(len(waits)))
    assert [each["last_rank"] for each in listed] == [7, 7, 7, 7, 7, 5, 5, 4]
    assert [each["kind"] for each in listed] == [
        "sendrecv", "sendrecv", "sendrecv", "sendrecv", "allreduce", "sendrecv", "allreduce", "allreduce",
    ]  # fmt: skip
    last = np.array([[member["transfer_ns"] for member in each["members"]] for each in listed])
    assert (last.max(axis=1) - last.min(axis=1) <= 10_000).all()  # all end together, once all have come
    assert listed[0]["members"][1]["wait_ns"] == pytest.approx(7_625_000, abs=5_000)


def test_replay_reproduces_what_each_rank_spent_in_each_collective(dlrm: Run) -> None:
    aligned, graph = dlrm.aligned(), build_graph(dlrm)
    measured = Waits.of(find(dlrm), *measured_times(aligned))
    for residuals in (True, False):
        replayed = Waits.of(find(dlrm), *row_times(aligned, replay(graph, residuals=residuals)))
        assert (measured.met.trace[measured.last] == replayed.met.trace[replayed.last]).all()
        spent, again = (each.wait_ns + each.transfer_ns for each in (measured, replayed))
        close = np.abs(again - spent) <= np.maximum(20_000, 0.05 * spent)
        assert np.minimum.reduceat(close, measured.met.offsets[:-1]).all()
    report = replay_run(dlrm).report
    assert report["collectives"]["stragglers"]["measured"] == report["collectives"]["stragglers"]["predicted"]
    assert [each["rank"] for each in report["collectives"]["stragglers"]["measured"]] == [7, 5, 4]
    assert report["quality"] == []


def test_gloo_on_the_host_waits_too(demo_files: list[Path]) -> None:
    run = read_run(demo_files)
    aligned, graph = run.aligned(), build_graph(run)
    measured = Waits.of(find(run), *measured_times(aligned))
    replayed = Waits.of(find(run), *row_times(aligned, replay(graph, residuals=False)))
    assert len(measured) == 5
    spent, again = (each.wait_ns + each.transfer_ns for each in (measured, replayed))
    assert (np.abs(again - spent) <= np.maximum(20_000, 0.05 * spent)).all()
    assert measured.last.tolist() == replayed.last.tolist()
