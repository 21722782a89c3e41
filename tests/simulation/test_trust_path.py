"""The critical path on measured times beside HolisticTraceAnalysis, which was run once: docs/accuracy.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulation.graph import Family, build_graph
from simulation.replay import replay
from simulation.run import read_run
from simulation.trust.errors import deciding_edges

ANNOTATION = "[param|pytorch.model.alex_net|0|0|0|measure|forward]"


@pytest.mark.parametrize(
    ("name", "instance", "first", "hta_us", "elapsed_us", "gaps_us", "blocking_us"),
    [
        ("alexnet", 0, "aten::zeros", 78_776, 79_287, 496, 14),
        ("alexnet", 1, "cudaDeviceSynchronize", 35_834, 36_025, 176, 14),
        ("simple_add", 0, "aten::zeros", 294_696, 295_992, 1_279, 17),
        ("simple_add", 1, "cudaDeviceSynchronize", 241_724, 242_625, 884, 17),
    ],
)
def test_it_is_as_long_as_htas_and_what_that_weighs_with_nothing(
    samples: Path, name: str, instance: int, first: str, hta_us: int, elapsed_us: int, gaps_us: int, blocking_us: int
) -> None:
    run = read_run([samples / "hta" / f"{name}.json.gz"])
    table = run.traces[0]
    graph = build_graph(run)
    times = replay(graph)
    named = [row for row in range(len(table)) if table.name_of(row) == ANNOTATION]
    window = sorted(named, key=lambda row: int(table.start_ns[row]))[instance]
    inside = np.flatnonzero((table.start_ns >= table.start_ns[window]) & (table.track == table.track[window]))
    begin = min((row for row in inside.tolist() if table.name_of(row) == first), key=lambda row: table.start_ns[row])
    end = max(np.flatnonzero(table.is_device).tolist(), key=lambda row: table.end_ns[row])
    begin_ns = int(times.node_ns[graph.start_node[begin]])
    elapsed = gaps = blocking = 0
    target = np.repeat(np.arange(graph.nodes), np.diff(graph.offsets))
    for edge in deciding_edges(int(graph.end_node[end]), graph.source, times.binding).tolist():
        if times.node_ns[graph.source[edge]] < begin_ns:
            break
        ns = int(times.node_ns[target[edge]] - times.node_ns[graph.source[edge]])
        elapsed += ns
        if graph.family[edge] == Family.THREAD_ORDER:
            starts = np.flatnonzero(graph.start_node == target[edge])
            around = int(table.parent[starts[0]] if len(starts) else np.flatnonzero(graph.end_node == target[edge])[0])
            gaps += ns * (around < 0 or table.category_of(around) == "user_annotation")
            blocking += ns * (around >= 0 and table.name_of(around) == "cudaDeviceSynchronize")
    assert (elapsed, gaps, blocking) == (1000 * elapsed_us, 1000 * gaps_us, 1000 * blocking_us)
    event_waits_us = 1 if name == "alexnet" else 0
    assert elapsed_us == hta_us + gaps_us + blocking_us + event_waits_us
