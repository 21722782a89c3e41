"""One implementation: the analysis says of waits what the replay says of them, whatever was recorded of the job."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.analysis.report import analyze
from simulation.analysis.selection import Selection
from simulation.analysis.waiting import Waits, stragglers
from simulation.rendezvous import find
from simulation.replay import replay_run
from simulation.run import Run, measured_times, read_run
from simulation.workload import Workload, generated_run
from tests.simulation.job import Job
from tests.simulation.test_rendezvous import told

drawn = st.tuples(
    st.sampled_from(["allreduce", "broadcast", "alltoall"]),
    st.booleans(),  # numbered
    st.sampled_from([(), (), (), (1,)]),  # who lacks it
    st.booleans(),  # whether the group says that a fourth rank takes part
)


def job_of(meetings: list[tuple[str, bool, tuple[int, ...], bool]]) -> Run:
    job = Job((0, 40_000, -25_000), jitter_ns=200)
    for at, (kind, numbered, misses, absent) in enumerate(meetings):
        group = {"Process Group Name": f"g{int(absent)}{int(numbered)}"}
        args = told([0, 1, 2, 3] if absent else [0, 1, 2], **group, **{"Collective name": kind})
        job.collective((0, 1, 2), misses=misses, **args, **({"Seq": at} if numbered else {}))
    return job.run()


def assert_agree(run: Run) -> dict[str, Any]:
    """The collectives of a replay, compared with those of the analysis."""
    said = replay_run(run).report["collectives"]
    found = analyze(run, sections=["collectives"])["collectives"]
    ranks = {line["rank"]: line for line in found["stragglers"]["ranks"]}
    assert sum(line["wait_ns"] for line in ranks.values()) == said["waited_ns"]["measured"]
    assert sum(line["wait_ns"] for line in found["collectives"]) == said["waited_ns"]["measured"]
    assert sum(line["came_last"] for line in ranks.values()) == said["wait_visible"]
    late = {each["rank"]: (each["last_in"], each["waited_ns"]) for each in said["stragglers"]["measured"]}
    assert late == {
        rank: (line["came_last"], line["caused_wait_ns"]) for rank, line in ranks.items() if line["came_last"]
    }
    return dict(said)


@given(st.lists(drawn, max_size=8))
@settings(max_examples=60, deadline=None)
def test_whatever_was_recorded(meetings: list[tuple[str, bool, tuple[int, ...], bool]]) -> None:
    assert_agree(job_of([*meetings, ("allreduce", True, (), False)]))


def test_a_job_whose_ranks_wait_in_many_ways() -> None:
    spec = Workload(
        layers=2, hidden=512, heads=8, sequence=256, micro_batches=2, steps=2, dp=2, tp=2, pp=2, skew_us=200.0
    )
    assert assert_agree(generated_run(spec))["waited_ns"]["measured"] > 0


@pytest.mark.parametrize("name", ["param/dlrm_kineto.tar.gz", "torch_cpu/ddp_2layer", "deepseek/train.json.gz"])
def test_samples(name: str, samples: Path) -> None:
    assert_agree(read_run([samples / name]))


def test_steps_add_up() -> None:
    run = generated_run(Workload(layers=2, hidden=512, heads=8, sequence=256, micro_batches=2, steps=3, dp=2, pp=2))

    def waited(steps: frozenset[int] | None) -> int:
        found = analyze(run, Selection(steps=steps), ["collectives"])["collectives"]
        return sum(line["wait_ns"] for line in found["stragglers"]["ranks"])

    numbers = analyze(run, sections=["collectives"])["steps"]
    assert sum(waited(frozenset([number])) for number in numbers) == waited(None) > 0


def test_of_an_absent_rank_nobody_can_say_who_waited() -> None:
    found = analyze(job_of([("allreduce", True, (), True)] * 4), sections=["collectives"])["collectives"]
    (line,) = found["collectives"]
    assert (line["count"], line["ranks_seen"], line["wait_ns"]) == (4, 3, 0)
    assert found["worst"] == [] and all(line["meetings"] == 0 for line in found["stragglers"]["ranks"])


def test_a_prediction_keeps_who_met() -> None:
    """At its own times nobody of the first rank's partners would be there yet: it met them all the same."""
    run = job_of([("allreduce", True, (), False)] * 4)
    shifted = run.traces[0].with_times(run.traces[0].start_ns + 50_000_000, run.traces[0].dur_ns)
    predicted = replace(run, traces=(shifted, *run.traces[1:]))
    found = analyze(predicted, sections=["collectives"], measured=run)["collectives"]["stragglers"]["ranks"]
    waits = Waits.of(find(run), *measured_times(predicted.aligned()))
    (late,) = stragglers(predicted, waits)
    assert [(line["came_last"], line["caused_wait_ns"]) for line in found] == [(4, late["waited_ns"]), (0, 0), (0, 0)]
    assert late["rank"] == 0 and late["waited_ns"] > 4 * 2 * 49_000_000
    assert np.array_equal([line["wait_ns"] for line in found][0], 0)
