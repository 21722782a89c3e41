"""What is kept of uploaded files: how much of it is whose, and that nothing is kept of which no row knows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from traceviewer import jobs
from traceviewer.runs.models import Trace
from traceviewer.uploads import staging
from traceviewer.uploads.quota import counts

STRAY_AGE = timedelta(days=1)
"""A younger file may be one whose rows are about to be written."""


@counts
def kept_bytes(user: Any) -> int:
    """Of the originals of the runs that the user made."""
    kept = Trace.objects.filter(run__created_by=user.pk).exclude(source="")
    return kept.aggregate(sum=Sum("size_bytes"))["sum"] or 0


@jobs.chore(every_s=3600)
def forget_strays() -> None:
    """Delete staged files that a process left behind which was killed before it had written their rows."""
    known = set(Trace.objects.exclude(source="").values_list("source", flat=True))
    before = timezone.now() - STRAY_AGE
    staging.discard([key for key in staging.keys() if key not in known and staging.staged_at(key) < before])
