"""A Kineto trace and an execution trace of one rank become one trace."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from simulation.events import EventTable
from simulation.formats import read_trace
from simulation.formats.pairing import paired
from simulation.run import Run, read_run
from tests.simulation.nodes import document, op, roots
from tests.simulation.traces import event

CALLS = [("outer", 0, 10, 1), ("inner", 0, 4, 2), ("inner", 5, 3, 3), ("next", 20, 5, 4)]
NODES = [*roots(), op(3, 2, 1, "outer"), op(4, 3, 2, "inner"), op(5, 3, 3, "inner"), op(6, 2, 4, "next")]
RANK_NODE = op(9, 2, 5, "record_param_comms", values=[7, 0, 1, "wait"])


def kineto(path: Path, rank: int | None = None, ids: bool = True, pid: int = 77) -> EventTable:
    steps = [event("ProfilerStep#3", 0, 40, "user_annotation", pid=pid, tid=77)]
    calls = [
        event(name, start, dur, "cpu_op", pid=pid, tid=77, args={"Record function id": id_} if ids else {})
        for name, start, dur, id_ in CALLS
    ]
    top = {} if rank is None else {"distributedInfo": {"rank": rank, "world_size": 2}}
    path.write_text(json.dumps({**top, "traceEvents": steps + calls}))
    return read_trace(path)


def nodes_of(path: Path, *more: dict[str, Any], pid: int = 77) -> EventTable:
    path.write_bytes(document([*NODES, *more], pid=pid))
    return read_trace(path)


def tied(table: EventTable) -> list[tuple[str, str]]:
    """Names on both sides of the pairs."""
    assert table.paired is not None
    pairs: Any = table.sides["pairs"]
    rows = zip(pairs["row"].tolist(), pairs["paired_row"].tolist(), strict=True)
    return [(table.name_of(row), table.paired.name_of(other)) for row, other in rows]


@pytest.mark.parametrize(("ids", "by"), [(True, "record function id"), (False, "thread order")])
def test_it_ties_operations(tmp_path: Path, ids: bool, by: str) -> None:
    (table,) = paired([nodes_of(tmp_path / "nodes.json"), kineto(tmp_path / "kineto.json", ids=ids)])
    assert (table.info.format, table.info.placed) == ("kineto", "recorded")
    assert tied(table) == [(name, name) for name in ("outer", "inner", "next", "inner")] or sorted(tied(table)) == [
        (name, name) for name in ("inner", "inner", "next", "outer")
    ]
    assert table.info.metadata["paired"] == {"file": "nodes.json", "by": by, "pairs": 4, "operations": 4}
    assert table.quality.counts() == {}


def test_it_pairs_by_rank_before_process(tmp_path: Path) -> None:
    tables = [
        nodes_of(tmp_path / "nodes.json", RANK_NODE),
        kineto(tmp_path / "a.json", rank=0),
        kineto(tmp_path / "b.json", rank=1, pid=78),
    ]
    found = paired(tables)
    assert [table.paired is not None for table in found] == [False, True]
    assert found[1].quality.count("unpaired_nodes") == 1


def test_it_takes_the_rank_from_either(tmp_path: Path) -> None:
    (table,) = paired([kineto(tmp_path / "kineto.json"), nodes_of(tmp_path / "nodes.json", RANK_NODE)])
    assert table.info.rank == 1


def test_it_leaves_files_of_two_runs_apart(tmp_path: Path) -> None:
    others = document([op(at, at, at, f"other {at}") for at in range(1, 9)], pid=77)
    (tmp_path / "other.json").write_bytes(others)
    found = paired([kineto(tmp_path / "kineto.json"), read_trace(tmp_path / "other.json")])
    assert [table.paired for table in found] == [None, None]
    run = Run.of(found)
    assert run.placed == "replay"
    assert run.shift_ns == (0, 0)  # the placed one begins where the recorded one does


def test_it_opens_a_saved_pair(tmp_path: Path) -> None:
    kineto(tmp_path / "kineto.json")
    nodes_of(tmp_path / "nodes.json")
    run = read_run([tmp_path / "kineto.json", tmp_path / "nodes.json"])
    run.save(tmp_path / "run")
    opened = Run.open(tmp_path / "run")
    assert (len(opened.traces), opened.placed) == (1, "recorded")
    assert tied(opened.traces[0]) == tied(run.traces[0])
    nodes = opened.traces[0].paired
    assert nodes is not None and nodes.dependencies is not None and len(nodes.dependencies) == 5


def test_it_joins_samples_by_record_function_id(samples: Path) -> None:
    run = read_run([samples / "param/resnet_1gpu_et_1.0.3.json.gz", samples / "hta/nccl_data.json.gz"])
    told = run.traces[0].info.metadata["paired"]
    assert (len(run.traces), told["by"], told["pairs"]) == (1, "record function id", 14_388)


def test_it_joins_two_ranks_of_a_sample(samples: Path) -> None:
    folder = samples / "torch_cpu/ddp_2layer"
    run = read_run([folder / f"{kind}_rank{rank}.json.gz" for kind in ("et", "kineto") for rank in (0, 1)])
    assert run.ranks == (0, 1)
    assert [trace.info.metadata["paired"]["pairs"] for trace in run.traces] == [11_245, 11_245]
    assert run.quality.count("unpaired_nodes") == 2  # the node of the process groups, of each rank


def test_it_joins_samples_without_ids_by_thread_order(samples: Path, tmp_path: Path) -> None:
    for name in ("dlrm_kineto", "dlrm_pytorch_et"):
        with tarfile.open(samples / f"param/{name}.tar.gz") as tar:
            tar.extractall(tmp_path, filter="data")
    run = read_run(sorted(tmp_path.rglob("*.json")))
    told = [trace.info.metadata["paired"] for trace in run.traces]
    assert run.ranks == tuple(range(8))
    assert {one["by"] for one in told} == {"thread order"}
    assert [one["pairs"] for one in told] == [1668, 1668, 1670, 1670, 1664, 1672, 1672, 1668]
