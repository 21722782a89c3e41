"""Pages as the server renders them: they read without JavaScript, and nothing runs in them but files of ours."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from traceviewer.accounts.models import Project
from traceviewer.runs.models import Run

Browse = Callable[[User | None], Client]

HOSTILE = '</script><img src=x onerror="alert(1)">\u202e\x07'
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)


@pytest.fixture
def runs(project: Project, alice: User) -> dict[str, Run]:
    """One run of each state; a hostile name, a long one, a failure."""

    def make(name: str, **values: Any) -> Run:
        return Run.objects.create(project=project, created_by=alice, name=name, **values)

    measured = make(HOSTILE, state="ready", ranks=2, steps=3, median_step_ns=219_726_905)
    return {
        "measured": measured,
        "predicted": make(
            "again", state="ready", kind="predicted", measured_run=measured, replay={"error_percent": -0.2}
        ),
        "reading": make("n" * 4000),
        "failed": make("broken", state="failed", error="rank0.json, byte 12: is not JSON. Give a trace."),
    }


@pytest.fixture
def pages(project: Project, runs: dict[str, Run]) -> dict[str, str]:
    a, b = runs["measured"], runs["predicted"]
    return {
        "projects": "/",
        "project": f"/p/{project.slug}/",
        "run": a.get_absolute_url(),
        "compare": f"/p/{project.slug}/compare/{a.pk}/{b.pk}/",
        "not found": "/p/none/",
    }


def html(client: Client, address: str) -> str:
    return client.get(address).content.decode()


@pytest.mark.parametrize("name", ["projects", "project", "run", "compare", "not found"])
def test_no_page_holds_inline_script_style_or_handler(
    name: str, pages: dict[str, str], browse: Browse, bob: User
) -> None:
    text = html(browse(bob), pages[name])
    for attributes, body in SCRIPT.findall(text):
        assert "src=" in attributes or 'type="application/json"' in attributes
        assert "src=" not in attributes or not body.strip()
    tags = re.findall(r"<[a-z][^>]*>", SCRIPT.sub("", text), re.IGNORECASE)
    assert not [
        tag for tag in tags if re.search(r"\s(style|on\w+)\s*=", tag, re.IGNORECASE) or tag.startswith("<style")
    ]
    assert "<img src=x" not in text


def test_the_login_page_holds_no_inline_script(browse: Browse, db: None) -> None:
    assert not [body for attributes, body in SCRIPT.findall(html(browse(None), "/login/")) if body.strip()]


def test_the_policy_allows_files_of_ours_alone(pages: dict[str, str], browse: Browse, bob: User) -> None:
    policy = browse(bob).get(pages["project"])["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


def test_runs_are_listed_without_javascript(pages: dict[str, str], browse: Browse, bob: User) -> None:
    text = html(browse(bob), pages["project"])
    assert "220 ms" in text
    assert "rank0.json, byte 12: is not JSON. Give a trace." in text
    assert "predicted −0.20 %" in text
    assert f"<bdi>{'n' * 199}…</bdi>" in text


def test_what_hides_in_a_name_is_shown(pages: dict[str, str], browse: Browse, bob: User) -> None:
    shown = SCRIPT.sub("", html(browse(bob), pages["project"]))
    assert "&lt;U+202E&gt;&lt;U+0007&gt;" in shown
    assert "\u202e" not in shown and "\x07" not in shown


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("project", {"runs", "count", "search", "previous", "next"}),
        ("run", {"run"}),
        ("compare", {"a", "b"}),
    ],
)
def test_an_island_gets_its_page_object(
    name: str, keys: set[str], pages: dict[str, str], browse: Browse, victor: User
) -> None:
    [body] = [
        body for attributes, body in SCRIPT.findall(html(browse(victor), pages[name])) if 'id="page"' in attributes
    ]
    page = json.loads(body)
    assert set(page) == keys | {"csrf", "user", "project", "can_edit"}
    assert (page["user"], page["can_edit"]) == ("victor", False)
    assert 'id="island"' in html(browse(victor), pages[name])


def test_names_reach_the_island_whole(pages: dict[str, str], runs: dict[str, Run], browse: Browse, bob: User) -> None:
    text = html(browse(bob), pages["run"])
    [body] = [body for attributes, body in SCRIPT.findall(text) if 'id="page"' in attributes]
    assert json.loads(body)["run"]["name"] == HOSTILE


def test_the_name_of_a_project_is_shown_safely(browse: Browse, alice: User) -> None:
    Project.objects.make(HOSTILE, alice, slug="odd")
    for address in ("/", "/p/odd/"):
        shown = SCRIPT.sub("", html(browse(alice), address))
        assert "&lt;U+202E&gt;" in shown and "<img src=x" not in shown


def test_a_broken_server_says_so_without_any_context() -> None:
    from django.template.loader import render_to_string

    assert "Something broke on our side" in render_to_string("500.html")
