"""How much there is of a generated run: what its tables hold against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from simulation.events import EventTable
from simulation.workload import Device, Link, Workload, generated_run, volumes
from simulation.workload.costs import Costs
from simulation.workload.layout import place
from simulation.workload.spec import ELEMENT_BYTES

SMALL = {"hidden": 64, "heads": 4, "sequence": 32, "vocabulary": 256}


def moved_bytes(table: EventTable, group: str, collectives: tuple[str, ...], category: str = "kernel") -> int:
    """Sum over the device's collectives of one process group."""
    side = table.sides["collectives"]
    wanted = table.category_mask(frozenset({category}))[side["row"]]
    names = [side["group"][at] == group and side["collective"][at] in collectives for at in range(len(wanted))]
    return int(np.asarray(side["in_elements"])[np.array(names, bool) & wanted].sum()) * ELEMENT_BYTES


@pytest.mark.parametrize(("dp", "tp", "pp"), [(2, 2, 2), (1, 4, 1), (2, 1, 4), (1, 1, 1)])
def test_collectives_move_what_the_closed_forms_say(dp: int, tp: int, pp: int) -> None:
    spec = Workload(**SMALL, layers=4, micro_batches=3, dp=dp, tp=tp, pp=pp, steps=2, bucket_mib=0.02)
    for rank, table in enumerate(generated_run(spec).traces):
        each = place(spec, rank)
        names = {kind: group.name for kind, group in each.groups.items()}
        found = {
            "tensor": moved_bytes(table, names["tensor"], ("allreduce",)),
            "data": moved_bytes(table, names["data"], ("allreduce",)),
            "pipeline": moved_bytes(table, names["pipeline"], ("send",)),
        }
        assert found == {
            "tensor": 2 * volumes.tensor_parallel_bytes(spec, each.stage),
            "data": 2 * volumes.data_parallel_bytes(spec, each.stage),
            "pipeline": 2 * volumes.pipeline_bytes(spec, each.stage),
        }


def test_every_transfer_has_its_call_and_both_ends() -> None:
    spec = Workload(**SMALL, layers=4, dp=1, tp=1, pp=4, steps=1)
    tables = generated_run(spec).traces
    group = place(spec, 0).groups["pipeline"].name
    sent = [moved_bytes(table, group, ("send",)) for table in tables]
    assert sum(sent) == sum(moved_bytes(table, group, ("recv",)) for table in tables)
    assert sent == [moved_bytes(table, group, ("send",), "cpu_op") for table in tables]


def test_a_layer_has_twelve_h_squared_parameters() -> None:
    spec = Workload(hidden=1024, heads=16, tp=1)
    assert volumes.weights(spec).layer == 12 * 1024**2 + 13 * 1024


def test_tensor_parallel_ranks_share_all_but_norms_positions_and_outer_biases() -> None:
    h, layers, one = 1024, 4, {"hidden": 1024, "heads": 16, "layers": 8, "pp": 2}
    for stage, uncut in ((0, 6 * h * layers + 2048 * h), (1, 6 * h * layers + 2 * h)):
        whole, part = (volumes.parameters(Workload(**one, tp=tp), stage) for tp in (1, 4))
        assert 4 * part - whole == 3 * uncut


def test_ranks_are_laid_out_tensor_first() -> None:
    spec = Workload(dp=2, tp=2, pp=2)
    groups = place(spec, 5).groups
    assert {kind: group.ranks for kind, group in groups.items()} == {
        "tensor": (4, 5),
        "data": (5, 7),
        "pipeline": (1, 5),
    }
    members = {(group.name, group.ranks) for rank in range(8) for group in place(spec, rank).groups.values()}
    assert len(members) == len({name for name, _ in members}) == 12


def test_work_costs_what_the_roofline_says() -> None:
    costs = Costs(Workload())
    device = costs.spec.device
    n = 8192
    assert costs.gemm_ns(n, n, n) == round(2000 + 2 * n**3 / (device.tflops * 1000 * device.gemm_efficiency))
    assert costs.memory_ns(10**9) == round(2000 + 2e9 / (device.memory_gb_per_s * device.memory_efficiency))


def test_transfers_cost_alpha_and_beta_and_more_between_nodes() -> None:
    costs = Costs(Workload(tp=1))
    size = 2**26
    near, far = costs.all_reduce_ns(size, range(8)), costs.all_reduce_ns(size, range(4, 12))
    link, network = costs.spec.device.all_reduce, costs.spec.device.network
    assert near == round(link.alpha_us * 1000 + size * 2 * 7 / 8 / link.gb_per_s)
    assert far == round(network.alpha_us * 1000 + size * 2 * 7 / 8 / network.gb_per_s)
    assert Costs(Workload(device=Device(send_recv=Link(0, 0)))).send_ns(size, (0, 1)) == 0
