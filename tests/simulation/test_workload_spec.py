"""A workload's document: what is refused, and by which key."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from simulation.errors import TraceError
from simulation.workload import DEVICES, Workload


@pytest.mark.parametrize(
    ("document", "key"),
    [
        ({"layer": 3}, "workload.layer is not known"),
        ({"layers": 0}, "workload.layers is '0'"),
        ({"layers": 2.5}, "workload.layers is '2.5'"),
        ({"layers": True}, "workload.layers is 'True'"),
        ({"hidden": "4096"}, "workload.hidden is '4096'"),
        ({"jitter": float("nan")}, "workload.jitter is 'nan'"),
        ({"jitter": -0.1}, "workload.jitter"),
        ({"seed": None}, "workload.seed"),
        ({"sync_events": 1}, "workload.sync_events is '1', not true or false"),
        ({"hidden": 100, "heads": 3, "tp": 1}, "workload.hidden is 100, not a multiple of heads = 3"),
        ({"layers": 3, "pp": 2}, "workload.layers is 3, not a multiple of pp = 2"),
        ({"dp": 65_536, "tp": 2}, "workload.dp makes"),
        ({"straggler": 8}, "workload.straggler is 8; the ranks are 0 to 7"),
        ({"device": "H1000"}, "workload.device.name is 'H1000'"),
        ({"device": {"name": "H100", "tflop": 1}}, "workload.device.tflop is not known"),
        ({"device": {"tflops": -1}}, "workload.device.tflops"),
        ({"device": {"network": {"alpha_us": "x"}}}, "workload.device.network.alpha_us"),
        ({"device": 5}, "workload.device is '5', not an object"),
        ({"host": {"op_us": []}}, "workload.host.op_us"),
        ({"host": None}, "workload.host is 'None', not an object"),
    ],
)
def test_it_names_the_key_that_is_wrong(document: dict[str, Any], key: str) -> None:
    with pytest.raises(TraceError) as refused:
        Workload.of(document)
    assert key in str(refused.value)


def test_it_takes_back_what_it_gives() -> None:
    spec = Workload(layers=4, straggler=1, device=DEVICES["A100"])
    assert Workload.of(spec.document()) == spec
    assert Workload.of({}) == Workload()


def test_a_known_device_can_be_changed_and_an_unknown_one_described() -> None:
    faster = Workload.of({"device": {"name": "A100", "memory_gb_per_s": 5000.0}}).device
    assert faster == dataclasses.replace(DEVICES["A100"], memory_gb_per_s=5000.0)
    own = Workload.of({"device": {"name": "Own 1", "tflops": 100, "memory_gb_per_s": 900}}).device
    assert (own.name, own.tflops) == ("Own 1", 100)


def test_clocks_are_off_by_at_most_what_was_asked() -> None:
    skew = Workload(dp=64, skew_us=250).clock_skew_ns()
    assert len(skew) == 256 and 200_000 < abs(skew).max() <= 250_000 and len(set(skew.tolist())) > 200
    assert not Workload().clock_skew_ns().any()
