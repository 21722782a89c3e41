"""Stored files where the storage is not a local folder: fetched, kept within bounds, fetched again."""

import errno
import os
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage

from tests.traceviewer.reading import as_user, contents, read, stored_files, work_off
from traceviewer.accounts.models import Project
from traceviewer.experiments import replaying
from traceviewer.runs import store
from traceviewer.runs.models import Run

REMOTE = {"default": {"BACKEND": "tests.traceviewer.remote_storage.RemoteStorage"}}


@pytest.fixture
def remote(settings: Any) -> None:
    settings.STORAGES = {**settings.STORAGES, **REMOTE}


@pytest.fixture(params=["local", "remote"])
def storage(request: pytest.FixtureRequest) -> None:
    if request.param == "remote":
        request.getfixturevalue("remote")


def folder_with(tmp_path: Path, **files: bytes) -> Path:
    folder = tmp_path / uuid.uuid4().hex
    for name, content in files.items():
        (folder / "trace-0").mkdir(parents=True, exist_ok=True)
        (folder / "trace-0" / f"{name}.arrow").write_bytes(content)
    return folder


def test_what_was_put_is_found_again(storage: None, tmp_path: Path) -> None:
    key, files = store.put(uuid.uuid4(), folder_with(tmp_path, events=b"123", lod=b"4"))
    assert files == {"trace-0/events.arrow": 3, "trace-0/lod.arrow": 1}
    found = store.local(key, files)
    assert (found / "trace-0" / "events.arrow").read_bytes() == b"123"


def test_clear_keeps_one_version_or_none(storage: None, tmp_path: Path) -> None:
    run = uuid.uuid4()
    first, _ = store.put(run, folder_with(tmp_path, events=b"1"))
    second, files = store.put(run, folder_with(tmp_path, events=b"2"))
    store.local(first, files)
    store.clear(run, keep={second})
    assert not default_storage.exists(f"{first}/trace-0/events.arrow")
    assert (store.local(second, files) / "trace-0" / "events.arrow").read_bytes() == b"2"
    store.clear(run)
    store.clear(run)
    assert default_storage.listdir("runs") == ([], [])
    assert stored_files() == []


def test_a_put_that_fails_half_way_leaves_nothing(
    storage: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = default_storage.save

    def disk_full(name: str, content: Any) -> str:
        if name.endswith("lod.arrow"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(name, content)

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
        patched.setattr(default_storage, "save", disk_full)
        store.put(uuid.uuid4(), folder_with(tmp_path, events=b"1", lod=b"2"))
    (run,) = default_storage.listdir("runs")[0]
    assert default_storage.listdir(f"runs/{run}") == ([], [])


def test_fetched_copies_stay_within_bounds(remote: None, tmp_path: Path, settings: Any) -> None:
    settings.FETCHED_MAX_BYTES = 250
    kept = [store.put(uuid.uuid4(), folder_with(tmp_path, events=bytes(100))) for _ in range(3)]
    for age, (key, files) in enumerate(kept):
        os.utime(store.local(key, files), (age, age))
    present = [path for path in (settings.HOME / "fetched").rglob("*.arrow")]
    assert len(present) == 2
    assert (store.local(*kept[0]) / "trace-0" / "events.arrow").stat().st_size == 100


@pytest.mark.django_db(transaction=True)
def test_the_whole_way_works_on_a_remote_storage(
    remote: None, project: Project, bob: User, demo_files: list[Path]
) -> None:
    run = read(project, contents(demo_files), bob)
    assert run.state == Run.State.READY, run.error
    assert not (settings.HOME / "files" / run.folder).exists()
    replay = replaying.begin(run)
    assert work_off(replay).state == Run.State.READY
    browser = as_user(bob)
    for path in (f"runs/{replay.pk}/timeline/", f"runs/{run.pk}/events/0/0/", f"compare/{run.pk}/{replay.pk}/"):
        assert browser.get(f"/api/v1/{path}").status_code == 200
    browser.delete(f"/api/v1/runs/{run.pk}/")
    assert stored_files() == []
    assert default_storage.listdir("runs") == default_storage.listdir("staged") == ([], [])
