"""How one comes in: the form, its limit, the one-time link; and what every page says to the browser."""

import re
from collections.abc import Callable
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from tests.traceviewer.conftest import PASSWORD
from traceviewer.accounts.first import ensure_admin, login_link

Browse = Callable[[User | None], Client]


def logged_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def test_it_sends_strangers_to_the_form(browse: Browse, db: None) -> None:
    answer = browse(None).get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/login/?next=/")
    assert browse(None).get("/login/").status_code == 200


def test_it_logs_in_by_password_and_out_again(browse: Browse, alice: User) -> None:
    client = browse(None)
    assert client.post("/login/", {"username": "alice", "password": PASSWORD}).status_code == 302
    assert logged_in(client)
    client.post("/logout/")
    assert not logged_in(client)


def test_it_does_not_follow_a_foreign_next(browse: Browse, alice: User) -> None:
    body = {"username": "alice", "password": PASSWORD, "next": "https://evil.example/"}
    assert browse(None).post("/login/", body).headers["Location"] == "/"


def test_it_slows_down_who_guesses(browse: Browse, alice: User) -> None:
    client = browse(None)
    answers = [client.post("/login/", {"username": "alice", "password": f"guess {n}"}).status_code for n in range(12)]
    assert answers == [200] * 10 + [429] * 2
    refused = client.post("/login/", {"username": "alice", "password": PASSWORD})
    assert "Too many attempts" in refused.content.decode()
    assert not logged_in(client)


def test_a_link_logs_in_once(browse: Browse, alice: User) -> None:
    link = login_link("http://testserver", alice)
    first, second = browse(None), browse(None)
    assert first.get(link).headers["Location"] == "/"
    assert logged_in(first)
    second.get(link)
    assert not logged_in(second)


def test_a_forged_link_logs_nobody_in(browse: Browse, alice: User) -> None:
    client = browse(None)
    assert client.get(reverse("login-by-link"), {"sesame": "AAAAAQAAAAA"}).headers["Location"].startswith("/login/")
    assert not logged_in(client)


def test_the_first_start_makes_one_administrator(db: None) -> None:
    admin, password = ensure_admin()
    assert admin.check_password(password)
    assert len(password) >= 16
    assert ensure_admin() == (admin, "")


def test_adduser_prints_a_password_that_works(db: None) -> None:
    out = StringIO()
    call_command("adduser", "dora", stdout=out)
    found = re.search(r"Password: (\S+)", out.getvalue())
    assert found and User.objects.get(username="dora").check_password(found[1])
    with pytest.raises(CommandError, match="dora"):
        call_command("adduser", "dora", stdout=out)


def test_every_page_forbids_what_it_does_not_need(browse: Browse, alice: User) -> None:
    headers = browse(alice).get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"


def test_a_new_project_opens_from_the_list(browse: Browse, alice: User) -> None:
    client = browse(alice)
    answer = client.post("/", {"name": "Night runs"})
    assert answer.headers["Location"] == "/p/night-runs/"
    assert "Night runs" in client.get("/").content.decode()
