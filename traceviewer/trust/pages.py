"""The page *How far can I trust this* of a run."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from traceviewer.accounts.pages import project_context
from traceviewer.accounts.visibility import get_visible
from traceviewer.runs.api import listed
from traceviewer.runs.models import Run
from traceviewer.runs.serializers import run_object


@require_GET
def trust(request: HttpRequest, slug: str, run: UUID) -> HttpResponse:
    """The page of a measured run; a predicted one shows its measured run's figures, under its own tabs."""
    rows = listed(Run.objects.all())
    found = get_visible(rows, request.user, pk=run, project__slug=slug)
    shown = assessed = run_object(found)
    if found.measured_run_id:
        assessed = run_object(get_visible(rows, request.user, pk=found.measured_run_id))
    return render(request, "trust/trust.html", {**project_context(request, found.project, run=assessed), "run": shown})
