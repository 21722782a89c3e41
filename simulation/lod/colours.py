"""Colours: what an event is (its role) and a shade that tells neighbours of one role apart.

A colour is role * SHADES + shade, 0..23. The role follows the normalized category, and for work that can be either,
whether the name is that of a communication library. The shade is a stable hash of the name without what differs
between calls of the same thing (addresses, counters, template arguments), so a colour means the same in every run.
Both are worked out once per distinct name and category, never per event.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np

from simulation.events import CALL_CATEGORIES
from simulation.lod.index import read_only

SHADES = 4


class Role(IntEnum):
    """What an event does, in the order of the palette."""

    COMPUTE = 0
    COMMUNICATION = 1
    COPY = 2
    HOST_OP = 3
    RUNTIME_CALL = 4
    OTHER = 5  # waiting, annotations, the profiler's own


ROLES: dict[str, Role] = {
    **dict.fromkeys(("kernel", "hpu_op", "mtia_ccp_events"), Role.COMPUTE),
    "collective_comm": Role.COMMUNICATION,
    **dict.fromkeys(("gpu_memcpy", "gpu_memset"), Role.COPY),
    **dict.fromkeys(("cpu_op", "python_function", "user_code"), Role.HOST_OP),
    **dict.fromkeys(CALL_CATEGORIES, Role.RUNTIME_CALL),
}
"""By normalized category; any other is OTHER."""

EITHER = frozenset({"kernel", "cpu_op", "user_annotation", "gpu_user_annotation"})
"""Categories in which a communication library's name makes an event communication."""

_COMMUNICATION = re.compile(
    r"(?<![a-z])(?:nccl|rccl|hccl|xccl|oneccl|msccl|gloo|nvshmem)"
    r"|(?<!\w)c10d::|record_param_comms"
    r"|deep_ep|::ep::",  # expert-parallel dispatch and combine
    re.IGNORECASE | re.ASCII,
)
_HINTS = ("ccl", "gloo", "nvshmem", "c10d::", "record_param_comms", "deep_ep", "::ep::")
"""One of these is in whatever the pattern finds; looking for them first is 50 times faster on a long name."""

_ADDRESS_OR_COUNTER = re.compile(r"0x[0-9a-f]+|\d+", re.IGNORECASE)
_TEMPLATE_ARGUMENTS = re.compile(r"<[^<>]*>")
_NAME_CHARS = 4096
"""Enough to tell names apart; bounds the work on a hostile one."""


class Palette(NamedTuple):
    """Colours of one trace's events: role[communicates[name], category] * SHADES + shade[name]."""

    communicates: np.ndarray  # u8 per name code: 1 if the name is that of a communication library
    shade: np.ndarray  # u8 per name code
    role: np.ndarray  # u8 [2, categories]

    @classmethod
    def of(cls, names: Sequence[str], categories: Sequence[str]) -> Palette:
        """The palette of a trace with these distinct names and normalized categories; O(distinct words)."""
        quiet = [ROLES.get(category, Role.OTHER) for category in categories]
        speaking = [
            Role.COMMUNICATION if category in EITHER else role for category, role in zip(categories, quiet, strict=True)
        ]
        return cls(
            read_only(np.array([communicates(name) for name in names], np.uint8)),
            read_only(np.array([shade_of(name) for name in names], np.uint8)),
            read_only(np.array([quiet, speaking], np.uint8).reshape(2, len(categories))),
        )

    def colours(self, name: np.ndarray, category: np.ndarray) -> np.ndarray:
        """Colours 0..23 (u8) of events by their name and category codes."""
        colours: np.ndarray = self.role[self.communicates[name], category] * np.uint8(SHADES) + self.shade[name]
        return colours


def communicates(name: str) -> bool:
    """Whether an operation or kernel of this name moves data between ranks."""
    lowered = name.lower()
    for hint in _HINTS:  # a generator would take longer than the search
        if hint in lowered:
            return _COMMUNICATION.search(name) is not None
    return False


def shade_of(name: str) -> int:
    """0..3, the same in every process and every release."""
    return zlib.crc32(normalized(name).encode("utf-8", "surrogatepass")) % SHADES


def normalized(name: str) -> str:
    """The name without addresses, counters and template arguments; itself if nothing else is in it."""
    bare, changed = _ADDRESS_OR_COUNTER.sub("", name[:_NAME_CHARS]), 1
    while changed:
        bare, changed = _TEMPLATE_ARGUMENTS.subn("", bare)
    return bare or name
