"""Nobody gets at a foreign project: tried on every address there is, and with every kind of websocket message.

The addresses come from the URL table and the messages from messages.proto. One that is new has no entry below, and
fails here until somebody has said how to name a foreign object with it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.apps import apps
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from tests.traceviewer.sockets import Page
from traceviewer.accounts.models import Project
from traceviewer.jobs.models import Job
from traceviewer.live import handlers
from traceviewer.protocol.messages_pb2 import JobCursor, TileNeed, TilesSeen, View, Watch
from traceviewer.runs.models import Run, Trace
from traceviewer.uploads.models import Upload

Browse = Callable[[User | None], Client]
pytestmark = pytest.mark.django_db(transaction=True)

MARK = "Unmistakable-7f3a"
"""Part of every name in the foreign project: where it shows up, something leaks."""
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass
class Entry:
    """How to name a foreign object: the route's arguments, by the names that `foreign` knows, and what to send.

    What is `private` is its owner's alone: other members of the project find it no more than strangers do.
    """

    arguments: dict[str, Any] = field(default_factory=dict)
    query: str = ""
    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    private: bool = False


SLUG, RUN, JOB = {"slug": "project"}, {"run": "run"}, {"job": "job"}
TUS = {"Tus-Resumable": "1.0.0"}

FOREIGN: dict[str, Entry] = {
    "api/v1/projects/<slug:slug>/": Entry(SLUG),
    "api/v1/projects/<slug:slug>/members/": Entry(SLUG, body={"user": "charlie", "role": "owner"}),
    "api/v1/projects/<slug:slug>/members/<str:user>/": Entry(SLUG | {"user": "member"}),
    "api/v1/projects/<slug:slug>/runs/": Entry(SLUG, body={"name": "mine now"}),
    "api/v1/projects/<slug:slug>/uploads/": Entry(SLUG, headers=TUS | {"Upload-Length": "1"}),
    "api/v1/uploads/<uuid:upload>/": Entry({"upload": "upload"}, headers=TUS, private=True),
    "api/v1/jobs/<uuid:job>/": Entry(JOB),
    "api/v1/jobs/<uuid:job>/events/": Entry(JOB),
    "api/v1/jobs/<uuid:job>/cancel/": Entry(JOB),
    "api/v1/runs/<uuid:run>/": Entry(RUN, body={"name": "mine now"}),
    "api/v1/runs/<uuid:run>/reread/": Entry(RUN),
    "api/v1/runs/<uuid:run>/traces/": Entry(RUN),
    "api/v1/runs/<uuid:run>/timeline/": Entry(RUN),
    "api/v1/runs/<uuid:run>/originals/<int:trace>/": Entry(RUN | {"trace": 0}),
    "api/v1/runs/<uuid:run>/export/": Entry(RUN, query="?format=csv"),
    "api/v1/runs/<uuid:run>/collectives/": Entry(RUN),
    "api/v1/runs/<uuid:run>/analysis/": Entry(RUN, query="?sections=breakdown"),
    "api/v1/runs/<uuid:run>/names/": Entry(RUN, query="?codes=0"),
    "api/v1/runs/<uuid:run>/events/<int:trace>/<int:row>/": Entry(RUN | {"trace": 0, "row": 0}),
    "api/v1/runs/<uuid:run>/events/<int:trace>/<int:row>/alike/": Entry(RUN | {"trace": 0, "row": 0}),
    "api/v1/runs/<uuid:run>/tiles/<int:level>/<int:index>/": Entry(RUN | {"level": 9, "index": 0}, query="?tracks=0"),
    "api/v1/runs/<uuid:run>/replay/": Entry(RUN),
    "api/v1/runs/<uuid:run>/critical-path/": Entry(RUN),
    "api/v1/runs/<uuid:run>/sensitivity/": Entry(RUN),
    "api/v1/compare/<uuid:a>/<uuid:b>/": Entry({"a": "run", "b": "run"}),
    "p/<slug:slug>/": Entry(SLUG),
    "p/<slug:slug>/runs/<uuid:run>/": Entry(SLUG | RUN),
    "p/<slug:slug>/runs/<uuid:run>/path/": Entry(SLUG | RUN),
    "p/<slug:slug>/runs/<uuid:run>/sensitivity/": Entry(SLUG | RUN),
    "p/<slug:slug>/runs/<uuid:run>/analysis/": Entry(SLUG | RUN),
    "api/v1/runs/<uuid:run>/trust/": Entry(RUN),
    "p/<slug:slug>/runs/<uuid:run>/trust/": Entry(SLUG | RUN),
    "p/<slug:slug>/compare/<uuid:a>/<uuid:b>/": Entry(SLUG | {"a": "run", "b": "run"}),
}

MIXED: dict[str, list[dict[str, str]]] = {
    "api/v1/compare/<uuid:a>/<uuid:b>/": [{"a": "own_run", "b": "run"}, {"a": "run", "b": "own_run"}],
    "p/<slug:slug>/runs/<uuid:run>/trust/": [{"slug": "own_project", "run": "run"}],
    "p/<slug:slug>/runs/<uuid:run>/": [{"slug": "own_project", "run": "run"}],
    "p/<slug:slug>/runs/<uuid:run>/path/": [{"slug": "own_project", "run": "run"}],
    "p/<slug:slug>/runs/<uuid:run>/sensitivity/": [{"slug": "own_project", "run": "run"}],
    "p/<slug:slug>/runs/<uuid:run>/analysis/": [{"slug": "own_project", "run": "run"}],
    "p/<slug:slug>/compare/<uuid:a>/<uuid:b>/": [
        {"slug": "own_project", "a": "own_run", "b": "run"},
        {"slug": "own_project", "a": "run", "b": "own_run"},
    ],
}
"""Addresses that name several objects: one of the outsider's own beside a foreign one opens no door."""

OWN = {"", "api/v1/projects/", "api/v1/schema/"}
"""These name no object: they show the user's own things, to users only."""
OPEN = {"login/", "login/link/", "logout/"}
"""These let one in or out."""


def addresses(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from addresses(pattern.url_patterns, prefix + str(pattern.pattern))
        else:
            yield prefix + str(pattern.pattern)


@pytest.fixture
def names(project: Project, charlie: User, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A foreign project with a run and a job, and the outsider's own."""
    monkeypatch.setattr("traceviewer.jobs.models.Job.send", lambda job, now=None: None)
    Project.objects.filter(pk=project.pk).update(name=MARK)
    run = Run.objects.create(project=project, name=MARK)
    job = Job.objects.create(project=project, kind="read", payload={"run": str(run.pk), "mark": MARK})
    job.change(message=MARK)
    own_project = Project.objects.visible_to(charlie).get()
    own_run = Run.objects.create(project=own_project, name="own", state=Run.State.READY)
    kept = default_storage.save("staged/foreign/0", ContentFile(b"trace"))
    Trace.objects.create(run=run, index=0, file_name=MARK, source=kept, size_bytes=5, sha256="")
    upload = Upload.objects.create(project=project, owner=User.objects.get(username="alice"), name=MARK, size_bytes=9)
    found = {"project": project.slug, "run": run.pk, "job": job.pk, "member": "bob", "upload": upload.pk}
    return found | {"own_project": own_project.slug, "own_run": own_run.pk}


def rows() -> dict[str, list[Any]]:
    """Everything in the database that an outsider could want to change."""
    models = [model for model in apps.get_models() if model.__module__.startswith("traceviewer.")]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


def call(client: Client, method: str, route: str, arguments: dict[str, Any], names: dict[str, Any]) -> HttpResponseBase:
    entry = FOREIGN[route]
    address = "/" + route
    for name, value in arguments.items():
        parts = [part for part in route.split("/") if part.endswith(f":{name}>")]
        address = address.replace(parts[0], str(names.get(value, value)))
    as_json = {"data": entry.body, "content_type": "application/json"} if method != "get" else {}
    return getattr(client, method)(address + entry.query, headers=entry.headers, **as_json)


def text_of(answer: HttpResponseBase) -> str:
    return "".join(part.decode(errors="replace") for part in answer) + str(answer.headers)


def test_every_address_has_an_entry() -> None:
    table = set(addresses(get_resolver().url_patterns))
    assert table == set(FOREIGN) | OWN | OPEN
    several = {
        route for route in FOREIGN if sum(name in route for name in (":slug>", ":run>", ":a>", ":b>", ":job>")) > 1
    }
    assert several == set(MIXED)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("route", FOREIGN)
def test_an_outsider_finds_nothing_and_changes_nothing(
    browse: Browse, route: str, method: str, names: dict[str, Any], charlie: User, alice: User, victor: User
) -> None:
    arguments = FOREIGN[route].arguments
    before = rows()
    for foreign in [arguments, *MIXED.get(route, [])]:
        refused = call(browse(charlie), method, route, foreign, names)
        assert refused.status_code in {404, 405}
        assert MARK not in text_of(refused)
    stranger = call(browse(None), method, route, arguments, names)
    assert stranger.status_code in {302, 401, 403, 405}
    assert MARK not in text_of(stranger)
    if method != "get":
        hidden = {404} if FOREIGN[route].private else set()
        assert call(browse(victor), method, route, arguments, names).status_code in {403, 405} | hidden
    assert rows() == before
    # The owner is let through to the same address: what was refused above was there.
    allowed = call(browse(alice), method, route, arguments, names)
    assert (allowed.status_code == 405) == (refused.status_code == 405)
    assert allowed.status_code not in {401, 403, 404}
    allowed.close()


@pytest.mark.parametrize("route", sorted(OWN))
def test_what_names_no_object_shows_ones_own(browse: Browse, route: str, names: dict[str, Any], charlie: User) -> None:
    shown = browse(charlie).get(f"/{route}")
    assert shown.status_code == 200
    assert MARK not in text_of(shown)
    assert browse(None).get(f"/{route}").status_code in {302, 401, 403}


def test_pages_say_not_found_like_what_does_not_exist(browse: Browse, names: dict[str, Any], charlie: User) -> None:
    foreign = browse(charlie).get(f"/p/{names['project']}/")
    unknown = browse(charlie).get("/p/no-such-project/")
    assert foreign.status_code == unknown.status_code == 404
    without_token = [re.sub(rb'(csrf[^>]* value=")[^"]+', rb"\1", page.content) for page in (foreign, unknown)]
    assert without_token[0] == without_token[1]


MESSAGES: dict[str, Callable[[dict[str, Any]], Any] | None] = {
    "view": lambda names: View(run=str(names["run"]), needs=[TileNeed(level=9, index=0, tracks=[0])]),
    "watch": lambda names: Watch(jobs=[JobCursor(job=str(names["job"]))]),
    "tiles_seen": None,
}
"""How each kind of ClientMessage names a foreign object; None: it names none."""


def test_every_kind_of_message_has_an_entry() -> None:
    assert set(MESSAGES) == handlers.KINDS
    assert set(TilesSeen.DESCRIPTOR.fields_by_name) == {"count"}


@pytest.mark.parametrize("kind", [kind for kind, build in MESSAGES.items() if build])
async def test_a_socket_tells_an_outsider_nothing(
    kind: str, names: dict[str, Any], charlie: User, victor: User
) -> None:
    build = MESSAGES[kind]
    assert build is not None
    before = await database_sync_to_async(rows)()
    async with Page(charlie) as page:
        await page.say(**{kind: build(names)})
        told = await page.hear()
        assert told.error.code == "not_found"
        assert MARK.encode() not in told.SerializeToString()
        assert await page.silent()
    assert await database_sync_to_async(rows)() == before
    async with Page(None) as page:
        await page.say(**{kind: build(names)})
        assert await page.close_code() == 4401
    async with Page(victor) as page:  # a member is let through: what was refused above was there
        await page.say(**{kind: build(names)})
        assert (await page.hear()).error.code != "not_found"
