"""The page of two runs on one axis."""

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
def compare(request: HttpRequest, slug: str, a: UUID, b: UUID) -> HttpResponse:
    """Two runs; the first belongs to the project in the address, the second to any that the user may see."""
    rows = listed(Run.objects.all())
    first = get_visible(rows, request.user, pk=a, project__slug=slug)
    both = {"a": run_object(first), "b": run_object(get_visible(rows, request.user, pk=b))}
    return render(request, "compare/compare.html", {**project_context(request, first.project, **both), **both})
