"""How many jobs one user may have waiting."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from rest_framework import status
from rest_framework.exceptions import APIException

from traceviewer.jobs.models import Job, State


class TooManyJobs(APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "too_many_jobs"


def check_user(user: Any) -> None:
    """Raise TooManyJobs if not one more job may wait for the user. Requests at the same moment may pass together."""
    limit = settings.JOBS_MAX_QUEUED
    if Job.objects.filter(created_by=user.pk, state=State.QUEUED).count() >= limit:
        raise TooManyJobs(f"{limit:,} of your jobs are waiting, the limit. Try again when some are done.")
