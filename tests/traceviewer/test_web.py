"""The web server as a process of its own, over real sockets."""

import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from subprocess import STDOUT, run

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.traceviewer.processes import ROOT, child_environment, running
from tests.traceviewer.sockets import cookie_of
from traceviewer.accounts.models import Project
from traceviewer.jobs.models import Job
from traceviewer.live.consumer import MAX_MESSAGE_BYTES
from traceviewer.protocol.messages_pb2 import ClientMessage, JobCursor, ServerMessage, Watch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web(db: None) -> Iterator[str]:
    """host:port of a server that looks at this test's database."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = ("-m", "traceviewer.web", str(listener.fileno()))
        with running(*command, environment=child_environment(), pass_fds=(listener.fileno(),)):
            yield f"127.0.0.1:{listener.getsockname()[1]}"


def dial(web: str, user: User | None) -> ClientConnection:
    headers = {"Cookie": cookie_of(user).decode()} if user else {}
    return connect(f"ws://{web}/ws/", origin=f"http://{web}", additional_headers=headers, open_timeout=30)  # type: ignore[arg-type]


def close_code(wire: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        wire.recv(timeout=30)
    return wire.close_code


def test_a_socket_hears_of_a_job_and_frames_are_deflated(web: str, project: Project, victor: User) -> None:
    job = Job.objects.create(project=project, kind="any")
    job.change()
    with dial(web, victor) as wire:
        assert wire.response is not None
        assert "permessage-deflate" in wire.response.headers["Sec-WebSocket-Extensions"]
        cursor = Watch(jobs=[JobCursor(job=str(job.pk))])
        wire.send(ClientMessage(v=1, seq=1, watch=cursor).SerializeToString())
        for number, state in [(1, "queued"), (2, "cancelled")]:
            frame = wire.recv(timeout=30)
            assert isinstance(frame, bytes)
            event = ServerMessage.FromString(frame).job_event
            assert (event.number, event.state) == (number, state)
            job.cancel()  # from this process; the other hears the bell


def test_close_codes_reach_the_browser(web: str, alice: User) -> None:
    with dial(web, None) as wire:
        assert close_code(wire) == 4401
    with dial(web, alice) as wire:
        wire.send(b"\x00" * (MAX_MESSAGE_BYTES + 1))
        assert close_code(wire) == 4400


def test_a_host_that_is_not_ours_is_refused(web: str) -> None:
    request = urllib.request.Request(f"http://{web}{reverse('login')}", headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError, match="400") as refused:
        urllib.request.urlopen(request, timeout=30)
    refused.value.close()


def test_it_is_fit_for_deployment_behind_tls(db: None) -> None:
    environment = child_environment(
        TRACEVIEWER_TLS="1",
        TRACEVIEWER_ALLOWED_HOSTS="traces.example",
        TRACEVIEWER_CSRF_TRUSTED_ORIGINS="https://traces.example",
    )
    command = [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
    run(command, cwd=ROOT, env=environment, stderr=STDOUT, check=True)
