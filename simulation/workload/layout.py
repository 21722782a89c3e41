"""Which ranks work together: tensor parallelism counts fastest, then data, then pipeline, as Megatron-LM has it."""

from __future__ import annotations

from dataclasses import dataclass

from simulation.workload.spec import Workload

TENSOR, DATA, PIPELINE = "tensor", "data", "pipeline"
DESCRIPTIONS = {
    TENSOR: "TENSOR_MODEL_PARALLEL_GROUP",
    DATA: "DATA_PARALLEL_GROUP",
    PIPELINE: "PIPELINE_MODEL_PARALLEL_GROUP",
}


@dataclass(frozen=True)
class Group:
    """A process group; its name is a number that is its own in the whole job."""

    name: str
    description: str
    ranks: tuple[int, ...]


@dataclass(frozen=True)
class Place:
    """Where a rank stands."""

    rank: int
    tensor: int
    data: int
    stage: int
    groups: dict[str, Group]  # TENSOR, DATA, PIPELINE


def place(spec: Workload, rank: int) -> Place:
    """Coordinates and groups of a rank."""
    tensor, rest = rank % spec.tp, rank // spec.tp
    data, stage = rest % spec.dp, rest // spec.dp
    within = spec.tp * spec.dp
    tensors, datas = spec.dp * spec.pp, spec.tp * spec.pp  # how many groups there are of the kind
    members = {
        TENSOR: (1 + data + spec.dp * stage, range(rank - tensor, rank - tensor + spec.tp)),
        DATA: (1 + tensors + tensor + spec.tp * stage, range(stage * within + tensor, (stage + 1) * within, spec.tp)),
        PIPELINE: (1 + tensors + datas + rank % within, range(rank % within, spec.ranks, within)),
    }
    groups = {kind: Group(str(name), DESCRIPTIONS[kind], tuple(ranks)) for kind, (name, ranks) in members.items()}
    return Place(rank, tensor, data, stage, groups)
