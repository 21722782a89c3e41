"""Archives and folders of traces: what a run is given as, taken apart into one file per rank.

Told by content: zip; tar, plain, gzip or zstd. Members are read by stream into files in folders of our own, counted as
they come, so that neither a small archive can fill the disk nor a name lead out of the folder. Refused as a whole:
links, devices, names that lead elsewhere, archives in archives, encrypted members, too many of them, too much in them.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import os
import struct
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, Any

import pyarrow as pa
from isal import igzip, igzip_lib

from simulation.errors import DamagedTrace, TraceError
from simulation.progress import Progress, silent

CHUNK_BYTES = 1 << 20
HEADER_BYTES = 1 << 20
"""Of anything in an archive that is not a member's content: a directory, a name, an attribute."""

NAME_BYTES, SHOWN_CHARS = 200, 1000

ZIP = (b"PK\x03\x04", b"PK\x05\x06")
GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"

DAMAGE: Any = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, igzip_lib.IsalError, struct.error,
    ValueError, OverflowError, NotImplementedError, RuntimeError, RecursionError,
)  # fmt: skip
"""What the libraries raise at archives that are none or broken; of a cut one EOFError, of either OSError."""


@dataclass(frozen=True)
class ArchiveLimits:
    """Of one run's archives and folders together; the ratio is of each archive."""

    members: int = 1_000
    size_bytes: int = 16 << 30
    ratio: int = 200
    ratio_from_bytes: int = 64 << 20


LIMITS = ArchiveLimits()


@dataclass(frozen=True)
class Source:
    """One file to read."""

    path: Path
    name: str  # to show, and to tell the rank by: where it stood in its folder or archive
    is_member: bool = False  # of an archive or a folder, where a file that is no trace is left out
    archive_sha256: str = ""  # of the archive it came in


@dataclass
class Unpacked:
    """The files of a run."""

    sources: list[Source] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)  # empty ones
    left_out: list[str] = field(default_factory=list)  # members that were not wanted
    cut: list[str] = field(default_factory=list)  # archives that end early; their last file may be cut, too


@contextmanager
def unpacked(
    paths: Sequence[Path],
    scratch: Path | None = None,
    limits: ArchiveLimits = LIMITS,
    progress: Progress = silent,
    left_out: Collection[str] = (),
) -> Iterator[Unpacked]:
    """The files of these files, folders and archives; what is unpacked lies in `scratch` and goes afterwards.

    `left_out` names members of archives, as they are shown, that are not unpacked.
    Raises TraceError: missing, damaged, over a limit, or of a kind that is refused.
    """
    with tempfile.TemporaryDirectory(dir=scratch, prefix="unpacked-") as folder:
        unpacker = _Unpacker(Path(folder), limits, progress, frozenset(left_out))
        for path in paths:
            unpacker.take(path)
        yield unpacker.found


def kind_of(path: Path) -> str | None:
    """ "zip", "tar" (packed or not) or None, by content."""
    with path.open("rb") as file:
        if file.read(4) in ZIP:
            return "zip"
    try:
        with _stream(path) as stream:
            tarfile.TarInfo.frombuf(stream.read(tarfile.BLOCKSIZE), "utf-8", "surrogateescape")
    except (*DAMAGE, EOFError, OSError):
        return None
    return "tar"


class _Unpacker:
    """Takes paths apart, one after another, and keeps count."""

    def __init__(self, folder: Path, limits: ArchiveLimits, progress: Progress, left_out: frozenset[str]) -> None:
        self.folder, self.limits, self.progress, self.left_out = folder, limits, progress, left_out
        self.found = Unpacked()
        self.members = self.size_bytes = 0

    def take(self, path: Path) -> None:
        """A file, a folder or an archive that the user gave."""
        if path.is_dir():
            self._walk(path)
        else:
            self._take_file(path, Source(path, path.name))

    def _walk(self, folder: Path) -> None:
        """All files beneath a folder, in the order of their names; links to folders are not followed."""
        found = 0
        for home, folders, files in os.walk(folder):
            folders.sort()
            for path in (Path(home, name) for name in sorted(files)):
                if path.is_file():
                    found += 1
                    self._count(folder.name)
                    name = f"{folder.resolve().name}/{path.relative_to(folder).as_posix()}"
                    self._take_file(path, Source(path, shown(name), is_member=True))
        if not found:
            raise TraceError("is a folder without files", file=folder.name)

    def _take_file(self, path: Path, source: Source) -> None:
        try:
            kind = kind_of(path)
        except OSError as error:
            raise TraceError(f"cannot be read ({error.strerror})", file=path.name) from error
        if kind is not None:
            self._unpack(path, kind)
        elif source.is_member and path.stat().st_size == 0:
            self.found.skipped.append(source.name)
        else:
            self.found.sources.append(source)

    def _unpack(self, path: Path, kind: str) -> None:
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        meter = _Meter(self, path)
        try:
            for name, content in (_zip_members if kind == "zip" else _tar_members)(path, meter):
                self._take_member(path, name, content, sha256, meter)
        except EOFError:
            self.found.cut.append(path.name)
            if not self.members:
                raise DamagedTrace("the archive ends before its first file", file=path.name) from None
        except (*DAMAGE, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's fault, not the archive's
            raise DamagedTrace(f"is a damaged {kind} archive ({error})", file=path.name) from error

    def _take_member(self, archive: Path, name: str, content: IO[bytes], sha256: str, meter: _Meter) -> None:
        """Write the member into a folder of its own, under its own last name: messages show that."""
        last = "".join(c for c in PurePosixPath(name).name if c.isprintable()).encode()[-NAME_BYTES:]
        path = self.folder / str(self.members) / (last.decode(errors="ignore") or "trace")
        source = Source(path, shown(f"{archive.name}/{name}"), is_member=True, archive_sha256=sha256)
        if source.name in self.left_out:
            self.found.left_out.append(source.name)
            return
        path.parent.mkdir()
        try:
            with path.open("wb") as file:
                while chunk := content.read(CHUNK_BYTES):
                    file.write(meter.counted(chunk))
        finally:  # what has come of a cut one is a file, too
            if path.exists() and not path.stat().st_size:
                self.found.skipped.append(source.name)
            else:
                self.found.sources.append(source)
        if inner := kind_of(path):
            raise TraceError(
                f"holds another archive, {shown(name)} ({inner})", file=archive.name, hint="Unpack it first."
            )

    def _count(self, holder: str) -> None:
        self.members += 1
        if self.members > self.limits.members:
            raise TraceError(f"holds more than {self.limits.members:,} files, the limit for one run", file=holder)


class _Meter:
    """Of one archive: how much comes out of it, member by member."""

    def __init__(self, unpacker: _Unpacker, path: Path) -> None:
        self.unpacker, self.file, self.packed_bytes = unpacker, path.name, path.stat().st_size
        self.size_bytes = 0

    def member(self, name: str) -> str:
        """Count it, and see that its name stays within the archive. Returns the name."""
        self.unpacker._count(self.file)
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or not name or "\0" in name or parts[0] == "" or parts[0].endswith(":"):
            raise TraceError(f"holds a file whose name leads elsewhere: {shown(name)}", file=self.file)
        return "/".join(part for part in parts if part not in ("", "."))

    def refuse(self, name: str, what: str) -> None:
        raise TraceError(f"holds {what}: {shown(name)}", file=self.file, hint="Only plain files are read.")

    def counted(self, chunk: bytes) -> bytes:
        limits, unpacker = self.unpacker.limits, self.unpacker
        self.size_bytes += len(chunk)
        unpacker.size_bytes += len(chunk)
        if unpacker.size_bytes > limits.size_bytes:
            raise TraceError(f"unpacks to more than the limit of {limits.size_bytes:,} bytes", file=self.file)
        if self.size_bytes > limits.ratio_from_bytes and self.size_bytes > limits.ratio * self.packed_bytes:
            raise TraceError(f"unpacks to more than {limits.ratio} times its size; traces do not", file=self.file)
        unpacker.progress("unpacking", unpacker.size_bytes, 0)
        return chunk


def _zip_members(path: Path, meter: _Meter) -> Iterator[tuple[str, IO[bytes]]]:
    with _Careful(path) as file, zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            name, type_ = meter.member(info.filename), (info.external_attr >> 28) & 0xF
            if type_ not in (0, 4, 8):  # none given, folder, file: the upper bits of a UNIX mode
                meter.refuse(info.filename, "a link or a device")
            if info.flag_bits & 1:
                meter.refuse(info.filename, "an encrypted file")
            if not info.is_dir():
                with archive.open(info) as content:
                    yield name, content


def _tar_members(path: Path, meter: _Meter) -> Iterator[tuple[str, IO[bytes]]]:
    with _stream(path) as stream:
        forward: Any = _Forward(stream, meter)
        for info in tarfile.TarFile(fileobj=forward):
            name = meter.member(info.name)
            if info.isdir():
                continue
            if not info.isreg() or info.issparse():
                meter.refuse(info.name, "a link, a device or a sparse file")
            content: Any = _Content(forward, info.size)
            yield name, content
        if forward.last != tarfile.NUL * tarfile.BLOCKSIZE:
            raise EOFError  # what comes next is no header, and no end either


class _Careful(io.FileIO):
    """A file of which nothing large is read at once: a zip's directory could be as large as the archive."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > HEADER_BYTES:
            raise ValueError(f"its directory has {size:,} bytes")
        return super().read(-1 if size is None else size)

    def seek(self, place: int, whence: int = os.SEEK_SET, /) -> int:
        if whence == os.SEEK_SET and place < 0:
            raise ValueError("a member lies before the archive")
        return super().seek(place, whence)


class _Forward:
    """A stream as a file that is only read on, so that a tar is unpacked while it is decompressed."""

    def __init__(self, stream: IO[bytes], meter: _Meter) -> None:
        self.stream, self.meter, self.place, self.last = stream, meter, 0, b""

    def tell(self) -> int:
        return self.place

    def read(self, size: int) -> bytes:
        if size > HEADER_BYTES:
            raise ValueError(f"a header has {size:,} bytes")
        parts = []
        while size and (chunk := self.stream.read(size)):
            parts.append(chunk)
            size -= len(chunk)
            self.place += len(chunk)
        self.last = b"".join(parts)
        return self.last

    def seek(self, place: int) -> int:
        if place < self.place:
            raise ValueError("a header leads back")
        while self.place < place:
            if not self.meter.counted(self.read(min(place - self.place, CHUNK_BYTES))):
                raise EOFError
        return self.place


class _Content:
    """The content of the tar's member whose header was read last."""

    def __init__(self, forward: _Forward, size: int) -> None:
        self.forward, self.left = forward, size

    def read(self, size: int) -> bytes:
        chunk = self.forward.read(min(size, self.left))
        self.left -= len(chunk)
        if self.left and not chunk:
            raise EOFError
        return chunk


@contextmanager
def _stream(path: Path) -> Iterator[Any]:
    """The file, decompressed if it is gzip or zstd."""
    with path.open("rb") as file:
        magic = file.read(4)
    if magic[:2] == GZIP:
        opened: Any = igzip.open(path, "rb")  # type: ignore[no-untyped-call]
    elif magic == ZSTD:
        opened = pa.input_stream(str(path), compression="zstd")
    else:
        opened = path.open("rb")
    with opened as stream:
        yield stream


def shown(name: str) -> str:
    """A hostile name, fit to be kept and shown."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)[-SHOWN_CHARS:]
