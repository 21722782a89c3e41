"""A tus client in the smallest: what the browser and the command line send, one request each."""

import base64
import hashlib
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from tests.traceviewer.reading import as_user
from traceviewer.accounts.models import Project

VERSION = {"Tus-Resumable": "1.0.0"}
PART = "application/offset+octet-stream"


def create(client: Client, project: Project, size: int, name: str = "", **metadata: str) -> Any:
    pairs = {"filename": name, **metadata} if name else metadata
    said = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
    headers = {**VERSION, "Upload-Length": str(size), **({"Upload-Metadata": said} if said else {})}
    return client.post(f"/api/v1/projects/{project.slug}/uploads/", headers=headers)


def head(client: Client, address: str) -> Any:
    return client.head(address, headers=VERSION)


def offset(client: Client, address: str) -> int:
    answer = head(client, address)
    assert answer.status_code == 200, answer.content
    return int(answer["Upload-Offset"])


def patch(client: Client, address: str, at: int, part: bytes, **headers: str) -> Any:
    said = {**VERSION, "Upload-Offset": str(at), **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.patch(address, part, content_type=PART, headers=said)


def checksum(part: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, part).digest()).decode()}"


def uploaded(user: User, project: Project, files: dict[str, bytes]) -> list[str]:
    """Ids of whole uploads of these files."""
    client, ids = as_user(user), []
    for name, content in files.items():
        answer = create(client, project, len(content), name)
        assert answer.status_code == 201, answer.content
        assert patch(client, answer["Location"], 0, content).status_code == 204
        ids.append(answer.json()["id"])
    return ids


def make_run(user: User, project: Project, uploads: list[str], name: str = "") -> Any:
    body = {"uploads": uploads, "name": name}
    return as_user(user).post(f"/api/v1/projects/{project.slug}/runs/", body, content_type="application/json")
