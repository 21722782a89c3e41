"""The steps of a trace: the profiler's own marks, else an annotation that repeats as steps do, else none."""

from __future__ import annotations

import re

import numpy as np

from simulation.formats.links import Rows
from simulation.quality import QualityReport
from simulation.store import Column
from simulation.tracks import inherited

STEP_NAME = re.compile(r"ProfilerStep\s*#\s*(\d{1,18})")

ANNOTATION = "user_annotation"
FEWEST_REPEATS = 3
"""An annotation that comes less often is no step."""

_ROWS_AT_ONCE = 1 << 20

_NUMBERED = re.compile(r"(.*?)(\d{1,18})\D?", re.DOTALL)


def mark_steps(rows: Rows, quality: QualityReport) -> tuple[dict[str, Column], np.ndarray]:
    """The `steps` side table, and the step of each row, -1 none.

    A host row belongs to the step of its own process in which it starts, a device row to that of its launch.
    """
    at, number = _profiler_steps(rows)
    if not len(at):
        at, number = _repeated_annotation(rows)
        quality.add("steps_from_annotation", len(at))
    quality.add("no_steps", int(not len(at)))
    side: dict[str, Column] = {"row": at.astype(np.int32), "number": number}
    step = np.full(len(rows), -1, np.int32)
    process = np.unique([track.pid for track in rows.tracks], return_inverse=True)[1]
    of_host = [track.kind in ("thread", "async") for track in rows.tracks]
    process = np.where(of_host, process, -1).astype(np.int32)
    process_of_step = process[rows.columns["track"][at]]
    for pid in np.unique(process_of_step):
        mine = at[process_of_step == pid]
        steps = _Steps(rows, mine, np.searchsorted(at, mine))
        for track in rows.tracks:
            if process[track.index] == pid:
                steps.mark(step, track.rows)
    launch = rows.columns["launch"]
    launched = launch >= 0
    step[launched] = step[launch[launched]]
    return side, step


def _profiler_steps(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """(rows of `ProfilerStep#N`, N)."""
    numbers = {code: int(match[1]) for code, name in enumerate(rows.names) if (match := STEP_NAME.fullmatch(name))}
    named = np.isin(rows.columns["name"], list(numbers)) if numbers else np.zeros(len(rows), bool)
    at = np.flatnonzero(named & rows.is_slice & rows.on_kind("thread"))
    return at, np.array([numbers[code] for code in rows.columns["name"][at].tolist()], np.int64)


def _repeated_annotation(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """(rows, numbers) of the annotation that marks the steps.

    Candidates are the outermost user annotations of a thread that have one name but for a number at its end, come
    FEWEST_REPEATS times or more, do not overlap, and cover more than half of the time from the thread's first slice to
    its last. The one that covers most is taken. Numbers are those in the names, else they count from 0.
    """
    annotations = _outermost(rows)
    stems, place = _stems(rows, annotations)
    track = rows.columns["track"][annotations].astype(np.int64)
    groups, group = np.unique(track * max(len(stems), 1) + place, return_inverse=True)
    dur = rows.columns["dur_ns"][annotations]
    best, most_ns, spans_ns = np.empty(0, np.int64), 0, dict[int, int]()
    for index in np.flatnonzero(np.bincount(group, minlength=len(groups)) >= FEWEST_REPEATS).tolist():
        mine = annotations[group == index]
        covered_ns, thread = int(dur[group == index].sum()), int(rows.columns["track"][mine[0]])
        span_ns = spans_ns.get(thread) or spans_ns.setdefault(thread, _span_ns(rows, thread))
        if covered_ns > most_ns and 2 * covered_ns > span_ns and not _overlap(rows, mine):
            best, most_ns = mine, covered_ns
    return best, _numbers(rows, best)


def _outermost(rows: Rows) -> np.ndarray:
    """User annotations of threads that no other one encloses: rows.

    A frame may outlast the annotation in which it starts; what starts in it after that is not enclosed.
    """
    annotations = np.flatnonzero(rows.of_category(ANNOTATION) & rows.on_kind("thread"))
    own = np.full(len(rows), -1, np.int32)
    own[annotations] = annotations
    parent, start = rows.columns["parent"], rows.columns["start_ns"]
    nearest = inherited(parent, own)
    above = np.where(parent >= 0, nearest[parent], -1)
    around = above[annotations]
    while (over := (around >= 0) & (rows.end_ns[around] <= start[annotations])).any():
        around = np.where(over, above[around], around)
    return annotations[around < 0]


def _stems(rows: Rows, at: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Names without the number at their end: (distinct ones, which of them each row has)."""
    codes, place = np.unique(rows.columns["name"][at], return_inverse=True)
    stems: dict[str, int] = {}
    words = (rows.names[code] for code in codes.tolist())
    of_code = [stems.setdefault(m[1] if (m := _NUMBERED.fullmatch(word)) else word, len(stems)) for word in words]
    return list(stems), np.array(of_code, np.int64)[place.reshape(-1)] if of_code else np.empty(0, np.int64)


def _numbers(rows: Rows, at: np.ndarray) -> np.ndarray:
    """The number at the end of each name if all differ, else 0, 1, 2, ... in order of time."""
    names = [rows.names[code] for code in rows.columns["name"][at].tolist()]
    found = [int(match[2]) for name in names if (match := _NUMBERED.fullmatch(name))]
    if len(set(found)) == len(names):
        return np.array(found, np.int64)
    return np.argsort(np.argsort(rows.columns["start_ns"][at], kind="stable")).astype(np.int64)


def _span_ns(rows: Rows, track: int) -> int:
    """From the first start to the last end of the slices on a track."""
    mine = rows.tracks[track].rows
    slices = rows.is_slice[mine]
    return int(rows.end_ns[mine][slices].max() - rows.columns["start_ns"][mine][slices].min())


def _overlap(rows: Rows, at: np.ndarray) -> bool:
    """Whether any of these slices, in order of start, overlap."""
    order = at[np.argsort(rows.columns["start_ns"][at], kind="stable")]
    return bool((rows.columns["start_ns"][order[1:]] < rows.end_ns[order[:-1]]).any())


class _Steps:
    """The steps of one process, for rows to be marked with."""

    def __init__(self, rows: Rows, at: np.ndarray, numbers: np.ndarray) -> None:
        """Steps are rows `at`; `numbers` are their lines in the side table."""
        self._start_ns = rows.columns["start_ns"]
        order = np.argsort(self._start_ns[at], kind="stable")
        # Before the first step a row is in none: a step that ends before anything starts.
        self._begin_ns = self._start_ns[at[order]]
        self._end_ns = np.append(np.iinfo(np.int64).min, rows.end_ns[at[order]])
        self._number = np.append(-1, numbers[order]).astype(np.int32)

    def mark(self, step: np.ndarray, rows: slice) -> None:
        """Give each row the last step begun that is open at its start, where there is one."""
        for begin in range(rows.start, rows.stop, _ROWS_AT_ONCE):
            part = slice(begin, min(begin + _ROWS_AT_ONCE, rows.stop))
            start_ns = self._start_ns[part]
            place = np.searchsorted(self._begin_ns, start_ns, side="right")
            step[part] = np.where(start_ns < self._end_ns[place], self._number[place], -1)
