"""The raw args of a trace's events, byte for byte, in small compressed batches: a click reads one."""

from __future__ import annotations

import mmap
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from simulation.loads import gather
from simulation.store import replacing

BATCH_EVENTS = 1024
SCHEMA = pa.schema([pa.field("args", pa.large_binary())])
_COPIED_BYTES = 16 << 20
OPTIONS = pa.ipc.IpcWriteOptions(compression="zstd")


@dataclass
class ArgsStore:
    """`store[source_index]` is the text of that event's args as in the file, or b"" where it has none.

    Held in memory (`values`), or mapped from a file (`reader`): of a store, or what an ArgsWriter has written.
    """

    values: pa.LargeBinaryArray | None = None
    reader: pa.ipc.RecordBatchFileReader | None = None
    packed: mmap.mmap | None = None  # the file, where it is not of a store yet

    @classmethod
    def from_spans(cls, text: np.ndarray, begin: np.ndarray, end: np.ndarray) -> ArgsStore:
        """Args of event i = bytes begin[i] .. end[i] of `text` (u8); equal where there are none."""
        return cls(values=_gathered(text, begin, end))

    def __len__(self) -> int:
        if self.values is not None:
            return len(self.values)
        assert self.reader is not None
        batches = self.reader.num_record_batches
        return (batches - 1) * BATCH_EVENTS + len(self.reader.get_batch(batches - 1)) if batches else 0

    def __getitem__(self, source_index: int) -> bytes:
        if self.values is not None:
            return bytes(self.values[source_index].as_py())
        assert self.reader is not None
        batch = self.reader.get_batch(source_index // BATCH_EVENTS)
        return bytes(batch.column(0)[source_index % BATCH_EVENTS].as_py())

    def take(self, source_index: np.ndarray) -> pa.LargeBinaryArray:
        """The texts of many events, which must ascend. Unpacks the batches from the first to the last."""
        if self.values is not None:
            return self.values.take(pa.array(source_index))
        assert self.reader is not None
        if not len(source_index):
            return pa.array([], pa.large_binary())
        first, last = int(source_index[0]) // BATCH_EVENTS, int(source_index[-1]) // BATCH_EVENTS
        batches = [self.reader.get_batch(batch).column(0) for batch in range(first, last + 1)]
        return pa.concat_arrays(batches).take(pa.array(source_index - first * BATCH_EVENTS))

    def save(self, path: Path) -> None:
        """Write the compressed file, all or nothing; it is not synced."""
        with replacing(path, synced=False) as beside:
            if self.packed is not None:
                _copy(self.packed, beside)
                return
            assert self.values is not None, "args of a store are saved already"
            with pa.OSFile(str(beside), "wb") as sink, pa.ipc.new_file(sink, SCHEMA, options=OPTIONS) as writer:
                _write_batches(writer, self.values)

    @classmethod
    def open(cls, path: Path) -> ArgsStore:
        return cls(reader=pa.ipc.open_file(pa.memory_map(str(path))))


class ArgsWriter:
    """Takes args block by block, in file order, and compresses them into a file without a name while more are read."""

    def __init__(self, folder: Path | None = None) -> None:
        """`folder`: where the file is made, None for the system's temporary one."""
        self._file = tempfile.TemporaryFile(dir=folder)
        self._writer = pa.ipc.new_file(pa.PythonFile(self._file, "w"), SCHEMA, options=OPTIONS)
        self._waiting = pa.array([], pa.large_binary())  # the last block, and what of the one before made no batch
        self._pool = ThreadPoolExecutor(1)
        self._written: Future[None] | None = None

    def add(self, text: np.ndarray, begin: np.ndarray, end: np.ndarray) -> None:
        """The args of the next events, bytes begin[i] .. end[i] of `text` (u8); which is free again afterwards."""
        whole = len(self._waiting) - len(self._waiting) % BATCH_EVENTS
        if whole:
            self._settle()
            self._written = self._pool.submit(_write_batches, self._writer, self._waiting.slice(0, whole))
        self._waiting = pa.concat_arrays([self._waiting.slice(whole), _gathered(text, begin, end)])

    def finish(self) -> ArgsStore:
        """All that was added, in a store that holds the file."""
        self._settle()
        _write_batches(self._writer, self._waiting)
        self._writer.close()
        self._file.flush()
        packed = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return ArgsStore(reader=pa.ipc.open_file(pa.py_buffer(packed)), packed=packed)

    def close(self) -> None:
        """Let go of thread and file; what `finish` gave stays."""
        self._pool.shutdown()
        self._file.close()

    def _settle(self) -> None:
        """One block is written while the next is read, not more."""
        if self._written:
            self._written.result()


def _gathered(text: np.ndarray, begin: np.ndarray, end: np.ndarray) -> pa.LargeBinaryArray:
    offsets = np.zeros(len(begin) + 1, np.int64)
    np.cumsum(end - begin, out=offsets[1:])
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(gather(text, begin, offsets))]
    return pa.Array.from_buffers(pa.large_binary(), len(begin), buffers)


def _copy(packed: mmap.mmap, path: Path) -> None:
    with path.open("wb") as sink, memoryview(packed) as view:
        for begin in range(0, len(view), _COPIED_BYTES):
            sink.write(view[begin : begin + _COPIED_BYTES])
            packed.madvise(mmap.MADV_DONTNEED)  # what is written need not stay in memory


def _write_batches(writer: pa.ipc.RecordBatchFileWriter, values: pa.LargeBinaryArray) -> None:
    for begin in range(0, len(values), BATCH_EVENTS):
        writer.write_batch(pa.record_batch([values.slice(begin, BATCH_EVENTS)], schema=SCHEMA))
