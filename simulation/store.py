"""One table, one Arrow IPC file, one record batch: what Numba maps without a copy.

Columns are NumPy arrays without nulls (absent = the column's sentinel), or `Strings`, a dictionary column
whose codes Numba reads and whose words other tools see. A file is written beside its final name, synced
and renamed: whoever sees it sees all of it, and it never changes. Of many files that are of use only together
none is synced by itself: `sync` waits for the disk once, before the file is written that says they are whole.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from simulation.errors import StoreError

META_KEY = b"traceviewer"

_SYNCS_AT_ONCE = 8
"""The journal of a file system takes those that wait together in one go."""

_NO_CODES = np.empty(0, np.int32)


@dataclass(frozen=True)
class Strings:
    """A column of words: `codes` (one per row, -1 = none) into `words` (distinct, code order)."""

    codes: np.ndarray
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, row: int) -> str:
        code = int(self.codes[row])
        return self.words[code] if code >= 0 else ""


Column = np.ndarray | Strings


def write_table(path: Path, columns: Mapping[str, Column], meta: Mapping[str, Any], synced: bool = True) -> None:
    """Write `columns` and the JSON-able `meta` to `path`, all or nothing; unless `synced`, `sync` is to follow."""
    arrays = [_to_arrow(column) for column in columns.values()]
    schema = pa.schema(
        [pa.field(name, array.type) for name, array in zip(columns, arrays, strict=True)],
        metadata={META_KEY: json.dumps(meta).encode()},
    )
    batch = pa.record_batch(arrays, schema=schema)
    options = pa.ipc.IpcWriteOptions(compression=None)
    with replacing(path, synced) as beside, pa.OSFile(str(beside), "wb") as sink:
        with pa.ipc.new_file(sink, schema, options=options) as writer:
            writer.write_batch(batch)


def open_table(path: Path) -> tuple[dict[str, Column], dict[str, Any]]:
    """Map the file; the arrays are read-only views of it. Costs O(columns + distinct words).

    Raises StoreError if the file is missing or is not one of ours.
    """
    try:
        source = pa.memory_map(str(path))
        reader = pa.ipc.open_file(source)
        batch = reader.get_batch(0)
        meta = json.loads(reader.schema.metadata[META_KEY])
    except (OSError, pa.ArrowInvalid, KeyError, TypeError) as error:
        raise StoreError(
            f"cannot be opened ({error})", file=path.name, hint="Read the run again from its original file."
        ) from error
    return {name: _from_arrow(batch.column(name)) for name in batch.schema.names}, meta


def sync(paths: Iterable[Path]) -> None:
    """Wait until the disk holds these files, and the names in these folders."""
    with ThreadPoolExecutor(_SYNCS_AT_ONCE) as pool:
        list(pool.map(_sync, paths))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class replacing:
    """`with replacing(path) as beside`: write to `beside`; on success it becomes `path`, else it goes.

    A file that is not `synced` may be lost or empty after a power cut, until `sync` has waited for it.
    """

    def __init__(self, path: Path, synced: bool = True) -> None:
        self.path, self.synced = path, synced
        self.beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")

    def __enter__(self) -> Path:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return self.beside

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self.beside.unlink(missing_ok=True)
            return
        if self.synced:
            _sync(self.beside)
        os.replace(self.beside, self.path)


def _to_arrow(column: Column) -> pa.Array:
    if isinstance(column, Strings):
        return pa.DictionaryArray.from_arrays(_codes(column.codes), pa.array(column.words, pa.string()), safe=False)
    return pa.array(np.ascontiguousarray(column))


def _codes(codes: np.ndarray) -> pa.Array:
    """Codes as other tools read them, -1 being null; the -1 stays in the buffer, where we read it."""
    codes = np.ascontiguousarray(codes, dtype=np.int32)
    known = pa.array(codes >= 0).buffers()[1] if (codes < 0).any() else None
    return pa.Array.from_buffers(pa.int32(), len(codes), [known, pa.py_buffer(codes)])


def _from_arrow(array: pa.Array) -> Column:
    if isinstance(array, pa.DictionaryArray):
        _, data = array.indices.buffers()
        codes = np.frombuffer(data, np.int32)[array.offset : array.offset + len(array)] if len(array) else _NO_CODES
        return Strings(codes, tuple(array.dictionary.to_pylist()))
    values: np.ndarray = array.to_numpy(zero_copy_only=True)
    return values
