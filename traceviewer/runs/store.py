"""Stored files of runs: written under a new key through Django's storage API, read through a local folder.

A run's folder, `runs/<run>/<version>/`, is written once and never changed. Who reads it needs local files,
because the engine maps them: with a local storage that is the folder itself, else a copy, of which those
used last are kept, at most `FETCHED_MAX_BYTES`.
"""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage

from simulation.store import replacing
from traceviewer.uploads.staging import Movable

FIRST = ("events.arrow", "lod.arrow", "run.arrow")
"""Fetched before the other files, so that a folder which is fetched in part can be looked at the soonest."""

STALE_WORK_SECONDS = 24 * 3600


def put(run_id: uuid.UUID, folder: Path) -> tuple[str, dict[str, int]]:
    """Move the files of `folder` into the storage: the new key, and the bytes of each path within it."""
    key = f"{_home(run_id)}/{uuid.uuid4().hex[:12]}"
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): path.stat().st_size for path in paths}
    try:
        for name, path in zip(files, paths, strict=True):
            with path.open("rb") as source:
                default_storage.save(f"{key}/{name}", Movable(source, name=str(path)))
    except BaseException:
        remove(key)
        raise
    return key, files


def clear(run_id: uuid.UUID, keep: Collection[str] = ()) -> None:
    """Delete every version of the run's files but those: what dead attempts have left, or all of it."""
    versions, _ = _listdir(_home(run_id))
    for version in versions:
        key = f"{_home(run_id)}/{version}"
        if key not in keep:
            forget(key)
    if not keep:
        remove(_home(run_id))


def forget(key: str) -> None:
    """Delete one version, and its local copy."""
    remove(key)
    shutil.rmtree(_cached(key), ignore_errors=True)


def remove(key: str) -> None:
    """Delete everything beneath the key, which may not exist."""
    folders, files = _listdir(key)
    for name in files:
        default_storage.delete(f"{key}/{name}")
    for name in folders:
        remove(f"{key}/{name}")
    with suppress(OSError):  # another attempt still writes into the folder; it clears up itself
        default_storage.delete(key)


def local(key: str, files: dict[str, int]) -> Path:
    """A local folder that holds the files stored under `key`; costs a fetch when they are elsewhere."""
    try:
        return Path(default_storage.path(key))
    except NotImplementedError:
        return _fetched(key, files)


def local_file(key: str, into: Path) -> Path:
    """A local path with the content of one stored file: the path itself, or a copy made at `into`."""
    try:
        return Path(default_storage.path(key))
    except NotImplementedError:
        _fetch(key, into)
        return into


@contextmanager
def workspace(run_id: uuid.UUID) -> Iterator[Path]:
    """An empty folder on the storage's disk to prepare a run in; gone afterwards, whatever happens.

    What an attempt that was killed has left is removed first.
    """
    clear_work(run_id)
    folder = _work() / f"{run_id}-{uuid.uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_work(run_id: uuid.UUID) -> None:
    """Remove the workspaces of this run, and those that are so old that nobody can be at work in them."""
    for leftover in _work().glob("*"):
        if leftover.name.startswith(str(run_id)) or _age_seconds(leftover) > STALE_WORK_SECONDS:
            shutil.rmtree(leftover, ignore_errors=True)


def _work() -> Path:
    return Path(settings.HOME) / "work"


def _home(run_id: uuid.UUID) -> str:
    return f"runs/{run_id}"


def _listdir(key: str) -> tuple[list[str], list[str]]:
    try:
        folders, files = default_storage.listdir(key)
    except FileNotFoundError:
        return [], []
    return folders, files


def _cached(key: str) -> Path:
    return Path(settings.HOME) / "fetched" / key.replace("/", "_")


def _fetched(key: str, files: dict[str, int]) -> Path:
    folder = _cached(key)
    for name in sorted(files, key=lambda name: (name.rpartition("/")[2] not in FIRST, name)):
        if not (folder / name).exists():
            _fetch(f"{key}/{name}", folder / name)
    os.utime(folder)
    _evict(keep=folder)
    return folder


def _fetch(key: str, path: Path) -> None:
    with replacing(path) as beside, default_storage.open(key, "rb") as source, beside.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)


def _evict(keep: Path) -> None:
    """Delete the folders used longest ago until the cache fits; what is mapped stays readable to its process."""
    folders = sorted(keep.parent.iterdir(), key=_age_seconds)
    total = 0
    for folder in folders:
        total += sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if total > settings.FETCHED_MAX_BYTES and folder != keep:
            shutil.rmtree(folder, ignore_errors=True)


def _age_seconds(path: Path) -> float:
    with suppress(FileNotFoundError):
        return time.time() - path.stat().st_mtime
    return 0.0
