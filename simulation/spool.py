"""Columns that wait on the disk: kept in memory while they are small, else written as they come and read again whole.

A file without a name holds them; the disk's space is free again when nothing is read or mapped from it any more.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

HELD_BYTES = 32 << 20
"""Of all columns of a spool together, what waits in memory."""
KEPT_BYTES = 4 << 20
"""A finished column smaller than this stays in memory."""


class Spool:
    """The file, and what has not been written to it."""

    def __init__(self, folder: Path | None = None, held_bytes: int = HELD_BYTES, kept_bytes: int = KEPT_BYTES) -> None:
        """`folder`: where the file is made when it is needed, None for the system's temporary one."""
        self.folder, self.held_bytes, self.kept_bytes = folder, held_bytes, kept_bytes
        self._columns: list[Growing] = []
        self._pages: list[mmap.mmap] = []
        self._waiting_bytes = self._size_bytes = 0
        self._file: int | None = None

    def close(self) -> None:
        """Rest, and forget the columns; arrays that were kept stay."""
        self.rest()
        self._columns, self._pages = [], []
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __del__(self) -> None:
        self.close()

    def column(self, type_: type[np.generic]) -> Growing:
        """A new column, to which values are added block by block."""
        self._columns.append(Growing(self, type_))
        return self._columns[-1]

    def keep(self, values: np.ndarray) -> np.ndarray:
        """The same values; of a large array in mapped pages, of which memory holds those that are looked at."""
        if not len(values) or values.nbytes < self.kept_bytes:
            return values
        place = self.write(values)
        pages = mmap.mmap(self._descriptor(), values.nbytes, offset=place)
        self._pages.append(pages)
        return np.frombuffer(pages, values.dtype).reshape(values.shape)

    def rest(self) -> None:
        """Of a spool that has a file, let go of the mapped pages that memory holds, and of all memory that is free.

        Whoever looks at such pages again reads them again.
        """
        for pages in self._pages:
            pages.madvise(mmap.MADV_DONTNEED)
        if self._file is not None:
            give_back()

    def waits(self, size_bytes: int) -> None:
        """So much more waits in memory; where that is too much, all of it is written."""
        self._waiting_bytes += size_bytes
        if self._waiting_bytes > self.held_bytes:
            for column in self._columns:
                column.write()
            self._waiting_bytes = 0

    def write(self, values: np.ndarray) -> int:
        """Append to the file: the place, which begins a page."""
        place, data = self._size_bytes, np.ascontiguousarray(values).data.cast("B")
        done = 0
        while done < len(data):
            done += os.pwrite(self._descriptor(), data[done:], place + done)
        self._size_bytes += -(-done // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY
        return place

    def read(self, place: int, into: np.ndarray) -> None:
        """Fill an array with what was written at a place."""
        data, done = into.data.cast("B"), 0
        while done < len(data):
            done += os.preadv(self._descriptor(), [data[done:]], place + done)

    def _descriptor(self) -> int:
        if self._file is None:
            with tempfile.TemporaryFile(dir=self.folder) as file:
                self._file = os.dup(file.fileno())
        return self._file


@cache
def _libc() -> ctypes.CDLL | None:
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "malloc_trim") else None


def give_back() -> None:
    """Return free memory to the system: glibc by itself keeps freed blocks of up to 32 MiB, per thread."""
    if libc := _libc():
        libc.malloc_trim(0)


class Growing:
    """One column: `add` and, in the end, `whole`."""

    def __init__(self, spool: Spool, type_: type[np.generic]) -> None:
        self._spool, self._type = spool, type_
        self._written: list[tuple[int, int]] = []  # place, values
        self._waiting: list[np.ndarray] = []
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, values: np.ndarray) -> None:
        """Values that the column's type can hold; they may be changed afterwards."""
        if not len(values):
            return
        self._waiting.append(values.astype(self._type))
        self._length += len(values)
        self._spool.waits(self._waiting[-1].nbytes)

    def whole(self) -> np.ndarray:
        """All values, in an array of its own: each call reads them again."""
        values, begin = np.empty(self._length, self._type), 0
        for place, length in self._written:
            self._spool.read(place, values[begin : begin + length])
            begin += length
        for part in self._waiting:
            values[begin : begin + len(part)] = part
            begin += len(part)
        return values

    def write(self) -> None:
        """Write what waits to the file."""
        if self._waiting:
            part = np.concatenate(self._waiting)
            self._written.append((self._spool.write(part), len(part)))
            self._waiting.clear()
