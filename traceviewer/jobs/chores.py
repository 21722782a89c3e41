"""What is done now and then, by a thread of every worker: an app registers it in its AppConfig.ready().

    @jobs.chore(every_s=3600)
    def forget_old_things() -> None: ...

Several workers may do the same chore at once; it must not mind.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

Step = Callable[[], None]


@dataclass
class Chore:
    step: Step
    every_s: float
    due_s: float = 0.0  # monotonic

    def is_due(self) -> bool:
        """True once per period."""
        if time.monotonic() < self.due_s:
            return False
        self.due_s = time.monotonic() + self.every_s
        return True


CHORES: dict[str, Chore] = {}


def chore(*, every_s: float) -> Callable[[Step], Step]:
    """Decorate a function without arguments that is to be called so often."""

    def decorate(step: Step) -> Step:
        CHORES[f"{step.__module__}.{step.__name__}"] = Chore(step, every_s)
        return step

    return decorate
