"""`traceviewer push` against a real web server; either may be killed at any moment, and no byte is lost."""

import hashlib
import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from rest_framework.authtoken.models import Token

from tests.traceviewer.processes import ROOT, child_environment, running, until
from tests.traceviewer.reading import as_user, stored_files
from tests.traceviewer.tus import PART, VERSION, create, make_run
from traceviewer import push as pushing
from traceviewer.accounts.models import Project
from traceviewer.runs.models import Run, Trace
from traceviewer.uploads.models import Upload

pytestmark = pytest.mark.django_db(transaction=True)
LARGE_BYTES = 300_000_000


class Site:
    """A web server that can be killed and started again; its socket stays, as under `up`."""

    def __init__(self, listener: socket.socket) -> None:
        self.listener = listener
        self.address = f"http://127.0.0.1:{listener.getsockname()[1]}"

    def up(self) -> AbstractContextManager[subprocess.Popen[bytes]]:
        descriptor = self.listener.fileno()
        command = ("-m", "traceviewer.web", str(descriptor))
        return running(*command, environment=child_environment(), pass_fds=(descriptor,))


@pytest.fixture
def site() -> Iterator[Site]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield Site(listener)


@pytest.fixture
def environment(bob: User, tmp_path: Path) -> dict[str, str]:
    token = Token.objects.create(user=bob).key
    return child_environment(TRACEVIEWER_TOKEN=token, XDG_STATE_HOME=str(tmp_path / "state"))


def command(site: Site, *words: Any) -> list[str]:
    return ["-m", "traceviewer.cli", "push", "--to", site.address, *map(str, words)]


def push(site: Site, environment: dict[str, str], *words: Any) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, *command(site, *words)]
    return subprocess.run(line, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120)


def notes(environment: dict[str, str]) -> list[Path]:
    return list(Path(environment["XDG_STATE_HOME"]).rglob("*.txt"))


def offset() -> int:
    upload = Upload.objects.first()
    return upload.offset if upload else -1


def large_file(path: Path) -> str:
    """A JSON file of 300 MB in which no two megabytes are alike: its sha256."""
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for number in range(LARGE_BYTES // 1_000_000):
            piece = (b'{"ph": "X", "name": "%d"},\n' % number).ljust(1_000_000, b"%d" % (number % 10))
            digest.update(piece)
            file.write(piece)
    return digest.hexdigest()


def stored_sha256(run: Run) -> str:
    with default_storage.open(run.traces.get().source, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_it_makes_a_run_and_prints_its_address(
    site: Site, environment: dict[str, str], project: Project, demo_files: list[Path]
) -> None:
    with site.up():
        done = push(site, environment, *demo_files, "--name", "From the shell")
    assert (done.returncode, done.stderr) == (0, "")
    run = Run.objects.get()
    assert done.stdout == f"{site.address}/p/{project.slug}/runs/{run.pk}/\n"
    assert (run.name, run.created_by.username) == ("From the shell", "bob")  # type: ignore[union-attr]
    hashes = [hashlib.sha256(path.read_bytes()).hexdigest() for path in demo_files]
    assert list(run.traces.values_list("file_name", "sha256")) == [
        (path.name, sha256) for path, sha256 in zip(demo_files, hashes, strict=True)
    ]
    assert notes(environment) == []


def test_a_large_file_arrives_however_often_either_end_is_killed(
    site: Site, environment: dict[str, str], project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "large.json"
    sha256 = large_file(path)
    line = command(site, path)
    with site.up() as server:
        with running(*line, environment=environment):
            until(lambda: offset() > LARGE_BYTES // 5, "a fifth of the file")
        arrived = offset()
        assert arrived < LARGE_BYTES
        with running(*line, environment=environment, stdout=subprocess.PIPE) as client:
            until(lambda: offset() > LARGE_BYTES // 3, "a third of the file")
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
            assert arrived < offset() < LARGE_BYTES
            with site.up():
                until(lambda: offset() > LARGE_BYTES // 2, "half of the file")
                client.kill()
                client.wait()
                assert offset() < LARGE_BYTES
                done = push(site, environment, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert Upload.objects.count() == 1  # it was the same upload all the time
    run = Run.objects.get()
    assert (run.traces.get().size_bytes, run.traces.get().sha256, stored_sha256(run)) == (LARGE_BYTES, sha256, sha256)
    assert notes(environment) == []


def test_a_connection_that_drops_costs_no_more_than_its_part(site: Site, project: Project, bob: User) -> None:
    """As a browser would do it, on the wire: half of a part, then nothing; and the server killed between two."""
    content = os.urandom(3_000_000)
    upload = create(as_user(bob), project, len(content), "a.json")
    headers = {"Authorization": f"Token {Token.objects.create(user=bob).key}", **VERSION}
    with site.up():
        assert send(site, upload["Location"], headers, 0, content[:1_000_000], 1_000_000) == 1_000_000
        send(site, upload["Location"], headers, 1_000_000, content[1_000_000:1_400_000], 1_000_000)
        assert head(site, upload["Location"], headers) == 1_000_000
    with site.up():
        assert head(site, upload["Location"], headers) == 1_000_000
        assert send(site, upload["Location"], headers, 1_000_000, content[1_000_000:], 2_000_000) == 3_000_000
    run = make_run(bob, project, [upload.json()["id"]]).json()
    assert stored_sha256(Run.objects.get(pk=run["id"])) == hashlib.sha256(content).hexdigest()


def send(site: Site, path: str, headers: dict[str, str], at: int, body: bytes, promised: int) -> int:
    """A part of which `promised` bytes were to come: the offset that is answered, 0 if the connection drops first."""
    wire = http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=60)
    wire.putrequest("PATCH", path)
    for name, value in {**headers, "Content-Type": PART, "Upload-Offset": at, "Content-Length": promised}.items():
        wire.putheader(name, str(value))
    wire.endheaders(body)
    answered = int(wire.getresponse().headers["Upload-Offset"]) if len(body) == promised else 0
    wire.close()
    return answered


def head(site: Site, path: str, headers: dict[str, str]) -> int:
    wire = http.client.HTTPConnection(urlsplit(site.address).netloc, timeout=60)
    wire.request("HEAD", path, headers=headers)
    offset = int(wire.getresponse().headers["Upload-Offset"])
    wire.close()
    return offset


def test_an_upload_that_the_server_forgot_begins_anew(
    site: Site,
    environment: dict[str, str],
    project: Project,
    bob: User,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", environment["XDG_STATE_HOME"])
    (tmp_path / "a.json").write_bytes(b"{}")
    source = pushing.Source.of(tmp_path / "a.json")
    server = pushing.Server(site.address, environment["TRACEVIEWER_TOKEN"])
    sending = pushing.Sending(server, project.slug, source)
    sending.note.write_text(f"{site.address}/api/v1/uploads/00000000-0000-0000-0000-000000000000/")
    with site.up():
        done = push(site, environment, source.path, "--project", project.slug)
    assert (done.returncode, Trace.objects.get().sha256) == (0, source.sha256)


def test_what_goes_wrong_is_one_line(
    site: Site, environment: dict[str, str], project: Project, bob: User, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    Project.objects.make("Second", bob)
    stranger = {**environment, "TRACEVIEWER_TOKEN": "none"}
    with site.up():
        refusals = [
            (push(site, environment, tmp_path / "missing.json"), "cannot be read"),
            (push(site, environment, tmp_path / "a.json"), "--project with one of: second, training"),
            (push(site, environment, tmp_path / "a.json", "--project", "nowhere"), "no such project"),
            (push(site, stranger, tmp_path / "a.json"), "Give a token"),
            (push(site, environment, tmp_path / "a.json", "--to", "example.org"), "http://host:port"),
        ]
    for done, reason in refusals:
        assert (done.returncode, done.stdout) == (2, "")
        assert reason in done.stderr and len(done.stderr.splitlines()) == 1
    assert stored_files() == []


def test_it_gives_up_in_the_end_and_says_so(site: Site, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{}")
    waited: list[float] = []
    site.listener.close()
    with pytest.raises(pushing.PushError, match="cannot be reached .* What has arrived is kept"):
        pushing.push(pushing.Server(site.address, "token", wait=waited.append), "training", [tmp_path / "a.json"])
    assert len(waited) == len(pushing.WAITS_S)


def test_a_file_that_changes_while_it_is_sent_is_refused(
    site: Site, environment: dict[str, str], project: Project, tmp_path: Path
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"1234")
    source = pushing.Source.of(path)
    path.write_bytes(b"abcd")
    os.utime(path, ns=(1, 1))
    server = pushing.Server(site.address, environment["TRACEVIEWER_TOKEN"])
    with site.up(), pytest.raises(pushing.PushError, match="has changed while it was sent"):
        pushing.Sending(server, project.slug, source).send(lambda *_: None, 0, 4)


def test_the_token_goes_nowhere_else(tmp_path: Path) -> None:
    """A redirect is said, not followed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        reply = "import socket,sys; s=socket.socket(fileno=int(sys.argv[1])); c,_=s.accept(); c.recv(9999); c.sendall("
        reply += "b'HTTP/1.1 301 Moved\\r\\nLocation: https://elsewhere.example/\\r\\nContent-Length: 0\\r\\n\\r\\n')"
        descriptor = listener.fileno()
        with running("-c", reply, str(descriptor), environment=dict(os.environ), pass_fds=(descriptor,)):
            with pytest.raises(pushing.Refused, match="It says to go to https://elsewhere.example/ instead"):
                pushing.Server(address, "secret").ask("GET", "/api/v1/projects/")


@pytest.mark.parametrize(
    ("url", "site", "project"),
    [
        ("http://h:8000", "http://h:8000", ""),
        ("https://h/p/training/", "https://h", "training"),
        ("https://h/p/training/runs/1/", "https://h", "training"),
    ],
)
def test_the_address_of_a_page_names_its_project(url: str, site: str, project: str) -> None:
    assert pushing.site_of(url) == (site, project)
