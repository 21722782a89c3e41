"""Exports: a run, or a part of it, written to a file that is gone from its folder before it is sent."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from django.conf import settings
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from simulation.analysis.counters import counters_of
from simulation.formats.counters import Counters, no_counters
from simulation.formats.export import SUFFIXES, export_run
from simulation.formats.selection import Selection
from traceviewer.engine.api import CLOCK, numbers, on_aligned_clocks
from traceviewer.engine.asking import files_of
from traceviewer.engine.opened import OPENED, Files
from traceviewer.runs.downloads import ANY_BYTES, Download
from traceviewer.runs.models import Run
from traceviewer.uploads import limits

MOST_TRACKS = 65_535
AT_ONCE = threading.BoundedSemaphore(2)
"""Exports of one process; others wait. Each takes a core and, for a while, disk."""


class OneRenderer(BaseContentNegotiation):
    """`?format=` names the format of the export; errors are JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class ExportQuery(serializers.Serializer[Any]):
    format = serializers.ChoiceField(list(SUFFIXES))
    begin_ns = serializers.IntegerField(required=False, min_value=-(2**62), max_value=2**62)
    end_ns = serializers.IntegerField(required=False, min_value=-(2**62), max_value=2**62)
    counters = serializers.BooleanField(default=False, help_text="launch queues and bandwidths over time, in `chrome`")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["counters"] and attrs["format"] != "chrome":
            raise serializers.ValidationError({"counters": "Only the format chrome has counters."})
        return attrs


class Export(APIView):
    content_negotiation_class = OneRenderer

    @extend_schema(
        parameters=[
            ExportQuery,
            CLOCK,
            OpenApiParameter("tracks", str, description="0,1,2: places in the layout; all without"),
            OpenApiParameter("traces", str, description="0,1: whole traces, with what has no place; all without"),
        ],
        responses={(200, ANY_BYTES): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, run: UUID) -> Download:
        """The run, or what touches a range of time (ns since its first event) on some tracks, as one file."""
        files = files_of(request.user, run, on_aligned_clocks(request))
        query = ExportQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        format_ = query.validated_data["format"]
        limits.check_free_disk(0)
        name = Run.objects.values_list("name", flat=True).get(pk=run)
        selection = selected(request, files, query.validated_data)
        made = counters_of if query.validated_data["counters"] else no_counters
        return Download(written(files, format_, selection, made), name + SUFFIXES[format_])


def selected(request: Request, files: Files, bounds: dict[str, Any]) -> Selection:
    """What the query asks for. Raises ValidationError."""
    tracks = traces = None
    if "tracks" in request.query_params:
        places = OPENED.get(files).tracks
        chosen = numbers(request, "tracks", MOST_TRACKS)
        if max(chosen) >= len(places):
            raise serializers.ValidationError({"tracks": f"The run has {len(places)} tracks."})
        tracks = frozenset(places[number] for number in chosen)
    if "traces" in request.query_params:
        traces = frozenset(numbers(request, "traces", MOST_TRACKS))
    return Selection(bounds.get("begin_ns"), bounds.get("end_ns"), tracks, traces)


def written(files: Files, format_: str, selection: Selection, counters: Counters) -> IO[bytes]:
    """The export, open; its file has no name any more, so that nothing is left behind whatever happens."""
    home = Path(settings.HOME) / "work"
    home.mkdir(exist_ok=True)
    with AT_ONCE, tempfile.TemporaryDirectory(prefix="export-", dir=home) as folder:
        path = Path(folder) / f"run{SUFFIXES[format_]}"
        export_run(OPENED.get(files).run, path, format_, selection, counters=counters)
        return path.open("rb")
