"""From a request to the engine: may the user see this run, is it ready, and which files are asked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework import status
from rest_framework.exceptions import APIException

from traceviewer.accounts.visibility import get_visible
from traceviewer.engine.opened import Files
from traceviewer.runs.models import Run


class NotReady(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "not_ready"


class OutOfRange(APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "out_of_range"


def files_of(user: Any, run: UUID | str, aligned: bool = False) -> Files:
    """The files of a run that the user may see, to be shown on aligned clocks or as recorded; one query.

    Raises Http404, or NotReady.
    """
    try:
        pk = run if isinstance(run, UUID) else UUID(run)
    except ValueError as error:
        raise Http404 from error
    files = Files.of(require_ready(get_visible(Run.objects, user, pk=pk)))
    return replace(files, is_aligned=aligned)


def require_ready(run: Run) -> Run:
    """The run itself. Raises NotReady."""
    if run.state != Run.State.READY:
        raise NotReady(f"The run is {run.state}; there is nothing to show.")
    return run
