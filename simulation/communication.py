"""Which kernels move data between ranks: one answer for the picture, the graph, the replay and the analysis."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from simulation.events import EventTable

BY_NAME = re.compile(
    r"(?<![a-z])(?:nccl|rccl|msccl|oneccl|hccl|xccl|nvshmem)|cross_device_reduce|\b(?:deep_)?ep::|deep_ep|multimem_all",
    re.IGNORECASE | re.ASCII,
)
"""The libraries' kernels, custom all-reduces, and expert-parallel exchange (DeepEP)."""

HINTS = ("ccl", "nvshmem", "cross_device_reduce", "ep::", "deep_ep", "multimem_all")
"""One of these is in whatever the pattern finds; looking for them first is 50 times faster on a long name."""


def communicates(name: str) -> bool:
    """Whether a kernel of this name moves data between ranks."""
    lowered = name.lower()
    return any(hint in lowered for hint in HINTS) and BY_NAME.search(name) is not None


def which_communicate(names: Sequence[str]) -> np.ndarray:
    """`communicates` of each name: bool, one at least. Hints are looked for in all names at once."""
    lowered = [name.lower() for name in names]
    together = "\n".join(lowered)
    hinted = {at for hint in HINTS if hint in together for at, name in enumerate(lowered) if hint in name}
    found = np.zeros(max(len(names), 1), bool)
    found[[at for at in hinted if BY_NAME.search(names[at])]] = True
    return found


def kernels_that_communicate(table: EventTable) -> np.ndarray:
    """Rows that are communication if they are kernels, by name or by what the file says of them: bool."""
    found = which_communicate(table.names)[table.name]
    found[np.asarray(table.sides["collectives"]["row"])] = True
    return np.asarray(found)
