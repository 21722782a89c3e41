"""The pages of a predicted run beside its timeline."""

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
def sensitivity(request: HttpRequest, slug: str, run: UUID) -> HttpResponse:
    """What a predicted run would gain from each kernel, operator, module and gap."""
    return _of_prediction(request, slug, run, "experiments/sensitivity.html")


@require_GET
def critical_path(request: HttpRequest, slug: str, run: UUID) -> HttpResponse:
    """What decides how long a run takes, event by event."""
    return _of_prediction(request, slug, run, "experiments/path.html")


def _of_prediction(request: HttpRequest, slug: str, run: UUID, template: str) -> HttpResponse:
    found = get_visible(listed(Run.objects.all()), request.user, pk=run, project__slug=slug)
    shown = run_object(found)
    return render(request, template, {**project_context(request, found.project, run=shown), "run": shown})
