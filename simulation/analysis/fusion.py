"""Kernels that always follow one another: candidates for fusion, or for one launch of all.

Proximity score (SKIP, arXiv 2504.11750): of a chain of kernels, how often it occurs over how often its first kernel
does. At 1 the first kernel is always followed by exactly that chain: a deterministic candidate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import njit

from simulation.analysis.kernels import Joined
from simulation.analysis.selection import RankView
from simulation.analysis.tables import Groups

LENGTHS = (2, 4, 8, 16, 32, 64)
"""Powers of two: a chain is the pair of its halves, so that codes are exact without hashing."""

MOST = 100
FEWEST = 2
"""A chain that occurs once says nothing of what always follows."""


def fusion_of(views: Sequence[RankView]) -> dict[str, Any]:
    """Per length: deterministic chains, launches that they would save, the ideal gain; and the chains themselves."""
    joined = Joined(views)
    order = _in_sequence(views)
    name, sequence = joined.name[order], np.concatenate([np.empty(0, np.int64), *_sequences(views)])[order]
    code, count = name.copy(), len(name)
    left = _left(sequence)
    starts = _occurrences(name)
    lengths, chains = [], []
    for length in LENGTHS:
        code = _paired(code, length // 2, left)
        fits = left >= length
        groups = Groups(code[fits])
        at = np.flatnonzero(fits)[groups.order[groups.begin]] if len(groups) else np.empty(0, np.int64)
        score = groups.count / starts[at]
        sure = (score == 1.0) & (groups.count >= FEWEST)
        is_sure = np.zeros(count, np.bool_)
        members = np.repeat(sure, groups.count)
        is_sure[np.flatnonzero(fits)[groups.order[members]]] = True
        replaced = int(_fitted(is_sure, length))
        after = count - replaced * (length - 1)
        lengths.append({
            "length": length,
            "chains": len(groups),
            "deterministic": int(np.count_nonzero(sure)),
            "launches_saved": count - after,
            "ideal_gain": count / after if after else None,
        })  # fmt: skip
        chains += _lines(joined, order, length, at[sure], groups.count[sure])
    chains.sort(key=lambda line: (-line["launches_saved"], line["length"]))
    return {"launches": count, "lengths": lengths, "chains": chains[:MOST]}


def _in_sequence(views: Sequence[RankView]) -> np.ndarray:
    """Joined device events by rank, stream, step and start."""
    sequence = np.concatenate([np.empty(0, np.int64), *_sequences(views)])
    return np.argsort(sequence, kind="stable")


def _sequences(views: Sequence[RankView]) -> list[np.ndarray]:
    """Which sequence each event belongs to: one per rank, stream and step."""
    found, known = [], 0
    for view in views:
        device = view.device
        steps = len(view.step_numbers) + 1
        found.append(known + device.stream * steps + device.step + 1)
        known += len(view.table.tracks) * steps
    return found


def _left(sequence: np.ndarray) -> np.ndarray:
    """How many events its sequence has from each one on."""
    if not len(sequence):
        return sequence
    last = np.append(np.flatnonzero(sequence[1:] != sequence[:-1]), len(sequence) - 1)
    return np.asarray(np.repeat(last, np.diff(np.append(-1, last))) - np.arange(len(sequence)) + 1)


def _occurrences(name: np.ndarray) -> np.ndarray:
    """How often the name of each event occurs in all."""
    _, place, counts = np.unique(name, return_inverse=True, return_counts=True)
    return np.asarray(counts[place.reshape(-1)])


def _paired(code: np.ndarray, half: int, left: np.ndarray) -> np.ndarray:
    """Codes of chains twice as long: equal where both halves are; of events with too little after them, -1."""
    at = np.flatnonzero(left >= 2 * half)
    pairs = Groups(code[at], code[at + half])
    doubled = np.full(len(code), -1, np.int64)
    doubled[at[pairs.order]] = np.repeat(np.arange(len(pairs)), pairs.count)
    return doubled


@njit(cache=True, nogil=True)
def _fitted(begins: np.ndarray, length: int) -> int:
    """How many chains fit side by side, taken greedily; begins: bool, whether one begins at each event."""
    fitted, at = 0, 0
    while at < len(begins):
        if begins[at]:
            fitted += 1
            at += length
        else:
            at += 1
    return fitted


def _lines(joined: Joined, order: np.ndarray, length: int, at: np.ndarray, counts: np.ndarray) -> list[dict[str, Any]]:
    """The chains that begin at `at`: their names, and how long one takes in its first occurrence, gaps apart."""
    most = np.argsort(-counts, kind="stable")[:MOST]
    found = []
    for begin, count in zip(at[most].tolist(), counts[most].tolist(), strict=True):
        members = order[begin : begin + length]
        busy = int(joined.dur_ns[members].sum())
        span = int(joined.start_ns[members[-1]] + joined.dur_ns[members[-1]] - joined.start_ns[members[0]])
        found.append({
            "length": length,
            "count": count,
            "launches_saved": count * (length - 1),
            "kernels": [joined.words[code] for code in joined.name[members].tolist()],
            "busy_ns": busy,
            "gaps_ns": max(span - busy, 0),
            "trace": int(joined.trace[members[0]]),
            "row": int(joined.row[members[0]]),
        })  # fmt: skip
    return found
