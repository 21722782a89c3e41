"""Staged files: what has arrived whole and waits in the storage to be read."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils import timezone

from traceviewer.uploads.handler import HashedFile
from traceviewer.uploads.models import Upload


@dataclass(frozen=True)
class Staged:
    """One stored file under a key of our own; `name` is the user's and only ever shown."""

    key: str
    name: str
    size_bytes: int
    sha256: str


class Movable(File):
    """A local file that a local storage may take over by renaming it (see FileSystemStorage._save)."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def stage(files: Iterable[HashedFile]) -> list[Staged]:
    """Move uploaded files into the storage, all or none. On one disk this is a rename each."""
    return _stage((file, file.name or "trace", file.size or 0, file.sha256) for file in files)


def stage_paths(paths: Iterable[Path]) -> list[Staged]:
    """Copy files of this machine into the storage, all or none."""

    def opened() -> Iterable[tuple[File, str, int, str]]:
        for path in paths:
            with path.open("rb") as source:
                sha256 = hashlib.file_digest(source, "sha256").hexdigest()
                source.seek(0)
                yield File(source, name=path.name), path.name, path.stat().st_size, sha256

    return _stage(opened())


def stage_uploads(uploads: Iterable[Upload]) -> list[Staged]:
    """Bring whole uploads into the storage, all or none; they stay as they are until they are used up.

    On one disk this is a second name for each file, so that a process killed here has lost nothing.
    """

    def linked() -> Iterator[tuple[File, str, int, str]]:
        for upload in uploads:
            path = Path(settings.FILE_UPLOAD_TEMP_DIR) / f"link-{uuid.uuid4().hex}"
            os.link(upload.path, path)
            os.utime(path)  # its age, as `forget_strays` sees it, begins here
            try:
                with path.open("rb") as source:
                    yield Movable(source, name=str(path)), upload.name, upload.size_bytes, upload.sha256
            finally:
                path.unlink(missing_ok=True)

    return _stage(linked())


@contextmanager
def discarded_on_error(staged: Sequence[Staged]) -> Iterator[Sequence[Staged]]:
    """Whatever goes wrong in the block, the staged files do not stay."""
    try:
        yield staged
    except BaseException:
        discard([file.key for file in staged])
        raise


def discard(keys: Sequence[str]) -> None:
    """Delete staged files, and the folders that then are empty."""
    for key in keys:
        default_storage.delete(key)
    for folder in {key.rpartition("/")[0] for key in keys}:
        with suppress(OSError):  # other files of the same upload are still in use
            default_storage.delete(folder)


def keys() -> Iterator[str]:
    """Every staged file."""
    for folder in _listdir("staged")[0]:
        yield from (f"staged/{folder}/{name}" for name in _listdir(f"staged/{folder}")[1])


def staged_at(key: str) -> datetime:
    """When it came; now, if it has gone meanwhile."""
    try:
        return default_storage.get_modified_time(key)
    except FileNotFoundError:
        return timezone.now()


def _listdir(folder: str) -> tuple[list[str], list[str]]:
    try:
        return default_storage.listdir(folder)
    except FileNotFoundError:
        return [], []


def _stage(files: Iterable[tuple[File, str, int, str]]) -> list[Staged]:
    folder = f"staged/{uuid.uuid4().hex}"
    staged: list[Staged] = []
    try:
        for number, (file, name, size_bytes, sha256) in enumerate(files):
            key = default_storage.save(f"{folder}/{number}", file)
            staged.append(Staged(key, name, size_bytes, sha256))
    except BaseException:
        discard([file.key for file in staged])
        raise
    return staged
