"""Which link each device event uses, and which devices its links join."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from simulation.replay.flow import NONE


class Devices(NamedTuple):
    """The device events of a run; by global row, NONE of what is none."""

    kind: np.ndarray  # i64: COMPUTE, COMMUNICATION, COPY
    device: np.ndarray  # i64, from 0 on over all ranks
    way: np.ndarray  # i64: of copies their direction; NONE of what uses no link; 0 of communication
    rank: np.ndarray  # i64 per device: of its trace; its place among the traces where the rank is not known


class Links(NamedTuple):
    """The links of devices, or of several ranks each, that have a bandwidth."""

    link: np.ndarray  # i64 per row, NONE
    capacity: np.ndarray  # i64 per link
    domain: np.ndarray  # i64 per device: those that a link joins have the same

    @classmethod
    def of(cls, devices: Devices, capacity: Mapping[int, int], ranks: Mapping[int, int]) -> Links:
        """`capacity` by kind of event; `ranks` by kind: so many ranks, from 0 on, share a link, else each device has
        its own. Cost: O(rows log rows)."""
        linked = np.flatnonzero((devices.way != NONE) & np.isin(devices.kind, list(capacity)))
        kind, device = devices.kind[linked], devices.device[linked]
        place = device.copy()
        for of, count in ranks.items():
            place[kind == of] = devices.rank[device[kind == of]] // count
        keys = np.stack([kind, place, devices.way[linked]], axis=1)
        which, number = np.unique(keys, axis=0, return_inverse=True)
        link = np.full(len(devices.kind), NONE)
        link[linked] = number.reshape(-1)
        carried = np.array([capacity[of] for of in which[:, 0].tolist()], np.int64)
        return cls(link, carried, _joined(device, number.reshape(-1), len(devices.rank), len(which)))


def _joined(device: np.ndarray, link: np.ndarray, devices: int, links: int) -> np.ndarray:
    """Devices that links join, directly or over others, have one number, from 0 on: i64 per device."""
    pairs = np.unique(np.stack([device, link]), axis=1)
    least, before = np.arange(devices), np.full(devices, NONE)
    while (least != before).any():
        before = least.copy()
        of_link = np.full(links, devices)
        np.minimum.at(of_link, pairs[1], least[pairs[0]])
        np.minimum.at(least, pairs[0], of_link[pairs[1]])
    return np.unique(least, return_inverse=True)[1].reshape(-1)
