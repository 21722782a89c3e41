"""The same work on several things at once, on as many threads as there are processors: kernels let go of the lock."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Generic, TypeVar

from simulation.errors import Cancelled
from simulation.progress import Progress

TOLD_EVERY_S = 0.1
TURN_S = 0.0005

Item = TypeVar("Item")
Result = TypeVar("Result")


def each(
    work: Callable[[Item, Progress], Result], items: Sequence[Item], sizes: Sequence[int], progress: Progress
) -> list[Result]:
    """`work(item, progress)` of each, in their order; `sizes` are their shares of the whole.

    `progress` is called by the calling thread only. If it raises, or the work does, what still runs is told to stop;
    of several errors that of the first item is raised.
    """
    if len(items) <= 1:
        return [work(item, progress) for item in items]
    return _Crew(work, items, sizes).results(progress)


@contextmanager
def _short_turns() -> Iterator[None]:
    """Let the interpreter's lock change hands sooner: who comes out of a short kernel else waits 5 ms for it."""
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(min(TURN_S, before_s))
    try:
        yield
    finally:
        sys.setswitchinterval(before_s)


class _Crew(Generic[Item, Result]):
    """What the threads tell, and are told."""

    def __init__(self, work: Callable[[Item, Progress], Result], items: Sequence[Item], sizes: Sequence[int]) -> None:
        self.work, self.items, self.sizes = work, items, sizes
        self.done = [0] * len(items)
        self.stages: dict[int, str] = {}  # of what is being worked on
        self.last = len(items) - 1  # what comes later in the order need not be done any more

    def results(self, progress: Progress) -> list[Result]:
        with _short_turns(), ThreadPoolExecutor(min(len(self.items), len(os.sched_getaffinity(0)))) as pool:
            futures = [pool.submit(self._one, at) for at in range(len(self.items))]
            try:
                self._wait(futures, progress)
            except BaseException:
                self.last = -1
                raise
        return [future.result() for future in futures]

    def _one(self, at: int) -> Result:
        def tell(stage: str, done: int, total: int) -> None:
            self.stages[at] = stage
            self.done[at] = self.sizes[at] * done // total if stage == "reading" and total else self.done[at]
            if at > self.last:
                raise Cancelled

        tell("waiting", 0, 0)
        try:
            return self.work(self.items[at], tell)
        except BaseException:
            self.last = min(self.last, at)
            raise
        finally:
            self.done[at] = self.sizes[at]
            del self.stages[at]

    def _wait(self, futures: list[Future[Result]], progress: Progress) -> None:
        waiting = set(futures)
        while waiting:
            _, waiting = wait(waiting, TOLD_EVERY_S, FIRST_COMPLETED)
            stages = set(self.stages.copy().values())
            stage = "linking" if stages == {"linking"} else "reading"
            progress(stage, sum(self.done), sum(self.sizes))
