"""A step of a pipeline stage: its micro-batches in 1F1B order, with what it receives and sends."""

from __future__ import annotations

from typing import Protocol

from simulation.workload.exchange import Exchanges
from simulation.workload.labels import Channel
from simulation.workload.schedule import FORWARD, one_f_one_b


class Stage(Protocol):
    """What a stage computes."""

    def forward(self, micro_batch: int) -> None: ...

    def backward(self, micro_batch: int) -> None: ...


def write_pipeline(stage: Stage, exchanges: Exchanges, elements: int) -> None:
    """All micro-batches of a step; `elements` of activations cross each border."""
    spec, number = exchanges.costs.spec, exchanges.place.stage
    first, last = number == 0, number == spec.pp - 1
    for what, micro_batch in one_f_one_b(number, spec.pp, spec.micro_batches):
        if what == FORWARD:
            if not first:
                exchanges.begin(Channel.FORWARD_IN, elements)
                exchanges.await_(Channel.FORWARD_IN)
            stage.forward(micro_batch)
            if not last:
                exchanges.begin(Channel.FORWARD_OUT, elements)
        else:
            if not last:
                exchanges.begin(Channel.BACKWARD_IN, elements)
                exchanges.await_(Channel.BACKWARD_IN)
            stage.backward(micro_batch)
            if not first:
                exchanges.begin(Channel.BACKWARD_OUT, elements)
