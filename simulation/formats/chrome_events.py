"""One trace as the text of its events in Chrome's JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from simulation.events import Track
from simulation.formats.counters import Counter
from simulation.formats.selection import Selection
from simulation.formats.texts import NOTHING, joined, large, microseconds, together
from simulation.formats.written import LETTERS, SLICE, Written
from simulation.run import Run
from simulation.store import Strings

BLOCK_ROWS = 65_536
GPU_SORT = 5_000_000
"""Kineto shows devices below processes by this sort index; so do we."""

_REASONS = {
    "not an object": "null",
    "no usable duration": '"ts": 0, "dur": "unusable"',
    "negative duration": '"ts": 0, "dur": -1',
    "an end without a begin": '"ts": 0',
}
"""Why an event has no place -> what makes the reader find the same again."""


class TraceText:
    """One trace as the text of its events."""

    def __init__(
        self, run: Run, index: int, selection: Selection, alone: bool, base_ns: int, counters: Sequence[Counter] = ()
    ) -> None:
        """`alone`: no other trace goes into the same file. `base_ns`: what the file's times count from."""
        self.trace, self.index, self.alone = run.traces[index], index, alone
        self.is_whole = selection.is_whole
        self.shift_ns = run.origin_ns + run.shift_ns[index] - base_ns
        rank = run.ranks[index]
        self.prefix = f"rank {rank}: " if rank is not None else f"{self.trace.info.file_name}: "
        self.pids = self._pids(run)
        self.places = large(
            [f', "pid": {pid}, "tid": {_tid(track)}' for pid, track in zip(self.pids, self.trace.tracks, strict=True)]
        )
        self.categories = large([f'"cat": {json.dumps(word)}, ' if word else "" for word in self.trace.categories])
        self.names = large([json.dumps(name) for name in self.trace.names])
        self.rows = selection.rows(run, index)
        self.written = Written.of(self.trace, self.rows)
        self.ids, self.id_of = self._ids()
        self.counters = [counter.within(selection, index, run.shift_ns[index]) for counter in counters]

    def _pids(self, run: Run) -> list[str]:
        """Of each track: as in the file; of several traces, a number of its own for each process of each."""
        if self.alone:
            return [_json_number(track.pid) for track in self.trace.tracks]
        processes = list(dict.fromkeys(track.process for track in self.trace.tracks))
        most = max(len({track.process for track in trace.tracks}) for trace in run.traces)
        first = (self.index + 1) * 10 ** len(str(most))
        return [str(first + processes.index(track.process)) for track in self.trace.tracks]

    def blocks(self) -> Iterator[bytes]:
        """Comma-separated events without a comma at either end; none is empty."""
        if labels := [json.dumps(event).encode() for event in self._labels()]:
            yield b",\n".join(labels)
        yield from self._texts(np.arange(len(self.written.row)), self._events)
        flow_row = np.asarray(self.trace.sides["flows"]["row"])
        chosen = np.zeros(len(self.trace) + 1, np.bool_)
        chosen[self.rows], chosen[-1] = True, self.is_whole
        yield from self._texts(np.flatnonzero(chosen[flow_row]), self._flows)
        for counter in self.counters:
            for begin in range(0, len(counter.at_ns), BLOCK_ROWS):
                block = counter.at(slice(begin, begin + BLOCK_ROWS))
                yield joined(block.text(self.pids[counter.track], self.shift_ns))
        if self.is_whole and (unplaced := [text.encode() for text in self._unplaced()]):
            yield b",\n".join(unplaced)

    def _texts(self, at: np.ndarray, text: Callable[[np.ndarray], pa.Array]) -> Iterator[bytes]:
        for begin in range(0, len(at), BLOCK_ROWS):
            yield joined(text(at[begin : begin + BLOCK_ROWS]))

    def _labels(self) -> Iterator[dict[str, Any]]:
        """M events. A device may share its pid with a process, which then names it."""
        used = set(np.unique(self.trace.track[self.rows]).tolist())
        shown = [(self.pids[index], self.trace.tracks[index]) for index in sorted(used)]
        of_threads = {pid for pid, track in shown if track.kind != "stream"}
        named: set[tuple[str, str]] = set()
        for pid, track in shown:
            if track.kind == "stream" and (pid, "stream") not in named:
                yield _meta("process_labels", pid, labels=self._process_name(track))
                yield _meta("process_sort_index", pid, sort_index=GPU_SORT * (self.index + 1) + max(track.device, 0))
            if (pid, track.kind) not in named and (track.kind != "stream" or pid not in of_threads):
                yield _meta("process_name", pid, name=self._process_name(track))
            named.add((pid, track.kind))
            if track.kind not in ("counter", "async"):
                yield _meta("thread_name", pid, _tid(track), name=track.name)
                yield _meta("thread_sort_index", pid, _tid(track), sort_index=track.sort)

    def _process_name(self, track: Track) -> str:
        """With the rank where there are several; alone, the reader adds the pid to a process's name itself."""
        if not self.alone:
            return f"{self.prefix}{track.process}"
        return track.process.removesuffix(track.pid).strip() if track.kind != "stream" else track.process

    def _events(self, at: np.ndarray) -> pa.Array:
        trace, written = self.trace, self.written.at(at)
        rows, phase = written.row, written.phase
        dur = together(', "dur": ', microseconds(trace.dur_ns[rows]))
        return together(
            large([f'{{"ph": "{letter}", ' for letter in LETTERS]).take(pa.array(phase)),
            self.categories.take(pa.array(trace.category[rows])),
            self.ids.take(pa.array(self.id_of[rows])),
            '"name": ',
            self.names.take(pa.array(trace.name[rows])),
            self.places.take(pa.array(trace.track[rows])),
            ', "ts": ',
            microseconds(trace.start_ns[rows] + np.where(written.is_end, trace.dur_ns[rows], 0) + self.shift_ns),
            pc.if_else(pa.array(phase == SLICE), dur, NOTHING),
            self._args(written.source_index),
            "}",
        )

    def _args(self, source_index: np.ndarray) -> pa.Array:
        """`, "args": ...` as in the file, or nothing."""
        args = self.trace.args.take(source_index)
        given = together(', "args": ', args.cast(pa.large_string(), safe=False))
        return pc.if_else(pc.equal(pc.binary_length(args), 0), NOTHING, given)

    def _ids(self) -> tuple[pa.Array, np.ndarray]:
        """Texts of the ids of asynchronous work, and which of them each row has: i64, the last is none."""
        side = self.trace.sides["asyncs"]
        ids = side["id"]
        assert isinstance(ids, Strings)
        known = [f'"id2": {word}, ' if word.startswith("{") else f'"id": {json.dumps(word)}, ' for word in ids.words]
        id_of = np.full(len(self.trace), len(known), np.int64)
        id_of[np.asarray(side["row"])] = np.where(ids.codes < 0, len(known), ids.codes)
        return large([*known, ""]), id_of

    def _flows(self, at: np.ndarray) -> pa.Array:
        """Those that lead nowhere have no time and place either."""
        flows, trace = self.trace.sides["flows"], self.trace
        row, phase, category = np.asarray(flows["row"])[at], np.asarray(flows["phase"])[at], flows["category"]
        assert isinstance(category, Strings)
        cat = large([json.dumps(word) for word in category.words]).take(pa.array(category.codes[at]))
        place = together(
            self.places.take(pa.array(trace.track[row])), ', "ts": ', microseconds(trace.start_ns[row] + self.shift_ns)
        )
        return together(
            large([f'{{"ph": "{chr(code)}", ' for code in range(128)]).take(pa.array(phase)),
            '"id": ',
            large(np.asarray(flows["id"])[at]),
            ', "cat": ',
            cat,
            ', "name": ',
            cat,
            pc.if_else(pa.array(row >= 0), place, NOTHING),
            pc.if_else(pa.array(phase == ord("f")), large(', "bp": "e"}'), large("}")),
        )

    def _unplaced(self) -> Iterator[str]:
        """Events without a place on the timeline, so written that they have none when they are read."""
        side, args = self.trace.sides["unplaced"], self.trace.args
        for line, source_index in enumerate(np.asarray(side["source_index"]).tolist()):
            phase, name, category, reason = (str(side[key][line]) for key in ("phase", "name", "category", "reason"))
            made = _REASONS.get(reason, "")
            if made == "null":
                yield made
                continue
            words = {"ph": phase, "name": name, "cat": category}
            raw = args[source_index].decode(errors="replace")
            parts = [f'"{key}": {json.dumps(word)}' for key, word in words.items() if word]
            parts += [part for part in (made, raw and f'"args": {raw}') if part]
            yield f"{{{', '.join(parts)}}}"


def _meta(what: str, pid: str, tid: str = "0", /, **args: Any) -> dict[str, Any]:
    return {"ph": "M", "name": what, "pid": json.loads(pid), "tid": json.loads(tid), "ts": 0, "args": args}


def _json_number(word: str) -> str:
    """A pid or tid as JSON: a number where it is one, else text."""
    return word if re.fullmatch(r"-?\d{1,18}", word) else json.dumps(word)


def _tid(track: Track) -> str:
    return _json_number(track.tid) if track.kind not in ("counter", "async") else "0"
