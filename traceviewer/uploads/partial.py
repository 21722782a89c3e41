"""The bytes of an upload on their way, a file on the local disk. Its size is the offset: nothing else counts."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from rest_framework import status
from rest_framework.exceptions import APIException

from traceviewer.uploads.limits import DiskFull


class Busy(APIException):
    status_code = status.HTTP_423_LOCKED
    default_code = "busy"
    default_detail = "Another request writes to this upload at this moment."


class WrongOffset(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "wrong_offset"


def size_bytes(path: Path) -> int:
    """What has arrived; 0 if there is no such file."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def create(path: Path) -> None:
    """An empty file that is still there after a power cut."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def locked(path: Path) -> Iterator[IO[bytes]]:
    """The file, for one writer at a time; the lock goes with the process, however that ends. Raises Busy."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None
        yield file


def append(file: IO[bytes], offset: int, chunks: Iterable[bytes]) -> int:
    """Write the chunks at the end of a locked file, which must be at `offset`: the new offset, safely on disk.

    Raises WrongOffset, or DiskFull. Whatever the chunks raise, those before are kept.
    """
    here = file.seek(0, os.SEEK_END)
    if offset != here:
        raise WrongOffset(f"The upload stands at {here} bytes, not at {offset}.")
    try:
        for chunk in chunks:
            _write(file, chunk)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"The server's disk is full; {file.tell()} bytes have arrived.") from error
        raise
    finally:
        os.fsync(file.fileno())
    return file.tell()


def sha256(file: IO[bytes]) -> str:
    """Of the whole file; O(its size)."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def _write(file: IO[bytes], data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]
