"""`up` and `down` on an empty HOME, with real processes."""

import os
import re
import signal
import socket
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from subprocess import Popen, run
from typing import Any

import pytest

from tests.traceviewer.processes import ROOT, alive, children_of, descendants_of, running, until

Up = Callable[..., AbstractContextManager["Server"]]
COMMAND = "import sys; from traceviewer import supervisor; sys.exit(supervisor.{})"


class Server:
    """A running `up`; its output so far is in a file."""

    def __init__(self, process: Popen[bytes], output: Path) -> None:
        self.process, self.output = process, output

    @property
    def text(self) -> str:
        return self.output.read_text()

    def ready(self) -> str:
        """Wait for the login link."""
        until(lambda: "Open http" in self.text or self.process.poll() is not None, "a server that is ready")
        found = re.search(r"Open (\S+)", self.text)
        assert found, self.text
        return found[1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return kept | {"TRACEVIEWER_HOME": str(home), "DJANGO_SETTINGS_MODULE": "traceviewer.settings"}


@pytest.fixture
def up(environment: dict[str, str], tmp_path: Path) -> Iterator[Up]:
    started: set[int] = set()

    @contextmanager
    def start(host: str = "127.0.0.1", port: int = 0) -> Iterator[Server]:
        output = tmp_path / f"output-{time.monotonic_ns()}"
        with output.open("wb") as sink:
            command = COMMAND.format(f"up({host!r}, {port})")
            with running("-c", command, environment=environment, stdout=sink, stderr=sink) as process:
                try:
                    yield Server(process, output)
                finally:
                    if process.poll() is None:
                        started.update(descendants_of(process.pid))

    yield start
    until(lambda: not any(map(alive, started)), "the end of all processes")


def say_down(environment: dict[str, str]) -> tuple[int, str]:
    done = run(
        [sys.executable, "-c", COMMAND.format("down()")], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout + done.stderr


def opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))


def test_it_starts_serves_and_stops(up: Up, home: Path, environment: dict[str, str]) -> None:
    with up() as server:
        browser = opener()
        page: Any = browser.open(server.ready())
        assert "Demo" in page.read().decode()  # by the link straight to the projects
        assert "password" in server.text
        address = page.url.rstrip("/")
        static: Any = browser.open(f"{address}/static/images/logo.svg")
        assert static.headers["Content-Type"] == "image/svg+xml"
        until(lambda: b'"ready"' in browser.open(f"{address}/api/v1/projects/demo/runs/").read(), "the demo run")
        family = descendants_of(server.process.pid)
        assert say_down(environment) == (0, f"Stopped {address}\n")
        assert server.process.wait(20) == 0
        assert not any(map(alive, family))
        assert home.stat().st_mode & 0o077 == 0
        assert (home / "secret_key").stat().st_mode & 0o077 == 0
    with up() as again:  # on the same home: the same users, no second password
        again.ready()
        assert "password" not in again.text
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(20) == 0
    assert say_down(environment) == (0, "Nothing runs here.\n")


def test_a_killed_parent_leaves_no_orphan(up: Up) -> None:
    with up() as server:
        server.ready()
        until(lambda: len(descendants_of(server.process.pid)) >= 5, "parent, web, worker and its two children")
        family = descendants_of(server.process.pid)
        server.process.kill()
        until(lambda: not any(map(alive, family)), "the end of all children")


def test_a_dead_child_is_started_again(up: Up) -> None:
    with up() as server:
        link = server.ready()
        for name in ("traceviewer.web", "celery"):
            (victim,) = children_named(server, name)
            os.kill(victim, signal.SIGKILL)
            until(lambda name=name, victim=victim: children_named(server, name) - {victim}, f"a new {name}")
        # The socket is the parent's: who comes in between waits instead of being refused.
        assert opener().open(link).status == 200


def test_a_second_start_on_the_same_home_says_so(up: Up) -> None:
    with up() as server:
        server.ready()
        with up() as second:
            assert second.process.wait(20) == 1
            assert len(second.text.splitlines()) == 1
            assert f"process {server.process.pid}" in second.text


def test_a_taken_port_is_said_in_one_line(up: Up) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        port = other.getsockname()[1]
        with up(port=port) as server:
            assert server.process.wait(20) == 1
            assert server.text == f"Port {port} on 127.0.0.1 is taken; choose another.\n"


def test_an_address_of_another_machine_is_said_in_one_line(up: Up) -> None:
    with up(host="192.0.2.1") as server:
        assert server.process.wait(20) == 1
        assert len(server.text.splitlines()) == 1
        assert "192.0.2.1" in server.text


def test_it_can_be_stopped_while_it_prepares(up: Up) -> None:
    with up() as server:
        until(lambda: len(children_of(server.process.pid)) >= 1, "the first child")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
        assert "Open" not in server.text and "Traceback" not in server.text


def children_named(server: Server, name: str) -> set[int]:
    return {pid for pid in children_of(server.process.pid) if name in command_line(pid)}


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except FileNotFoundError:
        return ""
