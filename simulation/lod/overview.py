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
    than OUTLIER_GAP times the view so far; it and all beyond it are then left out. O(n log n).
    """
    if not len(start_ns):
        return 0, 0
    order = np.argsort(start_ns, kind="stable")
    start, reach = start_ns[order], np.maximum.accumulate(end_ns[order])
    suspects = max(1, len(start) // OUTLIER_SHARE) if len(start) >= FEWEST_EVENTS else 0
    first, last = suspects, len(start) - 1 - suspects
    gaps = start[1 : first + 1] - reach[:first]
    far = np.flatnonzero(gaps // OUTLIER_GAP > reach[last] - start[1 : first + 1])
    begin = start[far[-1] + 1 if len(far) else 0]
    gaps = start[last + 1 :] - reach[last:-1]
    far = np.flatnonzero(gaps // OUTLIER_GAP > reach[last:-1] - begin)
    return int(begin), int(reach[last + far[0] if len(far) else -1])
