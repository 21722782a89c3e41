"""How much there is of it: parameters, and bytes that collectives move. Sizes on one rank."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.workload.spec import ELEMENT_BYTES, Workload


@dataclass(frozen=True)
class Weights:
    """Elements on one rank of the matrices of a layer and their biases; tensor parallelism cuts all but norms."""

    hidden: int
    tp: int

    @property
    def norm(self) -> int:
        return 2 * self.hidden

    @property
    def qkv(self) -> int:
        return self.column(3 * self.hidden)

    @property
    def projection(self) -> int:
        return self.hidden * self.hidden // self.tp + self.hidden

    @property
    def up(self) -> int:
        return self.column(4 * self.hidden)

    @property
    def down(self) -> int:
        return 4 * self.hidden * self.hidden // self.tp + self.hidden

    @property
    def layer(self) -> int:
        return 2 * self.norm + self.qkv + self.projection + self.up + self.down

    def column(self, outputs: int) -> int:
        """A matrix whose outputs are shared out, with its bias."""
        return (self.hidden + 1) * outputs // self.tp


def weights(spec: Workload) -> Weights:
    return Weights(spec.hidden, spec.tp)


def embedding(spec: Workload) -> int:
    """Words, shared out, and positions: on the first stage."""
    return spec.vocabulary // spec.tp * spec.hidden + spec.sequence * spec.hidden


def head(spec: Workload) -> int:
    """The last norm and the output matrix, not tied to the embedding: on the last stage."""
    return 2 * spec.hidden + spec.vocabulary // spec.tp * spec.hidden


def parameters(spec: Workload, stage: int) -> int:
    """Elements on one rank of a stage."""
    ends = embedding(spec) * (stage == 0) + head(spec) * (stage == spec.pp - 1)
    return spec.stage_layers * weights(spec).layer + ends


def activation_bytes(spec: Workload) -> int:
    """What one layer hands to the next, of a micro-batch."""
    return spec.tokens * spec.hidden * ELEMENT_BYTES


def tensor_parallel_bytes(spec: Workload, stage: int) -> int:
    """All-reduced by one rank in a step: four per layer and micro-batch, one for the embedding, one for the head."""
    if spec.tp == 1:
        return 0
    each = 4 * spec.stage_layers + (stage == 0) + (stage == spec.pp - 1)
    return each * spec.micro_batches * activation_bytes(spec)


def data_parallel_bytes(spec: Workload, stage: int) -> int:
    """All-reduced by one rank in a step: every gradient once."""
    return parameters(spec, stage) * ELEMENT_BYTES if spec.dp > 1 else 0


def pipeline_bytes(spec: Workload, stage: int) -> int:
    """Sent by one rank in a step: activations to the next stage, their gradients to the one before."""
    neighbours = (stage > 0) + (stage < spec.pp - 1)
    return neighbours * spec.micro_batches * activation_bytes(spec)
