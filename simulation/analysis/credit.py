"""Device time credited to what launched it and to everything around that: operators, modules."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit


class Credit(NamedTuple):
    """Per node; busy time is the union of the work's intervals, so that what overlaps counts once. i64."""

    direct_ns: np.ndarray  # of work that the node launched itself
    subtree_ns: np.ndarray  # of that and all below it
    direct: np.ndarray  # number of device events
    subtree: np.ndarray


def credited(owner: np.ndarray, above: np.ndarray, start_ns: np.ndarray, end_ns: np.ndarray) -> Credit:
    """Credit device work, by start, to its nodes: owner i64 (n,), -1 none; above i64 (nodes,), -1 none.

    Costs events times depth.
    """
    return Credit(*_credited(owner, above.astype(np.int64), start_ns, end_ns))


@njit(cache=True, nogil=True)
def _credited(
    owner: np.ndarray, above: np.ndarray, start: np.ndarray, end: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    nodes, none = len(above), np.iinfo(np.int64).min
    direct_ns, subtree_ns = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    direct, subtree = np.zeros(nodes, np.int64), np.zeros(nodes, np.int64)
    direct_until, until = np.full(nodes, none), np.full(nodes, none)
    for at in range(len(owner)):
        node = owner[at]
        if node < 0:
            continue
        direct[node] += 1
        if end[at] > direct_until[node]:
            direct_ns[node] += end[at] - max(start[at], direct_until[node])
            direct_until[node] = end[at]
        while node >= 0:
            subtree[node] += 1
            if end[at] > until[node]:
                subtree_ns[node] += end[at] - max(start[at], until[node])
                until[node] = end[at]
            node = above[node]
    return direct_ns, subtree_ns, direct, subtree


def outermost(name: np.ndarray, above: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """Of `nodes`, those with no node of their own name around them, so that sums by name count nothing twice: bool."""
    return np.asarray(_outermost(name, above.astype(np.int64), nodes))


@njit(cache=True, nogil=True)
def _outermost(name: np.ndarray, above: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    found = np.ones(len(nodes), np.bool_)
    for at in range(len(nodes)):
        around = above[nodes[at]]
        while around >= 0 and name[around] != name[nodes[at]]:
            around = above[around]
        found[at] = around < 0
    return found
