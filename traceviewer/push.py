"""`traceviewer push`: files to a server, part by part, and a run of them.

Each part goes on from the offset that the server tells (tus 1.0), so a dropped connection, a restarted server or a
killed command costs one part. Where each upload lives is noted in a small file under the user's state folder until
the run is made. Needs the standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import random
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urljoin, urlsplit

from simulation.progress import Progress, silent

PART_BYTES = 8 << 20
"""Sent again if the connection drops within it; the server keeps one in a temporary file meanwhile."""
ANSWER_S = 60.0
WAITS_S = (0.5, 1, 2, 4, 8, 15, 30, 30, 30, 30)
"""Between attempts; after the last the command gives up. Progress starts it anew."""
PASSING = {408, 423, 425, 429, 500, 502, 503, 504}
"""Answers that may be others the next time."""
ASTRAY = {409, 460}
"""Answers to a part after which the server is asked for its offset: not there, or not as it was sent."""
GONE = {404, 410}
NO_TRACEVIEWER = "{} answers, but is no traceviewer."


class PushError(Exception):
    """Why the files are not on the server, in one line."""


class Unreachable(Exception):
    """No answer, or one that may be another the next time."""


class Refused(Exception):
    """An answer that stays the same however often it is asked for."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        super().__init__(detail)


@dataclass(frozen=True)
class Answer:
    headers: Message
    text: str


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the token is for this server alone."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True)
class Server:
    """`address` is the site's, without a path; `token` belongs to a user who may edit the project."""

    address: str
    token: str
    wait: Callable[[float], None] = field(default=time.sleep, repr=False)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """One request. Raises Unreachable or Refused."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"Authorization": f"Token {self.token}", "Accept": "application/json"}
        data = None
        if method in ("POST", "PATCH"):
            sent["Content-Length"] = str(len(body))
            data = io.BytesIO(body)  # sent by and by: the time limit is for a piece, not for all
        request = urllib.request.Request(urljoin(self.address, path), data=data, headers=sent, method=method)
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=ANSWER_S) as answer:
                return Answer(answer.headers, answer.read().decode(errors="replace"))
        except urllib.error.HTTPError as error:
            detail = _detail(error)
            raise Unreachable(detail) if error.code in PASSING else Refused(error.code, detail) from error
        except (OSError, HTTPException) as error:  # no route, refused, cut off, timed out
            raise Unreachable(str(getattr(error, "reason", error)) or type(error).__name__) from error

    def json(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Ask until it is answered, both ways JSON. Raises PushError."""
        waits = iter(WAITS_S)
        while True:
            try:
                answer = self.ask(method, path, json.dumps(body).encode(), Content_Type="application/json")
                return json.loads(answer.text)
            except Unreachable as error:
                self.pause(waits, error)
            except Refused as error:
                raise PushError(str(error)) from error
            except ValueError as error:
                raise PushError(NO_TRACEVIEWER.format(self.address)) from error

    def pause(self, waits: Iterator[float], error: Unreachable) -> None:
        """Wait before the next attempt. Raises PushError when there is none."""
        wait_s = next(waits, None)
        if wait_s is None:
            raise PushError(f"{self.address} cannot be reached ({error}). What has arrived is kept.") from error
        self.wait(wait_s * random.uniform(0.7, 1.3))


@dataclass(frozen=True)
class Source:
    """A file to push, as it was when it was looked at."""

    path: Path
    size_bytes: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> Source:
        """Reads the file once. Raises PushError."""
        try:
            with path.open("rb") as file:
                stat = os.fstat(file.fileno())
                return cls(path, stat.st_size, stat.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise PushError(f"{path} cannot be read ({error.strerror}).") from error

    def require_same(self, file: IO[bytes]) -> None:
        """Raise PushError if it was written to since."""
        stat = os.fstat(file.fileno())
        if (stat.st_size, stat.st_mtime_ns) != (self.size_bytes, self.mtime_ns):
            raise PushError(f"{self.path} has changed while it was sent. Push it again when it is complete.")


def push(server: Server, project: str, paths: Sequence[Path], name: str = "", progress: Progress = silent) -> str:
    """Upload the files, make a run of them: the address of its page. Raises PushError."""
    sources = [Source.of(path) for path in paths]
    project = project or only_project(server)
    sendings = [Sending(server, project, source) for source in sources]
    total, before = sum(source.size_bytes for source in sources), 0
    for sending in sendings:
        sending.send(progress, before, total)
        before += sending.source.size_bytes
    body = {"uploads": [sending.upload for sending in sendings], "name": name}
    run = server.json("POST", f"/api/v1/projects/{quote(project)}/runs/", body)
    for sending in sendings:
        sending.note.unlink(missing_ok=True)
    return urljoin(server.address, str(run["url"]))


def only_project(server: Server) -> str:
    """The project, if there is just one that the user may edit. Raises PushError with their names."""
    found = server.json("GET", "/api/v1/projects/")
    slugs = [project["slug"] for project in found if project["role"] in ("owner", "editor")]
    if len(slugs) != 1:
        raise PushError(f"Which project? Give --project with one of: {', '.join(slugs) or '(you may edit none)'}.")
    return str(slugs[0])


class Sending:
    """One file on its way. `note` is the file in which the address of its upload outlives this process."""

    def __init__(self, server: Server, project: str, source: Source) -> None:
        self.server, self.project, self.source = server, project, source
        key = (server.address, project, source.sha256, source.size_bytes, source.mtime_ns, str(source.path.resolve()))
        self.note = state_folder() / f"{hashlib.sha256(repr(key).encode()).hexdigest()}.txt"
        self.address = self.note.read_text() if self.note.exists() else ""
        self.offset: int | None = None  # None: to be asked

    @property
    def upload(self) -> str:
        """Its id."""
        return self.address.rstrip("/").rpartition("/")[2]

    def send(self, progress: Progress, before_bytes: int, total_bytes: int) -> None:
        """Send what the server lacks. Raises PushError."""
        furthest, waits = -1, iter(WAITS_S)
        with self.source.path.open("rb") as file:
            while self.offset != self.source.size_bytes:
                try:
                    self.offset = self._next(file)
                except Unreachable as error:
                    self.server.pause(waits, error)
                    continue
                except Refused as error:
                    raise PushError(str(error)) from error
                if self.offset > furthest:
                    furthest, waits = self.offset, iter(WAITS_S)
                progress("uploading", before_bytes + self.offset, total_bytes)

    def _next(self, file: IO[bytes]) -> int:
        """One step: begin, or ask where the server stands, or send the next part. The offset after it."""
        offset, self.offset = self.offset, None  # whatever goes wrong, the server is asked first
        try:
            if not self.address:
                return self._begin()
            return self._ask() if offset is None else self._part(file, offset)
        except Refused as error:
            if error.status not in GONE or not self.address:
                raise
            self.address = ""  # it has forgotten this upload: a new one
            return self._begin()

    def _part(self, file: IO[bytes], offset: int) -> int:
        file.seek(offset)
        part = file.read(min(PART_BYTES, self.source.size_bytes - offset))
        checksum = f"sha256 {base64.b64encode(hashlib.sha256(part).digest()).decode()}"
        try:
            answer = self.server.ask(
                "PATCH", self.address, part,
                Tus_Resumable="1.0.0", Content_Type="application/offset+octet-stream",
                Upload_Offset=str(offset), Upload_Checksum=checksum,
            )  # fmt: skip
        except Refused as error:
            if error.status not in ASTRAY:
                raise
            self.source.require_same(file)
            raise Unreachable(str(error)) from error
        return int(answer.headers["Upload-Offset"])

    def _begin(self) -> int:
        about = {"filename": self.source.path.name, "sha256": self.source.sha256}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in about.items())
        answer = self.server.ask(
            "POST", f"/api/v1/projects/{quote(self.project)}/uploads/",
            Tus_Resumable="1.0.0", Upload_Length=str(self.source.size_bytes), Upload_Metadata=metadata,
        )  # fmt: skip
        if not answer.headers["Location"]:
            raise PushError(NO_TRACEVIEWER.format(self.server.address))
        self.address = urljoin(self.server.address, answer.headers["Location"])
        self.note.write_text(self.address)
        return 0

    def _ask(self) -> int:
        return int(self.server.ask("HEAD", self.address, Tus_Resumable="1.0.0").headers["Upload-Offset"])


def state_folder() -> Path:
    """Where notes are kept: $XDG_STATE_HOME/traceviewer/push, by default below ~/.local/state. Raises PushError."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    folder = Path(state) / "traceviewer" / "push"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise PushError(f"{folder} cannot be made ({error.strerror}); XDG_STATE_HOME names another place.") from error
    return folder


def site_of(url: str) -> tuple[str, str]:
    """The site, and the project that the address of a page of it names ("" if none). Raises PushError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise PushError(f"{url} is no address; say it as http://host:port.")
    words = parts.path.split("/")
    return f"{parts.scheme}://{parts.netloc}", words[2] if words[1:2] == ["p"] and len(words) > 2 else ""


def _detail(error: urllib.error.HTTPError) -> str:
    """What the server says is wrong, in one line."""
    with error:
        text = error.read().decode(errors="replace")
    try:
        detail = str(json.loads(text)["detail"])
    except (ValueError, KeyError, TypeError):
        detail = f"{error.code} {error.reason}"
    if 300 <= error.code < 400:
        return f"It says to go to {error.headers.get('Location', 'another place')} instead; give that address."
    if error.code == 401:
        return f"{detail} Give a token, by --token or TRACEVIEWER_TOKEN."
    if error.code == 404:
        return "There is no such project, or you are not a member."
    return detail
