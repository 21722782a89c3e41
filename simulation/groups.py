"""Process groups of a job, as its ranks' files tell them, and what place a rank has in each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from simulation.events import TraceInfo


@dataclass(frozen=True)
class ProcessGroup:
    """Ranks that communicate; a rank's role in the job is its place in each of its groups."""

    name: str  # the job's own: "0", "3"
    description: str  # "default_pg", "TENSOR_MODEL_PARALLEL_GROUP", "" where the file has none
    backend: str  # "cpu:gloo,cuda:nccl"
    ranks: tuple[int, ...]


def groups_of(infos: Sequence[TraceInfo]) -> tuple[ProcessGroup, ...]:
    """The groups that the files list (`distributedInfo.pg_config`), each once, in the order found."""
    return tuple(dict.fromkeys(group for info in infos for group in _listed(info.metadata)))


def _listed(metadata: dict[str, Any]) -> Iterator[ProcessGroup]:
    distributed = metadata.get("distributedInfo")
    configured = distributed.get("pg_config") if isinstance(distributed, dict) else None
    for entry in configured if isinstance(configured, list) else []:
        ranks = entry.get("ranks") if isinstance(entry, dict) else None
        if isinstance(ranks, list) and all(type(rank) is int for rank in ranks):
            name, description, backend = (str(entry.get(key, "")) for key in ("pg_name", "pg_desc", "backend_config"))
            yield ProcessGroup(name, description, backend, tuple(ranks))
