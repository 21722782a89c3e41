"""How long work says how far it is, and learns that it should stop."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""`progress(stage, done, total)`, in the stage's own unit, total 0 = unknown; may raise `errors.Cancelled`."""


def silent(stage: str, done: int, total: int) -> None:
    """Tell nobody, never stop."""
