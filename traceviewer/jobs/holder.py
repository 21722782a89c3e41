"""Which process holds a job, written so that any process of the same machine can tell whether it is still there.

A heartbeat alone cannot: decoding a large file keeps Python's lock for seconds, and the heart stands still meanwhile.
"""

from __future__ import annotations

import os
from pathlib import Path


def me() -> str:
    """This process: machine since boot, process id space (containers have their own), id, time of start."""
    return f"{_here()} {os.getpid()} {_started(os.getpid())}"


def is_gone(holder: str) -> bool:
    """True if it surely ended; False if it lives, or is where we cannot look."""
    here, _, process = holder.rpartition(" ")[0].rpartition(" ")
    return here == _here() and _started(int(process)) != holder.rpartition(" ")[2]


def _here() -> str:
    try:
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # not Linux
        return ""


def _started(pid: int) -> str:
    """Clock ticks from boot to the start of the process; "" if it has ended, reaped or not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]
