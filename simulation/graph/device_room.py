"""Device room: a kernel starts when the blocks of a kernel that fills the device leave room for its first one.

Streams share one device. A kernel with more blocks than fit at once (a wave) keeps other streams out until its last
wave begins; one whose blocks all fit, until they end; a copy, until the copy before has left the engine. Who holds
whom depends on the moment, so only what was seen is an edge: the event was ready, yet started near the end of a kernel
of another stream that fills at least half of the device, earlier by no more than its last wave.

From the end of the one that fills to the start of the other; the weight is negative, what was seen of last waves in
this trace. Occupancy: CUDA C++ Programming Guide, "Compute Capabilities", limits per multiprocessor.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from simulation.graph.awaited import DeviceQueues
from simulation.graph.edges import Edges
from simulation.graph.event_wait import HELD_NS, NEAR_NS, NONE
from simulation.graph.families import Certainty, Family, Rule
from simulation.graph.tasks import Tasks, gathered

FILLS = 0.5
"""Share of the device's places for blocks that a kernel takes at least if others have to wait for it."""

STAMP_NS = 10_000
"""Ends and starts of kernels on different streams are stamped up to this much apart."""

WAVES, WAVE, COPY = 0, 1, 2
"""What fills: a kernel of several waves, of one, a copy."""

WINDOW = np.array([2.5, 0.1, 0.0])
"""How much before its end, as a share of its last wave, each may let another one in."""

WAVES_OF_COPY = 32
"""A copy within the device is a kernel that no trace tells the blocks of."""

SEEN_LEAST = 3
"""A kernel that was seen less often to let others in is taken together with the others of its trace."""

BLOCKS_PER_MULTIPROCESSOR = 32
REGISTERS_PER_MULTIPROCESSOR = 65_536
THREADS_PER_MULTIPROCESSOR = 2_048


def edges(tasks: Tasks, queues: DeviceQueues, explained_ns: np.ndarray) -> Edges:
    """End of what fills to the start of what it was seen to hold up; `explained_ns` is when each entry of the queues
    could have started by all that is known otherwise. Cost: O(entries held up x streams x log events)."""
    rows = queues.rows
    in_engine = _in_engine(tasks)[rows]
    wave_ns, fills = last_waves(tasks, rows, in_engine)
    trace = np.repeat(queues.trace, np.diff(queues.offsets))
    begin, after = queues.of_trace(queues.trace, len(tasks.run.traces))
    source, target = _held_up(
        queues.offsets, begin, after, tasks.start_ns[rows], tasks.end_ns[rows],
        explained_ns, in_engine, wave_ns, fills, WINDOW,
    )  # fmt: skip
    early_ns = np.maximum(tasks.end_ns[rows[source]] - tasks.start_ns[rows[target]] - STAMP_NS, 0)
    share = early_ns / np.maximum(wave_ns[source], 1)
    coarse = _most(share, len(WINDOW) * trace[source] + fills[source], 1)
    name = gathered(tasks.run, "name")[rows[source]].astype(np.int64)
    fine = _most(share, trace[source] * (name.max(initial=0) + 1) + name, SEEN_LEAST)
    before_ns = STAMP_NS + np.ceil(np.where(fine >= 0, fine, coarse) * wave_ns[source]).astype(np.int64)
    return Edges.of(
        Family.DEVICE_ROOM,
        tasks.end_node[rows[source]],
        tasks.start_node[rows[target]],
        -before_ns,
        np.where(fills[source] == COPY, Rule.ROOM_COPY, Rule.ROOM_KERNEL),
        Certainty.GUESSED,
    )


def _most(share: np.ndarray, group: np.ndarray, least: int) -> np.ndarray:
    """The greatest share of each entry's group; -1 where the group has fewer than `least`: f64."""
    _, group = np.unique(group, return_inverse=True)
    most = np.full(len(share), -1.0)
    np.maximum.at(most, group, share)
    most[np.bincount(group, minlength=len(share)) < least] = -1
    return np.asarray(most[group])


def last_waves(tasks: Tasks, rows: np.ndarray, in_engine: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each device event: how long its last wave takes (i64, the waves of a kernel taken as equally long), and what
    it fills (i64: WAVES, WAVE or COPY; NONE where it leaves room)."""
    waves = np.where(tasks.device_kind[rows] == 1, WAVES_OF_COPY, _waves(tasks)[rows])
    whole = np.maximum(np.ceil(waves), 1).astype(np.int64)
    fills = np.where(whole > 1, WAVES, np.where(waves >= FILLS, WAVE, NONE))
    return (tasks.end_ns[rows] - tasks.start_ns[rows]) // whole, np.where(in_engine, COPY, fills)


def _in_engine(tasks: Tasks) -> np.ndarray:
    """Copies to and from the device, which engines do; those within it are kernels: bool per row."""
    within = [
        np.array(["DtoD" in name or "Device -> Device" in name for name in table.names] or [False])[
            table.columns["name"]
        ]
        for table in tasks.run.traces
    ]
    return np.asarray((tasks.device_kind == 1) & ~np.concatenate([np.zeros(0, bool), *within]))


def _waves(tasks: Tasks) -> np.ndarray:
    """How often each kernel's blocks fill the device, 0 where the trace does not tell: f64 per row."""
    waves = np.zeros(len(tasks))
    for table, base in zip(tasks.run.traces, tasks.run.row_base.tolist(), strict=False):
        devices = table.info.metadata.get("deviceProperties")
        if not (isinstance(devices, list) and devices and isinstance(devices[0], dict)):
            continue
        kernels: dict[str, Any] = {name: np.asarray(column) for name, column in table.sides["kernels"].items()}
        at_once = _places(devices[0], kernels)
        blocks = kernels["grid_x"].astype(np.int64) * kernels["grid_y"] * kernels["grid_z"]
        waves[base + kernels["row"]] = np.where(at_once > 0, np.maximum(blocks, 0) / np.maximum(at_once, 1), 0)
    return waves


def _places(device: dict[str, Any], kernels: dict[str, Any]) -> np.ndarray:
    """How many blocks of each kernel the device holds at once, 0 unknown: i64."""
    warp = _number(device, "warpSize", 32)
    threads = kernels["block_x"].astype(np.int64) * kernels["block_y"] * kernels["block_z"]
    threads = -(-np.maximum(threads, 1) // warp) * warp
    limits = [
        np.full(len(threads), BLOCKS_PER_MULTIPROCESSOR),
        _number(device, "maxThreadsPerMultiprocessor", THREADS_PER_MULTIPROCESSOR) // threads,
        _number(device, "regsPerMultiprocessor", REGISTERS_PER_MULTIPROCESSOR)
        // (np.maximum(kernels["registers"], 1).astype(np.int64) * threads),
    ]
    shared = _number(device, "sharedMemPerMultiprocessor", 0)
    if shared:
        limits.append(shared // np.maximum(kernels["shared_memory_bytes"], 1))
    return np.asarray(np.maximum(np.min(limits, axis=0), 1) * _number(device, "numSms", 0))


def _number(device: dict[str, Any], key: str, default: int) -> int:
    value = device.get(key)
    return value if isinstance(value, int) and value > 0 else default


@njit(cache=True, nogil=True)
def _held_up(
    offsets: np.ndarray,
    first_stream: np.ndarray,
    after_stream: np.ndarray,
    start_ns: np.ndarray,
    end_ns: np.ndarray,
    explained_ns: np.ndarray,
    in_engine: np.ndarray,
    wave_ns: np.ndarray,
    fills: np.ndarray,
    window: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """(what fills, what it held up) of each event that started near the end of one, the nearest: entries, i64."""
    sources, targets = np.empty(len(start_ns), np.int64), np.empty(len(start_ns), np.int64)
    n = 0
    for then in range(len(offsets) - 1):
        if after_stream[then] - first_stream[then] < 2:
            continue
        for target in range(offsets[then], offsets[then + 1]):
            begins = start_ns[target]
            if begins - explained_ns[target] < HELD_NS:
                continue
            best, nearest = NONE, np.iinfo(np.int64).max
            for stream in range(first_stream[then], after_stream[then]):
                begin, end = offsets[stream], offsets[stream + 1]
                last = begin + np.searchsorted(start_ns[begin:end], begins) - 1
                for source in range(last, max(last - 2, begin - 1), -1):
                    if stream == then or fills[source] == NONE or in_engine[source] != in_engine[target]:
                        continue
                    early = end_ns[source] - begins
                    opens = end_ns[source] - window[fills[source]] * wave_ns[source] - STAMP_NS
                    if opens > begins or early < -NEAR_NS or end_ns[source] < explained_ns[target] + HELD_NS:
                        continue
                    if abs(early) < nearest:
                        nearest, best = abs(early), source
            if best != NONE:
                sources[n], targets[n] = best, target
                n += 1
    return sources[:n], targets[:n]
