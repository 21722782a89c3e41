"""How far the clocks of ranks are off, from what they do together.

A collective in which every rank waits for every other ends on all of them at once: on one host within microseconds.
So the difference of its recorded ends is the difference of two clocks, and its median over all collectives that two
ranks share is robust against the few that are not. Ranks that share none are compared over others, along the least
uncertain way. A clock that drifts has no one offset; the uncertainty then says so.

Nothing here changes a time: offsets are kept beside the events and applied on demand.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from simulation.events import EventTable
from simulation.meetings import Key, Meetings, meetings_of
from simulation.quality import QualityReport

MAD_TO_DEVIATION = 1.4826
"""Standard deviation of a normal distribution by its median absolute deviation."""

RESOLUTION_NS = 1_000
"""No estimate is called more certain: ends of one collective differ by microseconds (7 us on one host, measured)."""

NOTABLE_NS = 10_000
"""An offset is reported where it exceeds its uncertainty by this."""

SLACK_NS = 10_000
"""How far a meeting may contradict an offset: durations are rounded, and end on one rank a little before another."""


@dataclass(frozen=True)
class Clock:
    """A rank's clock against that of the first rank it is compared with; subtract the offset from its times."""

    offset_ns: int
    uncertainty_ns: int  # one standard deviation, added up along the way
    meetings: int  # collectives and pairs that the last leg of the way rests on


@dataclass(frozen=True)
class Tie:
    """Two traces, compared directly: clock of `second` less clock of `first`."""

    first: int
    second: int
    offset_ns: int
    uncertainty_ns: int
    meetings: int


Differences = list[tuple[np.ndarray, np.ndarray, np.ndarray]]
"""Per bucket: ends of the second less ends of the first, durations in the first, in the second; ns, i64."""


def estimate(
    traces: Sequence[EventTable], ranks: Sequence[int | None], quality: QualityReport
) -> tuple[Clock | None, ...]:
    """The clock of each trace, None where it cannot be compared. Costs a sort of the communication."""
    recorded = [table.info.placed == "recorded" for table in traces]
    if sum(recorded) < 2:
        return (None,) * len(traces)
    met = [
        meetings_of(table, rank) if timed else {} for table, rank, timed in zip(traces, ranks, recorded, strict=True)
    ]
    found = spanned(len(traces), ties(met))
    clocks = tuple(found.get(trace) for trace in range(len(traces)))
    labels = [f"rank {rank}" if rank is not None else traces[at].info.file_name for at, rank in enumerate(ranks)]
    unknown = [label for label, clock, timed in zip(labels, clocks, recorded, strict=True) if timed and clock is None]
    off = [label for label, clock in zip(labels, clocks, strict=True) if clock and _is_off(clock)]
    quality.add("clocks_unknown", len(unknown), unknown)
    quality.add("clocks_differ", len(off), off)
    return clocks


def ties(met: Sequence[dict[Key, Meetings]]) -> list[Tie]:
    """All pairs of traces whose meetings tell the difference of their clocks."""
    shared: dict[Key, list[int]] = defaultdict(list)
    for trace, buckets in enumerate(met):
        for key in buckets:
            if key.ends_together:
                shared[key].append(trace)
    differences: dict[tuple[int, int], Differences] = defaultdict(list)
    for key, members in shared.items():
        for first, second in _pairs(key, members):
            if found := _differences(met[first][key], met[second][key]):
                differences[first, second].append(found)
    tied = (tie_of(*pair, parts) for pair, parts in differences.items())
    return [tie for tie in tied if tie is not None]


def tie_of(first: int, second: int, parts: Differences) -> Tie | None:
    """The median of the differences; None where it contradicts most of the meetings, which then were none.

    Nobody leaves a collective before the last has come: that bounds the offset by each meeting's durations.
    """
    ends, dur_first, dur_second = (np.concatenate(column) for column in zip(*parts, strict=True))
    offset = int(np.median(ends))
    away = np.abs(ends - offset)
    spread = MAD_TO_DEVIATION * float(np.median(away)) if len(ends) > 1 else float(max(dur_first[0], dur_second[0]))
    uncertainty = max(round(spread), RESOLUTION_NS)
    contradicted = (offset < ends - dur_second - SLACK_NS) | (offset > ends + dur_first + SLACK_NS)
    if 2 * np.count_nonzero(contradicted) > len(ends):
        return None
    return Tie(first, second, offset, uncertainty, len(ends))


def spanned(traces: int, tied: Sequence[Tie]) -> dict[int, Clock]:
    """The clocks of the largest set of traces that ties connect, against the first of it; none if nothing is tied."""
    ways: dict[int, list[Tie]] = defaultdict(list)
    for tie in tied:
        ways[tie.first].append(tie)
        ways[tie.second].append(Tie(tie.second, tie.first, -tie.offset_ns, tie.uncertainty_ns, tie.meetings))
    largest: dict[int, Clock] = {}
    seen: set[int] = set()
    for start in range(traces):
        if start not in seen:
            reached = _reached(start, ways)
            seen |= reached.keys()
            largest = max(largest, reached, key=len)
    return largest if len(largest) > 1 else {}


def _reached(start: int, ways: dict[int, list[Tie]]) -> dict[int, Clock]:
    """Every trace that can be compared with `start`, along the way of the least uncertainty (Dijkstra)."""
    reached: dict[int, Clock] = {}
    queue = [(0, start, 0, 0)]
    while queue:
        uncertainty, trace, offset, count = heapq.heappop(queue)
        if trace in reached:
            continue
        reached[trace] = Clock(offset, uncertainty, count)
        for tie in ways[trace]:
            way = (uncertainty + tie.uncertainty_ns, tie.second, offset + tie.offset_ns, tie.meetings)
            heapq.heappush(queue, way)
    return reached


def _pairs(key: Key, members: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Which members to compare: all with the first, who share a group; all with all where nobody says so."""
    if key.is_told:
        return ((members[0], other) for other in members[1:])
    return combinations(members, 2)


def _differences(first: Meetings, second: Meetings) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Meetings of two traces, matched; None where one of them has missed some and nobody can say which."""
    if first.is_numbered and second.is_numbered:
        _, at_first, at_second = np.intersect1d(first.number, second.number, assume_unique=True, return_indices=True)
        first, second = first.at(at_first), second.at(at_second)
    if len(first.number) != len(second.number) or not len(first.number):
        return None
    whole = first.is_whole & second.is_whole
    if not whole.any():
        return None
    return (second.end_ns - first.end_ns)[whole], first.dur_ns[whole], second.dur_ns[whole]


def _is_off(clock: Clock) -> bool:
    return abs(clock.offset_ns) > clock.uncertainty_ns + NOTABLE_NS
