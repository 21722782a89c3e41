"""Lanes of generated events, for tests that need rows without a file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st


@dataclass(frozen=True)
class Lanes:
    """Rows sorted by (lane, start), no two of a lane overlapping; lane l = rows offsets[l] .. offsets[l + 1]."""

    start_ns: np.ndarray
    dur_ns: np.ndarray
    offsets: np.ndarray

    @classmethod
    def of(cls, lanes: list[list[tuple[int, int]]], origin_ns: int = 0) -> Lanes:
        """From (gap before, duration) of each event of each lane, in ns."""
        starts, durs, offsets = [], [], [0]
        for lane in lanes:
            at = origin_ns
            for gap_ns, dur_ns in lane:
                starts.append(at + gap_ns)
                durs.append(dur_ns)
                at += gap_ns + dur_ns
            offsets.append(len(starts))
        return cls(np.array(starts, np.int64), np.array(durs, np.int64), np.array(offsets, np.int64))


def lanes(max_lanes: int = 3, max_events: int = 60) -> st.SearchStrategy[Lanes]:
    """Short gaps and durations, many of them zero, so that pixels hold many events and ties are common."""
    length = st.one_of(st.integers(0, 3), st.integers(0, 200))
    events = st.lists(st.tuples(length, length), max_size=max_events)
    return st.builds(Lanes.of, st.lists(events, max_size=max_lanes), origin_ns=st.integers(0, 300))
