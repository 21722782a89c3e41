"""PyTorch execution traces: both layouts, order, ranks, groups, and what is damaged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulation.errors import DamagedTrace, EmptyTrace, TraceError
from simulation.events import EventTable
from tests.simulation.nodes import document, flat_op, needs, op, read, roots, times_us

GROUP = '[{"pg_name": "0", "pg_desc": "default_pg", "backend_config": "cuda:nccl", "ranks": [], "group_size": 4}]'


def side(table: EventTable, name: str, column: str) -> list[Any]:
    values: Any = table.sides[name][column]
    return [values[line] for line in range(len(values))]


@pytest.mark.parametrize("make", [op, flat_op])
def test_it_nests_calls_and_keeps_their_order(tmp_path: Path, make: Any) -> None:
    nodes = [make(5, 4, 3, "inner"), make(4, 2, 2, "outer"), make(7, 2, 4, "next"), *roots()]
    table = read(tmp_path, document(nodes))
    assert table.info.format == "pytorch_et"
    assert table.info.placed == "replay"
    assert {name: times for name, times in times_us(table).items() if "[" not in name} == {
        "outer": (0, 1), "inner": (0, 1), "next": (1, 2),
    }  # fmt: skip
    told = needs(table)
    assert (told["inner"], told["outer"]) == (["outer!"], ["[pytorch|profiler|execution_trace|thread]!"])
    ids = zip(side(table, "ops", "record_function"), side(table, "nodes", "node"), strict=True)
    assert set(ids) == {(0, 1), (0, 2), (2, 4), (3, 5), (4, 7)}
    assert table.quality.counts() == {"placed_by_replay": 5, "unknown_durations": 2, "no_steps": 1}


def test_it_orders_threads_by_when_their_calls_began(tmp_path: Path) -> None:
    nodes = [*roots(1), op(3, 2, 1, "a", 1), op(4, 2, 2, "b", 2), op(5, 2, 3, "c", 1)]
    times = times_us(read(tmp_path, document(nodes)))
    assert [times[name] for name in "abc"] == [(0, 1), (1, 2), (2, 3)]


def test_it_keeps_the_whole_node_as_args(tmp_path: Path) -> None:
    table = read(tmp_path, document([op(3, 3, 1, values=[[1, 2, 0, 4, 4, "cuda:0"]])]))
    assert b'"cuda:0"' in table.args[0]
    assert side(table, "shapes", "types") == ['["Int"]']


@pytest.mark.parametrize(
    ("values", "rank"),
    [
        ([[[9, 9, 0, 4, 4, "cuda:3"]], 33, ["0", "default_pg"], 3, "allreduce", [], []], 3),
        ([141, 0, 2, "wait", [], []], 2),
        ([[[9, 9, 0, 4, 4, "cuda:3"]], 33, ["0", "default_pg"], 0, "broadcast", [], []], None),  # the root
        ([[[9, 9, 0, 4, 4, "cuda:3"]], 33, ["5", "tensor_parallel"], 1, "allreduce", [], []], None),
        (["wait"], None),
        ([33, ["0", ""], True, "wait"], None),
    ],
)
def test_it_learns_the_rank_from_collectives_of_all(tmp_path: Path, values: list[Any], rank: int | None) -> None:
    table = read(tmp_path, document([op(3, 3, 1, "record_param_comms", values=values)]))
    assert table.info.rank == rank


def test_it_believes_no_rank_on_which_collectives_disagree(tmp_path: Path) -> None:
    nodes = [op(at, at, at, "record_param_comms", values=[7, 0, at, "wait"]) for at in (1, 2)]
    assert read(tmp_path, document(nodes)).info.rank is None


def test_it_reads_groups_and_collectives(tmp_path: Path) -> None:
    told = {"collective_name": "allreduce", "dtype": "Float", "in_msg_nelems": 8, "pg_name": "0", "pg_size": 4}
    nodes = [op(3, 3, 1, "## process_group:init ##", values=[GROUP]), op(4, 4, 2, "record_param_comms", **told)]
    table = read(tmp_path, document(nodes))
    assert table.info.world_size == 4
    columns = ("collective", "dtype", "in_elements", "group", "group_size")
    assert [side(table, "collectives", column) for column in columns] == [["allreduce"], ["Float"], [8], ["0"], [4]]


def test_it_reads_what_is_whole_of_a_file_that_was_cut_off(tmp_path: Path) -> None:
    whole = document([op(3, 3, 1, "a"), op(4, 4, 2, "b")])
    table = read(tmp_path, whole[:-40])
    assert (len(table), table.quality.count("truncated")) == (1, 1)


def test_it_mends_names_and_counts_what_is_no_node(tmp_path: Path) -> None:
    text = document([op(3, 3, 1, "a~b"), op(4, 4, 2, "c|d")]).replace(b"a~b", b"a\xffb").replace(b"c|d", b"c\x01d")
    text = text.replace(b'"nodes": [', b'"nodes": [5, {"name": "no id"}, {"id": "x"}, ')
    table = read(tmp_path, text)
    assert sorted(table.names) == ["a\ufffdb", "c\x01d"]
    assert (table.quality.count("unknown_phases"), table.quality.count("invalid_utf8")) == (3, 1)
    assert len(table.sides["unplaced"]["source_index"]) == 3


def test_it_takes_the_first_of_nodes_with_one_id(tmp_path: Path) -> None:
    table = read(tmp_path, document([op(3, 3, 1, "a"), op(3, 3, 2, "b"), op(4, 3, 3, "c")]))
    assert needs(table)["c"] == ["a!"]
    assert table.quality.count("repeated_nodes") == 1


def test_it_counts_parents_that_are_not_there(tmp_path: Path) -> None:
    table = read(tmp_path, document([op(3, 9, 1, "a")]))
    assert (needs(table)["a"], table.quality.count("dangling_dependencies")) == ([], 1)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        (b'{"schema": "1", "nodes": []}', EmptyTrace, "no events"),
        (b'{"schema": "1", "nodes": [1, null, "x"]}', EmptyTrace, "no event with a time"),
        (b'{"schema": "1", "nodes": 7}', DamagedTrace, "not a list"),
        (b'{"schema": "1", "nodes": [' + b"[" * 9999, EmptyTrace, "no events"),
        (b'{"schema": "1", "pid": 1e, "nodes": []}', DamagedTrace, "not JSON"),
        (b'{"schema": "1", "nodes"', DamagedTrace, "in the middle"),
    ],
)
def test_it_refuses_what_has_no_nodes(tmp_path: Path, text: bytes, error: type[TraceError], said: str) -> None:
    with pytest.raises(error, match=said) as caught:
        read(tmp_path, text)
    assert caught.value.file == "file"


def test_it_opens_again_as_it_was_saved(tmp_path: Path) -> None:
    table = read(tmp_path, document([op(3, 2, 1, "a"), *roots()]))
    table.save(tmp_path / "saved")
    opened = EventTable.open(tmp_path / "saved")
    assert needs(opened) == needs(table)
    assert (opened.info.placed, opened.paired) == ("replay", None)


def test_it_replaces_half_characters(tmp_path: Path) -> None:
    table = read(tmp_path, document([op(3, 3, 1, "a~b")]).replace(b"a~b", b"\\ud83d"))
    assert (table.names, table.quality.count("invalid_utf8")) == (("\ufffd",), 1)
