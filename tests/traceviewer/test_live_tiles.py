"""Tiles over the websocket are the bytes of the HTTP twin."""

import uuid
from pathlib import Path

import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User
from django.http import HttpResponse

from tests.traceviewer.reading import as_user, contents, read, upload
from tests.traceviewer.sockets import Page
from traceviewer.accounts.models import Project
from traceviewer.protocol.messages_pb2 import TileNeed, View
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(project: Project, bob: User, demo_files: list[Path]) -> Run:
    return read(project, contents(demo_files), bob)


@pytest.fixture
def unread(project: Project, bob: User) -> str:
    return str(upload(as_user(bob), project, {"a.json": b"{}"}).json()["id"])


def get(user: User, address: str) -> HttpResponse:
    return as_user(user).get(address)


def view(run: object, level: int, index: int, *tracks: int) -> View:
    return View(run=str(run), needs=[TileNeed(level=level, index=index, tracks=tracks)])


async def test_they_are_the_bytes_of_the_http_twin(run: Run, victor: User) -> None:
    async with Page(victor) as page:
        seq = await page.say(view=view(run.pk, 16, 1, 1, 0))
        message = await page.hear()
    assert message.seq == seq
    twin = await database_sync_to_async(get)(victor, f"/api/v1/runs/{run.pk}/tiles/16/1/?tracks=1,0")
    assert message.tiles.SerializeToString() == twin.content
    assert len(twin.content) > 1000


@pytest.mark.parametrize(
    ("level", "index", "track", "said"),
    [(63, 0, 0, "level 63"), (51, 9, 0, "index 9"), (9, 0, 10_000, "track 10000")],
)
async def test_a_number_out_of_range_is_refused(
    run: Run, bob: User, level: int, index: int, track: int, said: str
) -> None:
    async with Page(bob) as page:
        seq = await page.say(view=view(run.pk, level, index, track))
        message = await page.hear()
    assert message.seq == seq
    assert said in message.error.message


async def test_too_many_tracks_are_refused(run: Run, bob: User) -> None:
    async with Page(bob) as page:
        await page.say(view=view(run.pk, 9, 0, *range(513)))
        assert "513 tracks" in (await page.hear()).error.message


async def test_a_run_that_is_not_there_or_not_ready_is_refused(unread: str, bob: User) -> None:
    async with Page(bob) as page:
        for run, code in ((unread, "failed"), (uuid.uuid4(), "not_found"), ("no id", "not_found")):
            await page.say(view=view(run, 9, 0, 0))
            assert (await page.hear()).error.code == code
