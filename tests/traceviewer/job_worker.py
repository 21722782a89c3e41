"""A real worker that knows a few more kinds of jobs: `python tests/traceviewer/job_worker.py`.

What a job has done is written into files below its payload's folder, one line each time it happens.
"""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

import django

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceviewer.settings")
django.setup()

from simulation.errors import DamagedTrace  # noqa: E402
from traceviewer import jobs  # noqa: E402
from traceviewer.celery import app  # noqa: E402
from traceviewer.jobs.context import JobContext  # noqa: E402


def note(context: JobContext, name: str) -> None:
    with (Path(context.payload["folder"]) / name).open("a") as lines:
        lines.write(f"{os.getpid()}\n")


def pause(context: JobContext, open_name: str) -> None:
    """Make progress until the test puts a file there."""
    opened = Path(context.payload["folder"]) / open_name
    while not opened.exists():
        context.progress("waiting", 0, 0)
        time.sleep(0.02)


@jobs.register("test.gate")
def gate(context: JobContext) -> None:
    note(context, "began")
    pause(context, "open")
    with context.finishing():
        note(context, "finished")


@jobs.register("test.suicide")
def suicide(context: JobContext) -> None:
    note(context, "began")
    os.kill(os.getpid(), signal.SIGKILL)


@jobs.register("test.break")
def break_down(context: JobContext) -> None:
    note(context, "began")
    raise RuntimeError("a fault of ours")


@jobs.register("test.bad_input")
def bad_input(context: JobContext) -> None:
    note(context, "began")
    raise DamagedTrace("the file ends in the middle", file="rank0.json", byte=12)


@jobs.register("test.hang")
def hang(context: JobContext) -> None:
    """Hold Python's lock, as a kernel may that runs wild: no thread of this process gets a word in."""
    note(context, "began")
    sleep_alone()


@jobs.register("test.greedy")
def greedy(context: JobContext) -> None:
    """Take much memory, and then hang."""
    note(context, "began")
    held = b"x" * context.payload["size_bytes"]
    sleep_alone()
    assert held


def sleep_alone() -> None:
    ctypes.PyDLL(None).sleep(600)


if __name__ == "__main__":
    app.worker_main(["--quiet", "worker", "--loglevel", "WARNING", "--without-gossip", "--without-mingle"])
