"""The page *How far can I trust this* of a run."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from traceviewer.accounts.pages import project_context
from traceviewer.accounts.visibility import get_visible
from traceviewer.runs.api import listed
from traceviewer.runs.models import Run
from traceviewer.runs.serializers import run_object


@require_GET
def trust(request: HttpRequest, slug: str, run: UUID) -> HttpResponse:
    """The page of a measured run; that of a predicted one is its measured run's."""
    found = get_visible(listed(Run.objects.all()), request.user, pk=run, project__slug=slug)
    if found.measured_run_id:
        return redirect("trust", slug=slug, run=found.measured_run_id)
    shown = run_object(found)
    return render(request, "trust/trust.html", {**project_context(request, found.project, run=shown), "run": shown})
