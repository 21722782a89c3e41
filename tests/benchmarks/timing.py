"""How long a call takes, and a table of such figures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

ENOUGH_SECONDS = 2.0
MOST_TIMES = 50


@dataclass(frozen=True)
class Figure:
    """One row of the table: `events` handled in `seconds`."""

    source: str
    what: str
    events: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.events / self.seconds


def measure(source: str, what: str, events: int, call: Callable[[], object]) -> Figure:
    """The least time of several calls, for about ENOUGH_SECONDS: what it costs when nothing else runs."""
    return measure_in_turn(source, events, {what: call})[0]


def measure_in_turn(source: str, events: int, calls: dict[str, Callable[[], object]]) -> list[Figure]:
    """As measure, for calls that are compared: they take turns, so that a busy machine slows all of them."""
    seconds: dict[str, list[float]] = {what: [] for what in calls}
    begun, rounds = time.perf_counter(), 0
    while rounds < 1 or (time.perf_counter() - begun < ENOUGH_SECONDS * len(calls) and rounds < MOST_TIMES):
        for what, call in calls.items():
            begin = time.perf_counter()
            call()
            seconds[what].append(time.perf_counter() - begin)
        rounds += 1
    return [Figure(source, what, events, min(times)) for what, times in seconds.items()]


def together(figures: Iterable[Figure]) -> Figure:
    """One figure of several parts of one thing."""
    parts = list(figures)
    events, seconds = sum(part.events for part in parts), sum(part.seconds for part in parts)
    return Figure(parts[0].source, parts[0].what, events, seconds)


def table(figures: Iterable[Figure], against: dict[str, str]) -> str:
    """A markdown table; `against` names by `what` the figure of the same source to which a ratio is given."""
    figures = list(figures)
    by_name = {(figure.source, figure.what): figure for figure in figures}
    lines = ["| source | what | events | ms | events/s | times as fast as |", "|---|---|--:|--:|--:|---|"]
    for figure in figures:
        others = [by_name.get((figure.source, other)) for other in against.get(figure.what, "").split(", ")]
        ratios = ", ".join(f"{figure.per_second / other.per_second:.1f} x {other.what}" for other in others if other)
        cells = [figure.source, figure.what, f"{figure.events:,}", f"{figure.seconds * 1000:,.2f}"]
        lines.append("| " + " | ".join([*cells, short(figure.per_second), ratios]) + " |")
    return "\n".join(lines)


def short(per_second: float) -> str:
    """Three significant digits, with k or M."""
    for factor, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if per_second >= factor:
            return f"{per_second / factor:.3g} {unit}"
    return f"{per_second:.3g}"
