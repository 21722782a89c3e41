"""Which process holds a job, written so that any process of the same machine can tell whether it is still there.

A heartbeat alone cannot: decoding a large file keeps Python's lock for seconds, and the heart stands still meanwhile.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from pathlib import Path


def me() -> str:
    """This process: machine since boot, process id space (containers have their own), id, time of start."""
    return f"{_here()} {os.getpid()} {_started(os.getpid())}"


def is_gone(holder: str) -> bool:
    """True if it surely ended; False if it lives, or is where we cannot look."""
    return is_here(holder) and _started(_process(holder)) != holder.rpartition(" ")[2]


def is_here(holder: str) -> bool:
    """Whether it is, or was, a process of this machine that we can look at."""
    here, _, process = holder.rpartition(" ")[0].rpartition(" ")
    return process.isdigit() and here == _here() != ""


def memory_bytes(holder: str) -> int:
    """What it holds and nobody else could use; 0 if it is gone or not here.

    Mapped files are left out: the machine takes their memory back when it needs it.
    """
    if not is_here(holder) or is_gone(holder):
        return 0
    try:
        lines = Path(f"/proc/{_process(holder)}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(("RssAnon:", "RssShmem:")))


def kill(holder: str) -> None:
    """At once, if it is there and ours."""
    if is_here(holder) and not is_gone(holder):
        with suppress(ProcessLookupError):
            os.kill(_process(holder), signal.SIGKILL)


def _process(holder: str) -> int:
    return int(holder.split(" ")[-2])


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
