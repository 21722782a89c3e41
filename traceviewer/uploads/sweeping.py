"""Uploads that nobody goes on with expire, and their bytes with them."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from traceviewer import jobs
from traceviewer.uploads.models import Upload, folder
from traceviewer.uploads.partial import Busy

STRAY_S = 3600.0
"""A file without a row that is younger may be one whose row is about to be written."""


@jobs.chore(every_s=300)
def forget_expired() -> None:
    """Delete uploads untouched for too long, and files of this machine that belong to no upload."""
    for upload in Upload.objects.filter(touched_at__lt=timezone.now() - timedelta(seconds=settings.UPLOAD_KEEP_S)):
        with suppress(Busy):  # somebody has gone on with it just now
            upload.delete()
    oldest_s = time.time() - STRAY_S
    known = {str(pk) for pk in Upload.objects.values_list("pk", flat=True)}
    for path in folder().glob("*"):
        with suppress(FileNotFoundError):
            if path.name not in known and path.stat().st_mtime < oldest_s:
                path.unlink()
