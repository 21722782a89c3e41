"""Real processes for tests: started with an environment, waited for, and surely gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

ROOT = Path(__file__).resolve().parents[2]
GIVE_UP_S = 60.0


def until(true: Callable[[], object], what: str = "") -> None:
    """Wait for a condition; a test that waits in vain fails here, with the condition's name."""
    deadline_s = time.monotonic() + GIVE_UP_S
    while not true():
        assert time.monotonic() < deadline_s, f"waited in vain for {what or true}"
        time.sleep(0.05)


def child_environment(**more: str) -> dict[str, str]:
    """The home and the database of the test that runs, for a child process."""
    database = f"sqlite:///{connection.settings_dict['NAME']}"
    own = {"TRACEVIEWER_HOME": str(settings.HOME), "DATABASE_URL": database}
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "traceviewer.settings", **own, **more}


@contextmanager
def running(*command: str, environment: dict[str, str], **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """`python COMMAND`, killed at the end with all that it has started."""
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env=environment, start_new_session=True, **options)  # type: ignore[call-overload]
    try:
        yield process
    finally:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descendants_of(pid: int) -> set[int]:
    return {pid}.union(*(descendants_of(child) for child in children_of(pid)))


def alive(pid: int) -> bool:
    """Whether it runs: a zombie that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
