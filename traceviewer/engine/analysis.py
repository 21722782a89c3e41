"""REST: the figures of a run, section by section, of chosen ranks and steps."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from simulation.analysis.report import SECTIONS, UnknownSection, analyze
from simulation.analysis.selection import Selection
from traceviewer.engine.api import CLOCK, numbers, on_aligned_clocks
from traceviewer.engine.asking import files_of
from traceviewer.engine.opened import OPENED, Files
from traceviewer.engine.pool import ask_long

MAX_CHOSEN = 1000
KEPT = 32
"""Answers held in memory; a page asks for a section at a time."""

AnalysisSerializer = inline_serializer(
    "Analysis",
    {
        "ranks": serializers.ListField(child=serializers.IntegerField(allow_null=True)),
        "steps": serializers.ListField(child=serializers.IntegerField()),
        "linked_only": serializers.BooleanField(),
        "placed": serializers.CharField(),
        **{name: serializers.DictField(required=False, help_text="docs/analysis.md") for name in SECTIONS},
    },
)

PARAMETERS = [
    OpenApiParameter("sections", str, description=f"of {', '.join(SECTIONS)}; all if not given"),
    OpenApiParameter("ranks", str, description="0,1: only these"),
    OpenApiParameter("steps", str, description="4,5: only these, by number"),
    OpenApiParameter("linked_only", bool, description="without device work whose launch is not in the trace"),
    CLOCK,
]


class Analysis(APIView):
    @extend_schema(parameters=PARAMETERS, responses=AnalysisSerializer)
    def get(self, request: Request, run: UUID) -> Response:
        """Where the time went. Every figure is defined in docs/analysis.md."""
        files = files_of(request.user, run, on_aligned_clocks(request))
        selection = Selection(_chosen(request, "ranks"), _chosen(request, "steps"), _flag(request, "linked_only"))
        sections = tuple(word for word in request.query_params.get("sections", "").split(",") if word)
        try:
            return Response(ask_long(analysis, files, selection, sections))
        except UnknownSection as error:
            raise serializers.ValidationError({"sections": str(error)}) from error


@lru_cache(maxsize=KEPT)
def analysis(files: Files, selection: Selection, sections: tuple[str, ...]) -> dict[str, Any]:
    """The figures; runs never change, so that an answer stays right. Raises UnknownSection."""
    opened = OPENED.get(files)
    return analyze(opened.run, selection, sections, opened.measured)


def _chosen(request: Request, name: str) -> frozenset[int] | None:
    """Numbers of the query; None where it has none."""
    return frozenset(numbers(request, name, MAX_CHOSEN)) if name in request.query_params else None


def _flag(request: Request, name: str) -> bool:
    return request.query_params.get(name, "").lower() in ("1", "true")
