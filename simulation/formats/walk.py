"""A JSON trace, walked in windows: events are handed over block by block, the other keys of its top level are kept.

What is damaged is left out up to the next entry that can be read, and counted; a text that breaks off gives what
stands before. Only what cannot be a trace, or is made to fill the memory, is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from simulation.errors import DamagedTrace, UnknownFormat
from simulation.formats import scan
from simulation.formats.decimals import Bytes
from simulation.formats.sniff import LIST, check, start
from simulation.formats.window import Window
from simulation.formats.words import decode
from simulation.progress import Progress
from simulation.quality import QualityReport

BLOCK_EVENTS, BLOCK_DETAILS = 65_528, 8 * 65_535
"""Read at once; no power of two, whose columns would share the lines of the processor's cache."""
LARGEST_DETAILS = 16 * BLOCK_DETAILS

MAX_KEYS = 10_000
MAX_USELESS = 1_000_000
"""Entries of the list that are no events: as zeros are short, a small file could hold more than the memory does."""

Take = Callable[[Bytes, np.ndarray, np.ndarray], None]
"""`take(text, events, details)`: a block of entries, as in scan; the text is gone afterwards."""


class Walk:
    """From the first byte to the last."""

    def __init__(self, window: Window, file: str, keys: scan.Keys, take: Take, quality: QualityReport) -> None:
        self.window, self.file, self.keys, self.take, self.quality = window, file, keys, take, quality
        self.metadata: dict[str, Any] = {}
        self.stops = -1  # byte from which on nothing more can be read, -1: the text is whole
        self.events = 0
        self._pos, self._seen, self._useless, self._damage = 0, False, 0, -1
        self._stack = np.empty(scan.MAX_DEPTH, np.uint8)
        self._block = np.empty((scan.EVENT_COLUMNS, BLOCK_EVENTS), np.int64)
        self._details = np.empty((scan.DETAIL_COLUMNS, BLOCK_DETAILS), np.int64)

    def run(self, progress: Progress) -> None:
        """Raises TraceError: no event list, nested too deeply, or too much in it that is no event."""
        self._progress = progress
        self._pos = start(self.window.text)
        if self.window.text[self._pos] == ord("["):
            self._read_events()
        else:
            self._pos += 1
            self._read_object()
        if not self._seen:
            raise UnknownFormat("has no traceEvents", file=self.file)

    def close(self) -> None:
        """Let go of the text and of the arrays that were scanned into; what was found stays."""
        self.window.close()
        self._block, self._details = self._block[:, :0].copy(), self._details[:, :0].copy()

    def _read_object(self) -> None:
        for number in range(MAX_KEYS):
            status, begin, after, place = self._scan(scan.next_member, number == 0)
            if status == scan.DONE and begin == 0:
                return
            if status == scan.DONE:
                key, _ = decode(self.window.text[begin - 1 : after + 1].tobytes())
                self._pos = place
                status, place = self._read_member(key)
            if status != scan.DONE and not self._goes_on(status, place):
                return
        raise UnknownFormat(f"has more than {MAX_KEYS:,} top-level keys", file=self.file)

    def _scan(self, kernel: Callable[..., Any], *more: Any) -> Any:
        """What a kernel finds from where we stand, with more of the text where the window is too small."""
        while True:
            found = kernel(self.window.text, self._pos, self.window.end, *more)
            if found[0] != scan.ENDS or self.window.last:
                return found
            self._advance()

    def _advance(self) -> None:
        self.window.advance(self._pos, self.file)
        self._pos = 0

    def _read_member(self, key: str) -> tuple[int, int]:
        """The value where we stand: status, and the place that is wrong."""
        if key == "traceEvents":
            if self.window.text[self._pos] != ord("["):
                raise DamagedTrace("traceEvents is not a list", file=self.file, byte=self.window.base + self._pos)
            return self._read_events()
        status, place = self._scan(scan.value_end, self._stack)
        if status == scan.DONE:
            self._keep(key, self.window.text[self._pos : place].tobytes())
            self._pos = place
        return status, place

    def _keep(self, key: str, raw: bytes) -> None:
        try:
            self.metadata[key] = json.loads(raw.decode(errors="replace"), strict=False)
        except (ValueError, RecursionError):
            self.quality.add("damaged_metadata", 1, [key])

    def _goes_on(self, status: int, place: int) -> bool:
        """After damage of the top level: whether there is anything to read behind it."""
        if self.stops >= 0:
            return False
        if status == scan.ENDS and self._seen:
            self._break_off(self.window.end)
            return False
        byte, head = self.window.base + place, self.window.text[place : place + 100].copy()
        if status != scan.BROKEN:
            check(status, head, 0, self.file, base=byte)
        if self._seen:  # the list may have ended too early
            self._count_damage([byte])
            self._pos = place
            return self._list_from(scan.LOST)[0] == scan.DONE
        if not self._find_list(place):
            check(status, head, 0, self.file, base=byte)
        self.quality.add("damaged_metadata", 1, [f"byte {byte:,}"])
        return self._read_events()[0] == scan.DONE

    def _find_list(self, place: int) -> bool:
        """Stand at the value of the next `traceEvents`, wherever it is written."""
        self._pos = place
        while (found := self.window.text[self._pos :].tobytes().find(LIST)) < 0:
            if self.window.last:
                return False
            self._pos = max(self.window.end - len(LIST), 1)
            self._advance()
        self._pos += found
        status, _, _, self._pos = self._scan(scan.next_member, True)
        return bool(status == scan.DONE and self.window.text[self._pos] == ord("["))

    def _read_events(self) -> tuple[int, int]:
        """The list where we stand."""
        self._seen, self._pos = True, self._pos + 1
        return self._list_from(scan.FIRST)

    def _list_from(self, state: int) -> tuple[int, int]:
        """The entries from where we stand: status, and the place that is wrong."""
        while True:
            status, place, n, found, after, state = scan.scan_events(
                self.window.text, self._pos, self.window.end, state, self._block, self._details, self.keys, self._stack
            )
            if status == scan.FULL and n == 0:
                self._make_room()
                continue
            self._take(n, found)
            self._pos = after
            self._progress("reading", *self.window.done())
            if status == scan.DEEP:
                check(status, self.window.text, place, self.file, self.events, self.window.base)
            if status == scan.DONE:
                return status, place
            if status == scan.ENDS:
                if self.window.last:
                    self._ends_in_list(state)
                    return status, place
                self._advance()

    def _make_room(self) -> None:
        """For an event with more details than fit."""
        if self._details.shape[1] > LARGEST_DETAILS:
            raise DamagedTrace("has args without end", file=self.file, event=self.events)
        self._details = np.empty((scan.DETAIL_COLUMNS, 2 * self._details.shape[1]), np.int64)

    def _take(self, n: int, found: int) -> None:
        if not n:
            return
        phase, times = self._block[scan.PHASE, :n], self._block[scan.TS, :n]
        self._count_damage((self.window.base + times[phase == scan.DAMAGED]).tolist())
        self._useless += int(np.count_nonzero(phase <= 0))
        if self._useless > MAX_USELESS:
            what = f"has more than {MAX_USELESS:,} entries that are no events"
            raise DamagedTrace(what, file=self.file, byte=self.window.base + self._pos)
        self.take(self.window.text, self._block[:, :n], self._details[:, :found])
        self.events += n

    def _count_damage(self, places: list[int]) -> None:
        self._damage = places[-1] if places else self._damage
        self.quality.add("damaged_entries", len(places), (f"byte {place:,}" for place in places[:16]))

    def _ends_in_list(self, state: int) -> None:
        """In damage, or in an event, or after one: Chrome's format allows a list that is not closed."""
        rest = self.window.text[self._pos :].tobytes().strip()
        if state == scan.LOST:
            self.stops = self._damage
        elif rest not in (b"", b","):
            self._break_off(self._pos)
        else:
            self.quality.add("unclosed_list", 1, [self.file])
            self.stops = self.window.base + self._pos

    def _break_off(self, place: int) -> None:
        self.stops = self.window.base + place
        self.quality.add("truncated", 1, [f"{self.file[-60:]} at byte {self.stops:,}"])
