"""The module that each row ran in, by the nn.Module frames around it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.events import EventTable
from simulation.formats import read_trace
from simulation.formats.modules import FRAME_PREFIX
from tests.simulation.traces import Event, event, kernel, launch, read, side


def frame(name: str, start: float, dur: float) -> Event:
    return event(name, start, dur, "python_function", args={"Python id": 1, "Python parent id": None})


def module(name: str, start: float, dur: float) -> Event:
    return frame(f"nn.Module: {name}", start, dur)


def paths(table: EventTable) -> dict[str, list[str]]:
    order = sorted(range(len(table)), key=lambda row: int(table.source_index[row]))
    return {table.name_of(row): [*table.module_path(row)] for row in order}


def test_it_gives_each_row_the_modules_around_it(tmp_path: Path) -> None:
    table = read(
        tmp_path, frame("train.py(3): main", 0, 100), module("Net_0", 10, 50), frame("net.py(9): forward", 12, 40),
        module("Linear_0", 15, 10), event("aten::mm", 16, 5), launch(17, 1, 4), kernel(90, 5, 4), kernel(95, 1),
        event("aten::add", 30, 2), event("aten::item", 70, 2), module("Linear_0", 80, 5),
        event("elsewhere", 16, 5, tid=8),
    )  # fmt: skip
    found = paths(table)
    assert found["aten::mm"] == found["cudaLaunchKernel"] == ["Net_0", "Linear_0"]
    assert (found["aten::add"], found["aten::item"], found["elsewhere"]) == (["Net_0"], [], [])
    assert found["net.py(9): forward"] == found["nn.Module: Net_0"] == ["Net_0"]
    assert found["nn.Module: Linear_0"] == ["Linear_0"], "the later call stands by itself"
    assert sorted(line["name"] for line in side(table, "module_tree")) == ["Linear_0", "Linear_0", "Net_0"]
    linked = [row for row in range(len(table)) if table.launch[row] >= 0]
    assert [table.module_path(row) for row in linked] == [("Net_0", "Linear_0")]


def test_it_has_no_modules_without_stacks(tmp_path: Path) -> None:
    table = read(tmp_path, event("nn.Module: not a frame", 1, 9), event("op", 2, 1))
    assert (side(table, "module_tree"), side(table, "module_rows"), table.module_path(1)) == ([], [], ())


slices = st.lists(
    st.tuples(st.integers(0, 12), st.integers(0, 8), st.sampled_from(["A", "B", "op"])), min_size=1, max_size=15
)


@settings(max_examples=40)
@given(slices)
def test_it_agrees_with_the_chain_of_parents(
    tmp_path_factory: pytest.TempPathFactory, given_: list[tuple[int, int, str]]
) -> None:
    events = [event(name, *at) if name == "op" else module(name, *at) for *at, name in given_]
    table = read(tmp_path_factory.mktemp("modules"), *events)
    for row in range(len(table)):
        path, above = list[str](), row
        while above >= 0:
            name = table.name_of(above)
            path += [name.removeprefix(FRAME_PREFIX)] if name.startswith(FRAME_PREFIX) else []
            above = int(table.parent[above])
        assert [*table.module_path(row)] == path[::-1]
    nodes = [(line["parent"], line["name"]) for line in side(table, "module_tree")]
    assert len(set(nodes)) == len(nodes) and all(parent < at for at, (parent, _) in enumerate(nodes))


def test_it_finds_the_modules_of_a_real_model(samples: Path, tmp_path: Path) -> None:
    table = read_trace(samples / "tracelens" / "h100" / "bert-small.json.gz")
    tops = {line["name"] for line in side(table, "module_tree") if line["parent"] == -1}
    assert tops == {"BertLMHeadModel_0"}
    placed = [row for row in range(len(table)) if table.is_device[row] and table.module_path(row)]
    assert len(placed) > 0.9 * table.is_device.sum()
    table.save(tmp_path / "store")
    opened = EventTable.open(tmp_path / "store")
    assert [opened.module_path(row) for row in placed] == [table.module_path(row) for row in placed]
    assert json.dumps(side(opened, "module_tree")) == json.dumps(side(table, "module_tree"))
