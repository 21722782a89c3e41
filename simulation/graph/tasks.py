"""A run seen as tasks: all rows of all traces on one clock, and a node per start and end.

Rows have the run's global numbering, tracks one of their own (`row_base` and `track_base` of their trace). Node 0 is
the run's root, time 0; the other nodes are numbered in measured order. Among equal times ends come before starts,
inner ends before outer ones, outer starts before inner ones, device ends before host ends and host starts before
device starts, so that nearly every edge of every family points forward already.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit

from simulation.csr import by_source
from simulation.events import CALL_CATEGORIES, Kind
from simulation.graph.numbering import Tie
from simulation.graph.polling import polling_tracks
from simulation.run import Run
from simulation.sorting import by_time

ROOT = 0
LATEST_NS = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Tasks:
    """Columns over the run's global rows, and over the nodes made of them."""

    run: Run
    zero_ns: int  # of the run's clock: when the first replayed slice starts
    start_ns: np.ndarray  # i64, since zero_ns
    end_ns: np.ndarray  # i64
    trace: np.ndarray  # i32
    track: np.ndarray  # i64, global
    lane: np.ndarray  # i64, within the track
    launch: np.ndarray  # i64, global row of the call, -1 none
    is_slice: np.ndarray  # bool: a slice, not the profiler's window
    is_host: np.ndarray  # bool: a slice or an instant of a thread
    is_device: np.ndarray  # bool: occupies the device
    start_node: np.ndarray  # i64 per row, -1 where the row is not replayed by itself
    end_node: np.ndarray  # i64 per row; an instant has one node for both
    node_ns: np.ndarray  # i64 per node
    node_row: np.ndarray  # i64 per node, -1 of the root and of nodes that belong to no row

    @classmethod
    def of(cls, run: Run, zero_ns: int | None = None) -> Tasks:
        """All traces of the run as one; times since its first slice, or since another time of its clock."""
        columns = _columns(run, first_slice_ns(run) if zero_ns is None else zero_ns)
        nodes: dict[str, Any] = _nodes(columns)
        return cls(run=run, **columns, **nodes)

    def __len__(self) -> int:
        return len(self.start_ns)

    @property
    def nodes(self) -> int:
        return len(self.node_ns)

    @cached_property
    def polls(self) -> np.ndarray:
        """Threads that only poll: bool per track."""
        return polling_tracks(self.run)

    @cached_property
    def tie(self) -> np.ndarray:
        """What decides among nodes of one time (Tie): u8 per node but the root."""
        found = np.empty(self.nodes - 1, np.uint8)
        _ties(self.node_row, self.start_node, self.start_ns, self.end_ns, self.is_device, found)
        return found

    @cached_property
    def is_derived(self) -> np.ndarray:
        """Rows of streams that are no work of their own (annotations, sync marks): bool."""
        drawn = self.is_slice | (gathered(self.run, "kind") == Kind.INSTANT)
        return np.asarray(drawn & (self.start_node < 0) & _of_streams(self.run))

    @cached_property
    def is_call(self) -> np.ndarray:
        """Calls into a device runtime: bool."""
        masks = [table.category_mask(CALL_CATEGORIES) for table in self.run.traces]
        return np.asarray(np.concatenate([np.zeros(0, bool), *masks]) & self.is_host & self.is_slice)

    @cached_property
    def linked(self) -> np.ndarray:
        """Rows of device events whose call is in the trace and on a thread: i64."""
        rows = np.flatnonzero(self.is_device)
        return np.asarray(rows[self.is_linked(rows)])

    def is_linked(self, rows: np.ndarray) -> np.ndarray:
        """Which of these device events have a call in the trace and on a thread: bool."""
        call = self.launch[rows]
        return np.asarray((call >= 0) & self.is_host[call])

    @cached_property
    def launches(self) -> np.ndarray:
        """How many device events each row launched: i64."""
        return np.bincount(self.launch[self.linked], minlength=len(self))

    @cached_property
    def device_kind(self) -> np.ndarray:
        """Of device events: 0 kernel, 1 copy, 2 fill; i64."""
        kinds = np.zeros(len(self), np.int64)
        for kind, category in enumerate(("gpu_memcpy", "gpu_memset"), start=1):
            masks = [table.category_mask(frozenset({category})) for table in self.run.traces]
            kinds[np.concatenate([np.zeros(0, bool), *masks])] = kind
        return kinds

    @cached_property
    def streams(self) -> np.ndarray:
        """Rows of device events, stream by stream, each by start: i64."""
        rows = self.node_row[np.sort(self.start_node[self.is_device])]
        track = self.track[rows]
        return np.asarray(by_source(track, rows, int(track.max(initial=-1)) + 1)[1])


def gathered(run: Run, column: str) -> np.ndarray:
    """A column of all traces under the global numbering."""
    return np.concatenate([np.zeros(0, np.uint8), *(table.columns[column] for table in run.traces)])


def first_slice_ns(run: Run) -> int:
    """When the first replayed slice of the run starts, on its clock; 0 where there is none."""
    starts = []
    for table, shift_ns in zip(run.traces, run.shift_ns, strict=True):
        replayed = (table.kind == Kind.SLICE) & ~table.is_window
        if replayed.any():
            starts.append(shift_ns + int(table.start_ns.min(where=replayed, initial=LATEST_NS)))
    return min(starts, default=0)


def _columns(run: Run, zero_ns: int) -> dict[str, Any]:
    """The per-row half of Tasks, and zero_ns."""
    kind = gathered(run, "kind")
    shift = np.repeat(np.array(run.shift_ns, np.int64), np.diff(run.row_base))
    start = gathered(run, "start_ns").astype(np.int64) + shift
    window = np.concatenate([np.zeros(0, bool), *(table.is_window for table in run.traces)])
    is_slice = (kind == Kind.SLICE) & ~window
    is_device = np.concatenate([np.zeros(0, bool), *(table.is_device for table in run.traces)])
    trace = np.repeat(np.arange(len(run.traces), dtype=np.int32), np.diff(run.row_base))
    track_base = np.cumsum([0, *(len(table.tracks) for table in run.traces)])
    launch = gathered(run, "launch").astype(np.int64)
    on_stream = _of_streams(run)
    return {
        "zero_ns": zero_ns,
        "start_ns": start - zero_ns,
        "end_ns": start - zero_ns + gathered(run, "dur_ns"),
        "trace": trace,
        "track": gathered(run, "track") + track_base[trace],
        "lane": gathered(run, "lane").astype(np.int64),
        "launch": np.where(launch >= 0, launch + run.row_base[trace], -1),
        "is_slice": is_slice,
        "is_host": (is_slice | (kind == Kind.INSTANT)) & ~is_device & ~on_stream,
        "is_device": is_device,
    }


def _of_streams(run: Run) -> np.ndarray:
    """Rows on tracks of the device: bool."""
    parts = [
        np.array([track.kind == "stream" for track in table.tracks] or [False])[table.columns["track"]]
        for table in run.traces
    ]
    return np.concatenate([np.zeros(0, bool), *parts])


def _nodes(columns: dict[str, Any]) -> dict[str, np.ndarray]:
    """Number the starts and ends of the replayed rows in measured order (see the module's text on ties)."""
    start, end = columns["start_ns"], columns["end_ns"]
    inner_first = _inner_lanes_first(columns["track"], columns["lane"])
    when, what = np.empty(2 * len(start), np.int64), np.empty(2 * len(start), np.int32)
    slices, host, device = columns["is_slice"], columns["is_host"], columns["is_device"]
    boundaries = _bound(inner_first, start, end, slices, host, device, when, what)
    when, what = by_time(when[:boundaries], what[:boundaries])
    start_node, end_node = np.full(len(start), -1), np.full(len(start), -1)
    node_row = np.empty(boundaries + 1, np.int64)
    _number(what, start_node, end_node, node_row)
    return {
        "start_node": start_node, "end_node": end_node, "node_ns": np.append(0, when), "node_row": node_row,
    }  # fmt: skip


@njit(cache=True, nogil=True)
def _bound(
    inner_first: np.ndarray,
    start_ns: np.ndarray,
    end_ns: np.ndarray,
    is_slice: np.ndarray,
    is_host: np.ndarray,
    is_device: np.ndarray,
    when_ns: np.ndarray,
    what: np.ndarray,
) -> int:
    """Fill the times of all boundaries, and what they are (twice the row, plus one at its end), in the order in which
    those of one time are taken; tell how many there are. What lasts no time ends after all starts."""
    n = 0
    for mine in (is_device, is_host):
        for row in inner_first:
            if mine[row] and is_slice[row] and end_ns[row] > start_ns[row]:
                when_ns[n], what[n] = end_ns[row], 2 * row + 1
                n += 1
    for mine in (is_host, is_device):
        for row in range(len(start_ns)):
            if mine[row]:
                when_ns[n], what[n] = start_ns[row], 2 * row
                n += 1
    for row in range(len(start_ns)):
        if (is_host[row] or is_device[row]) and is_slice[row] and end_ns[row] <= start_ns[row]:
            when_ns[n], what[n] = end_ns[row], 2 * row + 1
            n += 1
    return n


@njit(cache=True, nogil=True)
def _number(what: np.ndarray, start_node: np.ndarray, end_node: np.ndarray, node_row: np.ndarray) -> None:
    """Fill the first and last node of each row, -1 before, and the row of each node, of boundaries in order.

    Node 0 is the root; an instant, which has no end, has one node for both.
    """
    node_row[ROOT] = -1
    for i in range(len(what)):
        node, row = i + 1, what[i] >> 1
        node_row[node] = row
        if what[i] & 1:
            end_node[row] = node
        else:
            start_node[row] = node
            if end_node[row] < 0:
                end_node[row] = node


@njit(cache=True, nogil=True)
def _ties(
    node_row: np.ndarray,
    start_node: np.ndarray,
    start_ns: np.ndarray,
    end_ns: np.ndarray,
    is_device: np.ndarray,
    found: np.ndarray,
) -> None:
    """Fill the Tie of each node but the root."""
    for node in range(ROOT + 1, len(node_row)):
        row = node_row[node]
        if start_node[row] == node:
            found[node - 1] = _DEVICE_START if is_device[row] else _HOST_START
        elif end_ns[row] <= start_ns[row]:
            found[node - 1] = _EMPTY_END
        else:
            found[node - 1] = _DEVICE_END if is_device[row] else _HOST_END


_DEVICE_END, _HOST_END = int(Tie.DEVICE_END), int(Tie.HOST_END)
_HOST_START, _DEVICE_START, _EMPTY_END = int(Tie.HOST_START), int(Tie.DEVICE_START), int(Tie.EMPTY_END)


def _inner_lanes_first(track: np.ndarray, lane: np.ndarray) -> np.ndarray:
    """Rows track by track, the innermost lane first, each lane in its order: i64.

    Rows are stored lane by lane, so this moves whole lanes.
    """
    if not len(track):
        return np.zeros(0, np.int64)
    begins = np.flatnonzero(np.diff(track, prepend=-1) | np.diff(lane, prepend=-1))
    lengths = np.diff(begins, append=len(track))
    order = np.lexsort((-lane[begins], track[begins]))
    begins, lengths = begins[order], lengths[order]
    placed = np.cumsum(lengths) - lengths
    return np.repeat(begins - placed, lengths) + np.arange(len(track))
