"""What a run looks like from afar: the tracks of its minimap, their level, and where the events are."""

from __future__ import annotations

import numpy as np

from simulation.events import EventTable, Track
from simulation.lod.tile import MAX_LEVEL, PIXELS

OVERVIEW_TILES = 2
OVERVIEW_TRACKS = 3

OUTLIER_SHARE = 100
"""At most one event in this many, at either end, may be an outlier."""

OUTLIER_GAP = 4
"""... and only behind a gap this many times as long as everything on the near side: there, what matters would have
less than a fifth of the screen."""

FEWEST_EVENTS = 10
"""Below this number nothing can be called an outlier."""


def overview_level(end_ns: int) -> int:
    """The lowest level at which two tiles reach from the run's origin to `end_ns`, and past an instant there.

    MAX_LEVEL for a run that ends after MAX_NS, where no tile reaches.
    """
    return min(max(0, (end_ns // (OVERVIEW_TILES * PIXELS)).bit_length()), MAX_LEVEL)


def busiest_tracks(table: EventTable) -> tuple[int, ...]:
    """The tracks that stand for a trace: its busiest streams, else its busiest threads; busiest first, at most 3."""
    streams = _busy_ns(table, "stream", table.is_device)
    busy = streams or _busy_ns(table, "thread", (table.depth == 0) & ~table.is_window)
    ranked = sorted(busy, key=lambda track: (-busy[track], track))
    return tuple(ranked[:OVERVIEW_TRACKS])


def _busy_ns(table: EventTable, kind: str, counted: np.ndarray) -> dict[int, int]:
    """Time that the rows marked in `counted` (bool) take, by track index; tracks without any are left out."""
    sums = {track.index: _sum_ns(table, track, counted) for track in table.tracks if track.kind == kind}
    return {track: busy_ns for track, busy_ns in sums.items() if busy_ns}


def _sum_ns(table: EventTable, track: Track, counted: np.ndarray) -> int:
    return int(table.dur_ns[track.rows].sum(where=counted[track.rows]))


def dense_view(start_ns: np.ndarray, end_ns: np.ndarray) -> tuple[int, int]:
    """Begin and end of the region where the events are: one far-away timestamp must not stretch the first view.

    Of n >= FEWEST_EVENTS events in order of start, the first and the last n / OUTLIER_SHARE (at least 1) are
    suspects. Going outwards from the others, a suspect belongs to the view unless the empty gap before it is longer
    than OUTLIER_GAP times the view so far; it and all beyond it are then left out. O(n + n / OUTLIER_SHARE log n).
    """
    n = len(start_ns)
    if not n:
        return 0, 0
    suspects = max(1, n // OUTLIER_SHARE) if n >= FEWEST_EVENTS else 0
    head, tail = _outermost(start_ns, suspects)
    inner = np.ones(n, np.bool_)
    inner[tail] = False
    most = end_ns.max(where=inner, initial=np.iinfo(np.int64).min)  # of all but the last suspects
    start, reach = start_ns[head], np.maximum.accumulate(end_ns[head])
    gaps = start[1:] - reach[:-1]
    far = np.flatnonzero(gaps // OUTLIER_GAP > most - start[1:])
    begin = start[far[-1] + 1 if len(far) else 0]
    reach = np.maximum.accumulate(np.append(most, end_ns[tail]))
    gaps = start_ns[tail] - reach[:-1]
    far = np.flatnonzero(gaps // OUTLIER_GAP > reach[:-1] - begin)
    return int(begin), int(reach[far[0] if len(far) else -1])


def _outermost(start_ns: np.ndarray, suspects: int) -> tuple[np.ndarray, np.ndarray]:
    """The first suspects + 1 and the last `suspects` of the events, in order of start, then of place."""
    bounds = np.partition(start_ns, (suspects, len(start_ns) - 1 - suspects))
    head = np.flatnonzero(start_ns <= bounds[suspects])
    tail = np.flatnonzero(start_ns >= bounds[-1 - suspects])
    head, tail = (part[np.argsort(start_ns[part], kind="stable")] for part in (head, tail))
    return head[: suspects + 1], tail[len(tail) - suspects :]
