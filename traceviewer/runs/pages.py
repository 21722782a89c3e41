"""The pages of a project's runs, and of one run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from traceviewer.accounts.models import Project
from traceviewer.accounts.pages import project_context
from traceviewer.accounts.visibility import get_visible
from traceviewer.runs.api import RunFilter, listed
from traceviewer.runs.models import Run
from traceviewer.runs.serializers import run_object

PAGE_RUNS = 50


@require_GET
def project(request: HttpRequest, slug: str) -> HttpResponse:
    """The project's runs and its drop zone."""
    found = get_visible(Project.objects, request.user, slug=slug)
    rows = RunFilter(request.GET, listed(Run.objects.filter(project=found))).qs
    shown = Paginator(rows, PAGE_RUNS).get_page(request.GET.get("page"))
    runs = [run_object(run) for run in shown]
    search = request.GET.get("search", "")
    page = {"runs": runs, "search": search, "count": shown.paginator.count, **_neighbours(request, shown)}
    return render(request, "runs/project.html", {**project_context(request, found, **page), "runs": runs})


@require_GET
def run(request: HttpRequest, slug: str, run: UUID) -> HttpResponse:
    """The timeline of one run."""
    return _run_page(request, slug, run, "runs/run.html")


@require_GET
def analysis(request: HttpRequest, slug: str, run: UUID) -> HttpResponse:
    """The figures of one run."""
    return _run_page(request, slug, run, "runs/analysis.html")


def _run_page(request: HttpRequest, slug: str, run: UUID, template: str) -> HttpResponse:
    found = get_visible(listed(Run.objects.all()), request.user, pk=run, project__slug=slug)
    shown = run_object(found)
    return render(request, template, {**project_context(request, found.project, run=shown), "run": shown})


def _neighbours(request: HttpRequest, shown: Any) -> dict[str, str | None]:
    """Addresses of the pages before and after, with the search kept."""

    def address(number: int) -> str:
        query = request.GET.copy()
        query["page"] = str(number)
        return f"?{query.urlencode()}"

    return {
        "previous": address(shown.previous_page_number()) if shown.has_previous() else None,
        "next": address(shown.next_page_number()) if shown.has_next() else None,
    }
