"""A team's set-up, chosen by the environment alone: PostgreSQL, Redis, two web processes, two workers."""

import json
import os
import re
import socket
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from subprocess import check_output
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.traceviewer.processes import ROOT, running, until
from traceviewer.protocol.messages_pb2 import ClientMessage, JobCursor, JobEvent, ServerMessage, Watch

pytestmark = pytest.mark.services
NAME = "dora"


class Browser:
    """One browser at one web process, logged in by the form."""

    def __init__(self, address: str, password: str) -> None:
        self.address, self.jar = address, CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self.get("/login/"))
        assert token
        self.send("/login/", f"username={NAME}&password={password}&csrfmiddlewaretoken={token[1]}".encode())

    def get(self, path: str) -> str:
        return str(self.opener.open(self.address + path, timeout=30).read().decode())

    def send(self, path: str, body: bytes, content_type: str = "application/x-www-form-urlencoded") -> str:
        cookies = {cookie.name: cookie.value or "" for cookie in self.jar}
        headers = {"Content-Type": content_type, "X-CSRFToken": cookies.get("csrftoken", "")}
        request = urllib.request.Request(self.address + path, data=body, headers=headers)
        return str(self.opener.open(request, timeout=30).read().decode())

    @contextmanager
    def socket(self) -> Iterator[ClientConnection]:
        cookie = "; ".join(f"{cookie.name}={cookie.value}" for cookie in self.jar)
        address = self.address.replace("http", "ws") + "/ws/"
        with connect(address, origin=self.address, additional_headers={"Cookie": cookie}) as wire:  # type: ignore[arg-type]
            yield wire

    def upload(self, files: list[Path]) -> dict[str, Any]:
        parts = b"".join(
            b'--edge\r\nContent-Disposition: form-data; name="files"; filename="%s"\r\n\r\n%s\r\n'
            % (file.name.encode(), file.read_bytes())
            for file in files
        )
        body = parts + b"--edge--\r\n"
        return dict(json.loads(self.send("/api/v1/projects/team/runs/", body, "multipart/form-data; boundary=edge")))


class Team:
    """Addresses of the two web processes."""

    def __init__(self, environment: dict[str, str], webs: list[str], password: str) -> None:
        self.environment, self.webs, self.password = environment, webs, password

    def browser(self, web: int) -> Browser:
        return Browser(self.webs[web], self.password)


def manage(environment: dict[str, str], *command: str) -> str:
    return check_output([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, text=True)


@pytest.fixture
def team(postgres_url: str, redis_url: str, tmp_path: Path) -> Iterator[Team]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "traceviewer.settings",
        "TRACEVIEWER_HOME": str(tmp_path / "home"),
        "DATABASE_URL": postgres_url,
        "REDIS_URL": redis_url,
    }
    manage(environment, "migrate", "--verbosity", "0")
    password = re.findall(r"Password: (\S+)", manage(environment, "adduser", NAME))[0]
    with ExitStack() as stack:
        webs = []
        for _ in range(2):
            listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            command = ("-m", "traceviewer.web", str(listener.fileno()))
            stack.enter_context(running(*command, environment=environment, pass_fds=(listener.fileno(),)))
            webs.append(f"http://127.0.0.1:{listener.getsockname()[1]}")
        for number in range(2):
            command = ("-m", "celery", "-A", "traceviewer.celery", "--quiet", "worker", "-n", f"worker{number}")
            stack.enter_context(running(*command, "--loglevel", "WARNING", environment=environment))
        yield Team(environment, webs, password)


def hear_until_ended(wire: ClientConnection) -> list[JobEvent]:
    events: list[JobEvent] = []
    while not events or events[-1].state in {"queued", "running"}:
        frame = wire.recv(timeout=120)
        assert isinstance(frame, bytes)
        events.append(ServerMessage.FromString(frame).job_event)
    return events


def watch(wire: ClientConnection, job: str, after: int = 0) -> None:
    message = ClientMessage(v=1, seq=1, watch=Watch(jobs=[JobCursor(job=job, after=after)]))
    wire.send(message.SerializeToString())


def test_a_job_begun_at_one_web_process_is_watched_at_the_other(team: Team, demo_files: list[Path]) -> None:
    one, other = team.browser(0), team.browser(1)
    one.send("/api/v1/projects/", b'{"name": "Team"}', "application/json")
    run = one.upload(demo_files)
    with other.socket() as wire:
        watch(wire, run["job"]["id"])
        events = hear_until_ended(wire)
    assert events[-1].state == "succeeded", events[-1].message
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert {event.run for event in events} == {run["id"]}
    assert json.loads(other.get(f"/api/v1/runs/{run['id']}/"))["state"] == "ready"
    # Said again from the middle, as after a reconnect, at the first process.
    with one.socket() as wire:
        watch(wire, run["job"]["id"], after=events[-2].number)
        assert [event.number for event in hear_until_ended(wire)] == [events[-1].number]


def test_two_workers_leave_no_job_behind(team: Team, tmp_path: Path) -> None:
    browser = team.browser(0)
    browser.send("/api/v1/projects/", b'{"name": "Team"}', "application/json")
    (tmp_path / "broken.json").write_text("this is no trace")
    runs = [browser.upload([tmp_path / "broken.json"])["id"] for _ in range(6)]

    def states() -> set[str]:
        return {json.loads(browser.get(f"/api/v1/runs/{run}/"))["state"] for run in runs}

    until(lambda: states() == {"failed"}, "all six to be refused")
