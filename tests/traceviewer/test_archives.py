"""An archive is uploaded as one file and becomes one run of all its ranks."""

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.traceviewer.changes import add, opened, renamed, reread, seen
from tests.traceviewer.reading import contents, read, stored_files, work_off
from traceviewer.accounts.models import Project
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


def packed(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(f"job/{name}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def files(run: Run) -> list[tuple[int, int | None, str]]:
    return list(run.traces.values_list("index", "rank", "file_name"))


def test_its_ranks_are_one_run(project: Project, bob: User, demo_files: list[Path]) -> None:
    archive = packed({"README.md": b"# what this is", **contents(demo_files)})
    run = read(project, {"job.tar.gz": archive}, bob)
    assert (run.state, run.error, run.ranks) == (Run.State.READY, "", 2)
    assert files(run) == [(0, None, "job.tar.gz")]
    (skipped,) = [found for found in run.quality if found["code"] == "files_skipped"]
    assert skipped["count"] == 1 and skipped["message"].endswith("job.tar.gz/job/README.md")


def test_archives_and_files_go_together(project: Project, bob: User, demo_files: list[Path]) -> None:
    first, second = contents(demo_files).items()
    run = read(project, {second[0]: second[1], "first.zip": zipped(dict([first]))}, bob)
    assert (run.state, run.ranks) == (Run.State.READY, 2)
    assert files(run) == [(0, 0, "first.zip"), (1, 1, second[0])]


def test_the_same_archive_twice_is_read_twice(project: Project, bob: User, demo_files: list[Path]) -> None:
    archive = zipped(contents(demo_files))
    run = read(project, {"a.zip": archive, "b.zip": archive}, bob)
    assert (run.state, run.ranks) == (Run.State.READY, 4)
    assert [index for index, _, _ in files(run)] == [0, 1]


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [
        ("ARCHIVE_MAX_FILES", 1, "more than 1 files"),
        ("UNPACKED_MAX_RUN_BYTES", 100_000, "the limit of 100,000 bytes"),
        ("UNPACKED_MAX_FILE_BYTES", 100_000, "the limit of 100,000 bytes"),
    ],
)
def test_over_a_limit_it_fails_with_the_figure(
    project: Project, bob: User, demo_files: list[Path], settings: Any, limit: str, value: int, said: str
) -> None:
    setattr(settings, limit, value)
    run = read(project, {"job.zip": zipped(contents(demo_files))}, bob)
    assert run.state == Run.State.FAILED
    assert said in run.error
    assert stored_files() == [f"files/{run.traces.get().source}"]  # the archive, for another try


def test_one_rank_of_it_is_replaced(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, {"job.tar.gz": packed(contents(demo_files))}, bob)
    (original,) = seen(bob, run)["originals"]
    names = [f"job.tar.gz/job/{path.name}" for path in demo_files]
    assert original["members"] == [{"rank": rank, "name": name} for rank, name in enumerate(names)]

    answer = add(bob, run, {"whole.json.gz": renamed(demo_files[1].read_bytes())}, replace=1)
    assert answer.status_code == 202
    run = work_off(Run.objects.get(pk=run.pk))
    assert (run.state, run.error, run.ranks) == (Run.State.READY, "", 2)
    assert files(run) == [(0, 0, "job.tar.gz"), (1, 1, "whole.json.gz")]
    assert "changed" in opened(run).traces[1].names
    (replaced,) = [found for found in run.quality if found["code"] == "members_replaced"]
    assert replaced["count"] == 1 and replaced["message"].endswith(names[1])

    reread(bob, run)  # what was replaced stays replaced
    run = work_off(Run.objects.get(pk=run.pk))
    assert (run.error, run.ranks) == ("", 2)
    assert "changed" in opened(run).traces[1].names

    add(bob, run, {"better.json.gz": renamed(demo_files[1].read_bytes(), "better")}, replace=1)
    run = work_off(Run.objects.get(pk=run.pk))
    assert files(run) == [(0, 0, "job.tar.gz"), (1, 1, "better.json.gz")]
    assert {"better"} == {"better", "changed"} & set(opened(run).names)


def test_an_archive_of_which_all_is_replaced_goes(project: Project, bob: User, demo_files: list[Path]) -> None:
    first, second = demo_files
    run = read(project, {"job.zip": zipped(contents([first])), second.name: second.read_bytes()}, bob)
    add(bob, run, {"whole.json.gz": renamed(first.read_bytes())}, replace=0)
    run = work_off(Run.objects.get(pk=run.pk))
    assert files(run) == [(0, 0, "whole.json.gz"), (1, 1, second.name)]


def test_a_rank_of_it_that_does_not_fit_changes_nothing(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, {"job.zip": zipped(contents(demo_files))}, bob)
    before = (files(run), stored_files())
    add(bob, run, {"new.json.gz": renamed(demo_files[0].read_bytes())}, replace=1)
    run = work_off(Run.objects.get(pk=run.pk))
    assert "rank 1" in run.error
    assert (files(run), stored_files()) == before
    assert run.traces.get().left_out == []


def test_an_archive_in_an_archive_is_refused_by_name(project: Project, bob: User, demo_files: list[Path]) -> None:
    inner = zipped(contents(demo_files))
    run = read(project, {"outer.tar.gz": packed({"inner.zip": inner})}, bob)
    assert run.state == Run.State.FAILED
    assert "outer.tar.gz: holds another archive, job/inner.zip (zip)" in run.error
