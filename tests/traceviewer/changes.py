"""What tests of a run that changes share: ask for the change, look at what came of it."""

import gzip
import json
from typing import Any

from django.contrib.auth.models import User

from simulation.run import Run as EngineRun
from tests.traceviewer.reading import as_user
from tests.traceviewer.tus import uploaded
from traceviewer.runs import store
from traceviewer.runs.models import Run


def reread(user: User, run: Run) -> Any:
    return as_user(user).post(f"/api/v1/runs/{run.pk}/reread/")


def add(user: User, run: Run, files: dict[str, bytes], **goes: int | None) -> Any:
    """Add files; `replace` a rank or put them `instead_of` an original."""
    body = {"uploads": uploaded(user, run.project, files), **goes}
    return as_user(user).post(f"/api/v1/runs/{run.pk}/traces/", body, content_type="application/json")


def seen(user: User, run: Run) -> dict[str, Any]:
    return dict(as_user(user).get(f"/api/v1/runs/{run.pk}/").json())


def renamed(content: bytes, name: str = "changed") -> bytes:
    """The trace with one event's name changed: another file of the same rank."""
    document = json.loads(gzip.decompress(content))
    named = next(event for event in document["traceEvents"] if event.get("ph") == "X")
    named["name"] = name
    return gzip.compress(json.dumps(document).encode())


def opened(run: Run) -> EngineRun:
    return EngineRun.open(store.local(run.folder, run.files))
