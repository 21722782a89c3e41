"""Looks for words in every file beneath a folder: raw, in unpacked gzip, and in unpacked Arrow buffers."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa


def leaks(folder: Path, words: Sequence[str]) -> list[tuple[str, str]]:
    """(file, word) of each word that stands in a file."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return [
        (str(path.relative_to(folder)), word)
        for path in paths
        for word in words
        if any(word.encode() in part for part in contents(path))
    ]


def contents(path: Path) -> Iterator[bytes]:
    raw = path.read_bytes()
    yield raw
    if raw[:2] == b"\x1f\x8b":
        yield gzip.decompress(raw)
    if raw[:6] == b"ARROW1":
        for batch in pa.ipc.open_file(raw).read_all().to_batches():
            for column in batch.columns:
                values = column.dictionary if pa.types.is_dictionary(column.type) else column
                yield from (buffer.to_pybytes() for buffer in values.buffers() if buffer is not None)
