"""The part of a text that is in memory, moved over it from its beginning to its end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from simulation.errors import DamagedTrace
from simulation.formats.decimals import Bytes

WINDOW_BYTES = 4 << 20
LARGEST_BYTES = 64 << 20
"""A window grows to this where a single entry does not fit in it."""


class Window:
    """`text[:end]` are the bytes of the whole text from `base` on; `last` says that nothing is behind them."""

    def __init__(
        self,
        chunks: Iterable[bytes | Bytes],
        size_bytes: int = WINDOW_BYTES,
        done: Callable[[], tuple[int, int]] = lambda: (0, 0),
    ) -> None:
        self._chunks: Iterator[bytes | Bytes] = iter(chunks)
        self._left = memoryview(b"")  # of a chunk, what did not fit
        self._buffer = np.empty(size_bytes, np.uint8)
        self.done = done  # how far the file is read, and how long it is
        self.base = self.end = 0
        self.last = False
        self._fill(size_bytes)

    @property
    def text(self) -> Bytes:
        return self._buffer[: self.end]

    def advance(self, pos: int, file: str = "") -> None:
        """Forget what is before `pos` and go on. Raises DamagedTrace where an entry fills the largest window."""
        if pos == 0 and self.end == len(self._buffer):
            self._grow(file)
        kept = self.end - pos
        self._buffer[:kept] = self._buffer[pos : self.end].copy()
        self.base, self.end = self.base + pos, kept
        self._fill(len(self._buffer))

    def close(self) -> None:
        """Let go of the text."""
        self._buffer, self._left, self.end = np.empty(0, np.uint8), memoryview(b""), 0

    def _fill(self, size_bytes: int) -> None:
        while self.end < size_bytes:
            if not self._left:
                chunk = next(self._chunks, None)
                if chunk is None:
                    self.last = True
                    break
                self._left = chunk.data if isinstance(chunk, np.ndarray) else memoryview(chunk)
            taken = min(len(self._left), size_bytes - self.end)
            self._buffer[self.end : self.end + taken] = np.frombuffer(self._left[:taken], np.uint8)
            self.end, self._left = self.end + taken, self._left[taken:]

    def _grow(self, file: str) -> None:
        if len(self._buffer) >= LARGEST_BYTES:
            raise DamagedTrace(f"has an entry of more than {LARGEST_BYTES:,} bytes", file=file, byte=self.base)
        wider = np.empty(2 * len(self._buffer), np.uint8)
        wider[: self.end] = self.text
        self._buffer = wider
