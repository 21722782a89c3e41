"""Sample execution traces and Chakra files against figures that are known of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulation.analysis.inspect import inspect_run
from simulation.dependencies import Need
from simulation.formats import read_trace
from simulation.run import Run, read_run


@pytest.mark.parametrize(
    ("name", "schema", "nodes", "rank", "world_size"),
    [
        ("param/resnet_1gpu_et_1.0.3", "1.0.3", 14_391, 0, None),
        ("param/resnet_2gpu_et_1.1.0", "1.1.0", 14_392, 1, 2),
        ("torch_cpu/ddp_2layer/et_rank0", "1.1.1", 11_248, None, 2),
        ("torch_cpu/ddp_2layer/et_rank1", "1.1.1", 11_248, None, 2),
    ],
)
def test_it_reads_execution_traces(
    samples: Path, name: str, schema: str, nodes: int, rank: int | None, world_size: int | None
) -> None:
    table = read_trace(samples / f"{name}.json.gz")
    info = table.info
    assert (info.format, len(table), info.rank, info.world_size) == ("pytorch_et", nodes, rank, world_size)
    assert info.metadata["schema"].startswith(schema)
    assert table.dependencies is not None and len(table.dependencies) == nodes - 1  # all but the process have a parent
    assert table.quality.count("dependency_cycles") == 0
    parent = table.dependencies.rows
    child = np.repeat(np.arange(len(table)), np.diff(table.dependencies.offsets))
    assert (table.start_ns[child] >= table.start_ns[parent]).all()
    assert (table.end_ns[child] <= table.end_ns[parent]).all()


def test_it_reads_a_real_chakra_file(samples: Path) -> None:
    table, twin = (read_trace(samples / f"chakra/chakra.0.{kind}") for kind in ("et", "json"))
    assert (len(table), len(twin)) == (3_664, 3_664)
    for one in (table, twin):
        assert one.dependencies is not None
        assert int(np.count_nonzero(one.dependencies.need == Need.DATA)) == 181_878
    ids = np.asarray(table.sides["nodes"]["node"])[np.argsort(table.source_index)]
    assert (ids[0], ids[3]) == (216, 432)
    types = table.sides["nodes"]["node_type"]
    counts = {word: int(np.count_nonzero(types.codes == code)) for code, word in enumerate(types.words)}  # type: ignore[union-attr]
    assert counts == {"COMP_NODE": 3_643, "COMM_COLL_NODE": 21}
    assert len(table.sides["collectives"]["row"]) == 7
    order, other = np.argsort(table.source_index), np.argsort(twin.source_index)
    assert (table.start_ns[order] == twin.start_ns[other]).all()
    assert (table.dur_ns[order] == twin.dur_ns[other]).all()


def test_it_reads_collectives_of_all_ranks(samples: Path) -> None:
    files = sorted((samples / "astra_sim/all_gather/16npus_1MB").glob("*.et"))
    run = read_run(files)
    figures = inspect_run(run)
    assert (figures["format"], figures["placed"], run.ranks) == ("chakra_et", "replay", tuple(range(16)))
    assert {int(trace.sides["nodes"]["message_bytes"][0]) for trace in run.traces} == {2**20}  # type: ignore[arg-type]


def test_every_graph_sample_opens(samples: Path) -> None:
    files = [*(samples / "chakra").iterdir(), *(samples / "astra_sim").rglob("*.et")]
    assert len(files) > 100
    for path in files:
        assert len(Run.of([read_trace(path)]).traces) == 1
