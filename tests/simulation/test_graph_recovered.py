"""Dependencies between streams that the trace no longer tells: records and sync events deleted, then inferred."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulation.graph import Rule, build_graph
from simulation.graph.recovered import BEFORE_ALL, Recovered, crossings, recovered, seen_of_streams
from simulation.graph.tasks import Tasks
from simulation.run import read_run
from simulation.workload import Workload, recordings, write_kineto
from simulation.workload.exchange import STREAM_IDS
from simulation.workload.recording import Recording

TOLD = ("alexnet", "simple_add", "cuda_event_sync", "cuda_event_sync_multi_stream")
SMALL = {"layers": 4, "hidden": 1024, "heads": 16, "sequence": 1024, "steps": 2, "micro_batches": 2}
WORKLOADS = (
    {**SMALL, "dp": 2, "tp": 1, "pp": 1},
    {**SMALL, "dp": 1, "tp": 2, "pp": 1, "jitter": 0.1},
    {**SMALL, "dp": 2, "tp": 2, "pp": 2},
)


def without_records(source: Path, folder: Path) -> Path:
    """The file again, without records of events and without what the profiler says of waits."""
    document = json.loads(gzip.decompress(source.read_bytes()))
    document["traceEvents"] = [
        event
        for event in document["traceEvents"]
        if event.get("cat") != "cuda_sync" and "EventRecord" not in event.get("name", "")
    ]
    path = folder / source.name
    path.write_bytes(gzip.compress(json.dumps(document).encode(), 1))
    return path


def inferred_of(path: Path, folder: Path) -> tuple[Tasks, np.ndarray]:
    run = read_run([without_records(path, folder)])
    tasks, graph = Tasks.of(run), build_graph(run)
    assert not (graph.rule == Rule.EVENT_TOLD).any()
    return tasks, crossings(tasks, graph)


def of_sample(path: Path, folder: Path) -> Recovered:
    run = read_run([path])
    graph = build_graph(run)
    tasks, inferred = inferred_of(path, folder)
    return recovered(tasks, crossings(Tasks.of(run), graph, (Rule.EVENT_TOLD,)), inferred)


def known_of(recording: Recording, tasks: Tasks) -> np.ndarray:
    """What the generator made wait for what, as places in `tasks.streams`."""
    program, steps = recording.program, recording.spec.steps
    rows = tasks.streams
    ids = np.array([track.stream for track in tasks.run.traces[0].tracks])[tasks.track[rows]]
    place, first = np.zeros((steps, len(program.work_ns)), np.int64), {}
    for stream in np.unique(program.work_stream).tolist():
        first[stream] = int(np.flatnonzero(ids == STREAM_IDS[stream])[0])
        works = np.flatnonzero(program.work_stream == stream)
        place[:, works] = first[stream] + np.arange(steps * len(works)).reshape(steps, -1)
    then = np.repeat(np.arange(len(program.work_ns)), np.diff(program.after_first))
    pairs = np.stack([place[:, program.after].ravel(), place[:, then].ravel()], axis=1)
    return np.asarray(
        pairs[np.repeat(program.work_stream[None, program.after] != program.work_stream[None, then], steps, 0).ravel()]
    )


def of_workload(document: dict[str, object], folder: Path) -> Recovered:
    spec = Workload.of(document)
    found = Recovered(0, 0, 0, 0)
    for path, recording in zip(write_kineto(spec, folder / "whole"), recordings(spec), strict=True):
        tasks, inferred = inferred_of(path, folder)
        found += recovered(tasks, known_of(recording, tasks), inferred)
    return found


def test_it_finds_hidden_edges_of_samples(samples: Path, tmp_path: Path) -> None:
    found = sum((of_sample(samples / f"hta/{name}.json.gz", tmp_path) for name in TOLD), Recovered(0, 0, 0, 0))
    assert found.known >= 10
    assert found.recall >= 0.9 and found.precision >= 0.9


@pytest.mark.parametrize("document", WORKLOADS)
def test_it_finds_hidden_edges_of_generated_traces(document: dict[str, object], tmp_path: Path) -> None:
    found = of_workload(document, tmp_path)
    assert found.known > 20
    assert found.recall >= 0.9 and found.precision >= 0.9


def slow_seen(stream: list[int], starts: list[int], edges: list[tuple[int, int]]) -> list[list[int]]:
    """What ended before each event starts: follow all edges back."""
    before: dict[int, set[int]] = {event: set() for event in range(len(stream))}
    for event in sorted(before, key=lambda event: (starts[event], event)):
        causes = [a for a, b in edges if b == event]
        causes += [event - 1] if event and stream[event - 1] == stream[event] else []
        for cause in causes:
            before[event] |= before[cause] | {cause}
    return [
        [max((a for a in before[event] if stream[a] == s), default=BEFORE_ALL) for s in range(max(stream) + 1)]
        for event in before
    ]


@given(st.data())
def test_it_orders_events_through_others(data: st.DataObject) -> None:
    lengths = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    stream = [number for number, length in enumerate(lengths) for _ in range(length)]
    drawn = [data.draw(st.lists(st.integers(0, 30), min_size=length, max_size=length)) for length in lengths]
    starts = [start for one in drawn for start in sorted(one)]
    pairs = [(a, b) for a in range(len(stream)) for b in range(len(stream)) if (starts[a], a) < (starts[b], b)]
    pairs = [pair for pair in pairs if stream[pair[0]] != stream[pair[1]]]
    edges = sorted(data.draw(st.sets(st.sampled_from(pairs), max_size=6)) if pairs else set(), key=lambda pair: pair[1])
    sources = np.array([a for a, _ in edges], np.int64)
    offsets = np.searchsorted(np.array([b for _, b in edges], np.int64), np.arange(len(stream) + 1))
    order = np.lexsort((np.arange(len(stream)), np.array(starts)))
    seen = seen_of_streams(np.array(stream), order, offsets, sources)
    assert seen.tolist() == slow_seen(stream, starts, edges)


def test_it_counts_what_other_edges_imply() -> None:
    assert Recovered(2, 1, 4, 3) + Recovered(2, 1, 0, 0) == Recovered(4, 2, 4, 3)
    assert Recovered(0, 0, 0, 0).recall == Recovered(0, 0, 0, 0).precision == 1.0
