"""Change a run and replay it: against a machine that runs the changed job moment by moment.

Where the graph is known - built from the programs, nothing inferred - all starts are equal to the nanosecond. Where
it is inferred from the trace that the job left behind, steps are within 1 %.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.graph import Family, TaskGraph, build_graph
from simulation.replay import replay
from simulation.run import Run
from simulation.trust.ablation import taken_away
from simulation.workload import Workload
from simulation.workload.execution import Execution, run_programs, step_programs
from simulation.workload.jobs import Jobs
from simulation.workload.labels import Label
from simulation.workload.layout import place
from simulation.workload.machine import Job
from simulation.workload.program import Program, Writer
from simulation.workload.recording import Recording
from simulation.workload.spec import Host
from simulation.workload.table import table_of
from tests.simulation.known_graph import MEET, SYNC, WAIT, KnownGraph
from tests.simulation.workload_machine import SlowMachine

SMALL = {"layers": 2, "hidden": 64, "heads": 4, "sequence": 32, "vocabulary": 256, "micro_batches": 2}
CLASSES = {
    "kernels": ("work_ns",),
    "host": ("before_ns", "takes_ns"),
    "latency": ("latency_ns",),
    "transfers": ("transfer_ns",),
    "stream gap": ("gap_ns",),
    "everything": ("work_ns", "before_ns", "takes_ns", "latency_ns", "transfer_ns", "gap_ns"),
}
FACTORS = (0.5, 2.0)


def scaled(job: Job, names: tuple[str, ...], factor: float) -> Job:
    """The job with some of its arrays times a factor."""

    def times(value: Any) -> Any:
        return round(value * factor) if isinstance(value, int) else np.rint(value * factor).astype(np.int64)

    return job._replace(**{name: times(getattr(job, name)) for name in names})


def slowed(job: Job, rank: int, factor: float) -> Job:
    """The job with one rank's host and kernels slower."""
    found = {}
    for name, cuts in (("before_ns", job.rank_do), ("takes_ns", job.rank_do), ("work_ns", job.rank_work)):
        column = np.array(getattr(job, name))
        mine = slice(int(cuts[rank]), int(cuts[rank + 1]))
        column[mine] = np.rint(column[mine] * factor)
        found[name] = column
    return job._replace(**found)


def assert_equal(known: KnownGraph, job: Job, left_out: int | None = None) -> None:
    """The replay of the known graph, with the durations of `job`, has the starts and ends of the machine."""
    slow = SlowMachine(known.programs, known.steps, job, ignored=frozenset({IGNORED.get(left_out)}))
    slow.run()
    graph, at = known.graph(job)
    node_ns = replay(graph if left_out is None else taken_away(graph, left_out)).node_ns
    for rank in range(len(known.programs)):
        hosts = [(int(node_ns[at[start]]), int(node_ns[at[end]])) for start, end in known.instructions[rank]]
        works = [(int(node_ns[at[start]]), int(node_ns[at[end]])) for start, end in known.works[rank]]
        assert hosts == slow.host_times[rank]
        assert works == [(work.start, work.end) for work in slow.works[rank]]


IGNORED = {WAIT: "wait", SYNC: "sync", MEET: "meet"}

instruction = st.one_of(
    st.tuples(st.just("work"), st.integers(0, 20)),
    st.tuples(st.just("launch"), st.integers(0, 2), st.integers(1, 60_000)),
    st.tuples(st.just("order"), st.integers(0, 2), st.integers(0, 2)),
    st.tuples(st.just("sync"), st.integers(-1, 2)),
)


@st.composite
def jobs(draw: st.DrawFn) -> tuple[list[Program], Job]:
    """Programs of one to three ranks that hold the same meetings in the same order, and a job of them."""
    ranks, meetings = draw(st.integers(1, 3)), draw(st.integers(0, 4))
    streams = draw(st.lists(st.integers(0, 2), min_size=meetings, max_size=meetings))
    programs, meets = [], []
    for _ in range(ranks):
        writer, mine = Writer(Host()), []
        for meeting in range(meetings + 1):
            for drawn in draw(st.lists(instruction, max_size=6)):
                _write(writer, drawn, mine)
            if meeting < meetings:
                writer.launch(streams[meeting], Label("kernel", "meeting"), 1)
                mine.append(meeting)
        writer.sync()
        programs.append(writer.finished())
        meets.append(mine)
    dos, works = [len(p.do) for p in programs], [len(p.work_ns) for p in programs]
    latency = draw(st.integers(0, 20_000))
    job = Job(
        program=np.arange(ranks),
        rank_do=np.cumsum([0, *dos]),
        before_ns=np.concatenate([p.before_ns for p in programs]),
        takes_ns=np.concatenate([p.takes_ns for p in programs]),
        rank_work=np.cumsum([0, *works]),
        latency_ns=np.full(sum(works), latency),
        work_ns=np.concatenate([p.work_ns for p in programs]),
        meeting=np.array([number for mine in meets for number in mine], np.int64),
        members=np.full(meetings, ranks),
        transfer_ns=np.array(draw(st.lists(st.integers(1, 90_000), min_size=meetings, max_size=meetings)), np.int64),
        gap_ns=draw(st.integers(0, 3_000)),
    )
    return programs, job


def _write(writer: Writer, drawn: tuple[Any, ...], meets: list[int]) -> None:
    match drawn:
        case ("work", us):
            writer.pause(us)
        case ("launch", stream, dur_ns):
            writer.launch(stream, Label("kernel", "kernel"), dur_ns)
            meets.append(-1)
        case ("order", first, then):
            writer.order(first, then)
        case ("sync", stream):
            writer.sync(stream)


@given(jobs(), st.sampled_from(sorted(CLASSES)), st.sampled_from(FACTORS))
@settings(max_examples=100, deadline=None)
def test_it_is_exact_when_durations_change(drawn: tuple[list[Program], Job], changed: str, factor: float) -> None:
    programs, job = drawn
    assert_equal(KnownGraph(programs, 1, job), scaled(job, CLASSES[changed], factor))


@given(jobs(), st.integers(0, 2), st.sampled_from(FACTORS))
@settings(max_examples=60, deadline=None)
def test_it_is_exact_when_a_rank_is_slow(drawn: tuple[list[Program], Job], rank: int, factor: float) -> None:
    programs, job = drawn
    assert_equal(KnownGraph(programs, 1, job), slowed(job, rank % len(programs), factor))


@given(jobs(), st.sampled_from(sorted(IGNORED)))
@settings(max_examples=60, deadline=None)
def test_it_is_exact_without_a_family(drawn: tuple[list[Program], Job], kind: int) -> None:
    """Without meetings each kernel of one takes its transfer by itself; without syncs and waits nobody waits."""
    programs, job = drawn
    assert_equal(KnownGraph(programs, 1, job), job, kind)


# Generated training steps


def training(spec: Workload) -> tuple[list[Program], Job, Execution]:
    """One program per rank, the job, and what the fast machine makes of it."""
    places = tuple(place(spec, rank) for rank in range(spec.ranks))
    by_stage = step_programs(spec)
    job = Jobs(spec, places, by_stage).take(spec.steps)
    return [by_stage[each.stage] for each in places], job, run_programs(spec, places, by_stage)


@pytest.mark.parametrize("changed", sorted(CLASSES))
@pytest.mark.parametrize("factor", FACTORS)
def test_a_training_step_is_exact(changed: str, factor: float) -> None:
    programs, job, _ = training(Workload(**SMALL, dp=2, tp=2, pp=2, steps=2, jitter=0.2, seed=5))
    known = KnownGraph(programs, 2, job)
    assert_equal(known, scaled(job, CLASSES[changed], factor))
    assert_equal(known, slowed(job, 3, factor))


LARGE = SMALL | {"hidden": 2048, "heads": 16, "sequence": 1024, "vocabulary": 1024}
"""The device is the slow part."""

SHAPES = [
    pytest.param(shape, id="dp{} tp{} pp{}, {} steps".format(*shape))
    for shape in ((1, 1, 1, 1), (1, 1, 1, 3), (2, 1, 1, 3), (1, 1, 2, 3))
]


def step_times(programs: list[Program], steps: int, job: Job) -> list[list[int]]:
    """How long each step takes on each rank, on the slow machine."""
    slow = SlowMachine(programs, steps, job)
    slow.run()
    found = []
    for program, times in zip(programs, slow.host_times, strict=True):
        opened, closed, length = int(program.slice_open[0]), int(program.slice_close[0]), len(program.do)
        found.append([times[n * length + closed][1] - times[n * length + opened][0] for n in range(steps)])
    return found


def row_factors(run: Run, rank: int | None, kernels: float, host: float) -> tuple[np.ndarray, np.ndarray]:
    """Factors of rows' device work and of rows' host times: f64 per row; of one rank, or of all."""
    mine, is_kernel = [], []
    for trace, table in enumerate(run.traces):
        communicates = np.array(["nccl" in name for name in table.names])[table.columns["name"]]
        is_kernel.append(table.is_device & ~communicates)
        mine.append(np.full(len(table), rank in (None, trace)))
    chosen = np.concatenate(mine)
    return np.where(np.concatenate(is_kernel) & chosen, kernels, 1.0), np.where(chosen, host, 1.0)


def changed_weights(run: Run, graph: TaskGraph, rank: int | None, kernels: float, host: float) -> np.ndarray:
    """The graph's weights with device work, and all that ends on a host thread, times a factor."""
    device, of_host = row_factors(run, rank, kernels, host)
    row_of = np.zeros(graph.nodes, np.int64)
    for nodes in (graph.end_node, graph.start_node):
        row_of[nodes[nodes >= 0]] = np.flatnonzero(nodes >= 0)
    row = row_of[np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))]
    is_device = np.concatenate([table.is_device for table in run.traces])
    to_host = ~is_device[row]  # work, gaps, overheads of waits, hand-overs
    factor = np.where(graph.family == Family.DEVICE_WORK, device[row], np.where(to_host, of_host[row], 1.0))
    return np.rint(graph.weight_ns * factor).astype(np.int64)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sizes", [SMALL, LARGE], ids=["host-bound", "device-bound"])
@pytest.mark.parametrize(
    ("names", "kernels", "host"),
    [
        (("work_ns",), 0.5, 1.0),
        (("work_ns",), 2.0, 1.0),
        (("before_ns", "takes_ns"), 1.0, 0.5),
        (("before_ns", "takes_ns"), 1.0, 2.0),
        ("a rank", 1.5, 1.5),
    ],
    ids=["kernels x 0.5", "kernels x 2", "host x 0.5", "host x 2", "a slow rank"],
)
def test_a_step_inferred_from_its_trace_is_within_one_percent(
    shape: tuple[int, int, int, int],
    sizes: dict[str, int],
    names: Any,
    kernels: float,
    host: float,
) -> None:
    dp, tp, pp, steps = shape
    spec = Workload(**sizes, dp=dp, tp=tp, pp=pp, steps=steps, jitter=0.02, seed=3)
    programs, job, ran = training(spec)
    run = Run.of([table_of(Recording(ran, rank)) for rank in range(spec.ranks)])
    rank = spec.ranks - 1 if names == "a rank" else None
    changed = slowed(job, spec.ranks - 1, kernels) if names == "a rank" else scaled(job, names, kernels * host)
    expected = step_times(programs, spec.steps, changed)
    graph = build_graph(run)
    node_ns = replay(graph, weight_ns=changed_weights(run, graph, rank, kernels, host)).node_ns
    for trace, table in enumerate(run.traces):
        marks = np.asarray(table.sides["steps"]["row"]) + run.row_base[trace]
        took = node_ns[graph.end_node[marks]] - node_ns[graph.start_node[marks]]
        assert took.tolist() == pytest.approx(expected[trace], rel=0.01)
