"""The bytes of a file, unpacked as they come: counted, so that a small file cannot fill the memory, and hashed.

Plain, gzip (of one member or many) and zstd (of one frame or many), told by content. What is packed is fed to the
decompressor in small pieces: a piece cannot become large, and where the stream is damaged only a piece is lost.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import zstandard
from isal import igzip_lib, isal_zlib

from simulation.errors import DamagedTrace, TraceError
from simulation.formats.decimals import Bytes

Chunk = TypeVar("Chunk")

CHUNK_BYTES = 4 << 20
SMALL_BYTES = 1 << 18
"""A smaller file is not worth a thread."""
PIECE_BYTES = 1 << 10
"""Packed; becomes 1 MiB of gzip or 32 MiB of zstd at the very most."""
TRAILER_BYTES = 8
"""Of a gzip member, the checksum: fed by itself, so that a wrong one costs nothing of what it is the sum of."""

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
LARGEST_ZSTD_WINDOW_BYTES = 128 << 20

DAMAGE: Any = (zlib.error, isal_zlib.error, igzip_lib.IsalError, zstandard.ZstdError)


@dataclass(frozen=True)
class Limits:
    """Of what a file may unpack to. Real Kineto JSON packs about 15:1, zeros 1000:1."""

    size_bytes: int = 64 << 30
    ratio: int = 200
    ratio_from_bytes: int = 64 << 20


LIMITS = Limits()


@dataclass(frozen=True)
class Cut:
    """Where a packed stream cannot be read on."""

    what: str
    byte: int  # of the file as it is


class Content:
    """A file, read once from its beginning: `chunks()`, then `sha256()` and `cut`."""

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        """Raises TraceError: missing, or empty."""
        self.name, self.limits = path.name, limits
        self.done_bytes = 0
        self.cut: Cut | None = None
        try:
            self._file = path.open("rb")
            self.size_bytes = path.stat().st_size
            self._magic = self._file.read(4)
        except OSError as error:
            raise TraceError(f"cannot be read ({error.strerror})", file=path.name) from error
        if not self._magic:
            self._file.close()
            raise DamagedTrace("is empty (0 bytes)", file=path.name, hint="Was it copied to the end?")
        self._file.seek(0)
        self._digest = hashlib.sha256()

    def __enter__(self) -> Content:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def done(self) -> tuple[int, int]:
        """Bytes of the file that were read, and that there are."""
        return self.done_bytes, self.size_bytes

    def chunks(self) -> Iterator[bytes]:
        """The unpacked bytes. Raises TraceError."""
        if self._magic[:2] == GZIP:
            return self._joined(self._unpacked("gzip", _gunzip, GZIP))
        if self._magic == ZSTD:
            return self._joined(self._unpacked("zstd", _unzstd, ZSTD))
        return self._read()

    def sha256(self) -> str:
        """Of the file as it is. Reads what was not read yet."""
        for _ in self._read():
            pass
        return self._digest.hexdigest()

    def _read(self) -> Iterator[bytes]:
        while chunk := self._file.read(CHUNK_BYTES):
            self._digest.update(chunk)
            self.done_bytes += len(chunk)
            yield chunk

    def _pieces(self) -> Iterator[tuple[int, bytes]]:
        """(place in the file, some packed bytes)."""
        last = self.size_bytes - TRAILER_BYTES
        for chunk in self._read():
            begin, base = 0, self.done_bytes - len(chunk)
            while begin < len(chunk):
                end = begin + PIECE_BYTES
                if base + begin < last < base + end:
                    end = last - base
                yield base + begin, chunk[begin:end]
                begin = end

    def _unpacked(self, kind: str, new: Callable[[], Any], magic: bytes) -> Iterator[bytes]:
        """Of one member or frame after the other, up to damage; `cut` says so then."""
        unpacker, fresh = new(), True
        for place, piece in self._pieces():
            while piece:
                if fresh and not piece.startswith(magic[: len(piece)]):
                    if piece.strip(b"\0"):  # padding is no damage
                        self.cut = Cut(f"something that is no {kind} follows the {kind} stream", place)
                    return
                try:
                    yield unpacker.decompress(piece)
                except DAMAGE as error:
                    self.cut = Cut(f"the {kind} stream is damaged ({error})", place)
                    return
                piece, fresh = unpacker.unused_data, unpacker.eof
                if fresh:
                    unpacker = new()
        if not fresh:
            self.cut = Cut(f"the {kind} stream ends early", self.size_bytes)

    def _joined(self, parts: Iterator[bytes]) -> Iterator[bytes]:
        """The parts as chunks of a decent size. Raises DamagedTrace where the limits are exceeded."""
        waiting: list[bytes] = []
        waiting_bytes = size_bytes = 0
        for part in parts:
            waiting.append(part)
            waiting_bytes += len(part)
            size_bytes += len(part)
            if waiting_bytes >= CHUNK_BYTES:
                self._check(size_bytes)
                yield b"".join(waiting)
                waiting, waiting_bytes = [], 0
        self._check(size_bytes)
        yield b"".join(waiting)

    def _check(self, size_bytes: int) -> None:
        limits = self.limits
        if size_bytes > limits.size_bytes:
            raise DamagedTrace(f"unpacks to more than the limit of {limits.size_bytes:,} bytes", file=self.name)
        if size_bytes > limits.ratio_from_bytes and size_bytes > limits.ratio * self.size_bytes:
            raise DamagedTrace(f"unpacks to more than {limits.ratio} times its size; traces do not", file=self.name)


def _gunzip() -> Any:
    return isal_zlib.decompressobj(wbits=31)


def _unzstd() -> Any:
    return zstandard.ZstdDecompressor(max_window_size=LARGEST_ZSTD_WINDOW_BYTES).decompressobj()


def joined(chunks: Iterable[bytes]) -> Bytes:
    """All of them in an array of its own."""
    return np.concatenate([np.empty(0, np.uint8), *(np.frombuffer(chunk, np.uint8) for chunk in chunks)])


def ahead(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same chunks, each made by a thread while the one before it is used."""
    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, chunks, None)
        while (chunk := coming.result()) is not None:
            coming = pool.submit(next, chunks, None)
            yield chunk
