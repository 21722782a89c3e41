"""Queue lengths and bandwidths of copies as counters for an exported trace (HTA's generate_trace_with_counters)."""

from __future__ import annotations

import numpy as np

from simulation.analysis.copies import Copies
from simulation.analysis.queue import queue_length
from simulation.analysis.selection import RankView, Selection
from simulation.formats.counters import Counter
from simulation.run import Run

QUEUE, BANDWIDTH = "Queue Length", "Memcpy BW"
"""As HTA calls them."""


def counters_of(run: Run, trace: int) -> list[Counter]:
    """Of one trace: the length of each stream's queue, and GB/s of each kind of copy."""
    view = RankView(run, trace, Selection(), run)
    found = []
    for track in np.unique(view.device.stream).tolist():
        length = queue_length(view, track)
        found.append(Counter(QUEUE, QUEUE, track, length.at_ns, length.value, int(view.stream_numbers[track])))
    copies = Copies(view)
    for kind in np.unique(copies.kind).tolist():
        mine = copies.kind == kind
        rate = copies.over_time(mine)
        found.append(Counter(copies.kinds[kind], BANDWIDTH, int(copies.work.stream[mine][0]), rate.at_ns, rate.value))
    return [counter for counter in found if len(counter.at_ns)]
