"""The demo project: a newcomer's first run, read the same way as any other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import transaction

from traceviewer.accounts.models import Project
from traceviewer.runs import reading
from traceviewer.runs.models import Run
from traceviewer.uploads import staging

SLUG, NAME, RUN_NAME = "demo", "Demo", "Two-layer transformer, two ranks on the CPU"


def load_demo(user: Any) -> Run | None:
    """Make the project and start reading its run; None, and nothing done, if the project is there already."""
    if Project.objects.filter(slug=SLUG).exists():
        return None
    staged = staging.stage_paths(sorted(Path(__file__).parent.glob("kineto_rank*.json.gz")))
    try:
        with transaction.atomic():
            return reading.begin(Project.objects.make(NAME, user, slug=SLUG), staged, RUN_NAME, user)
    except BaseException:
        staging.discard([file.key for file in staged])
        raise
