"""REST: the comparison of two runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from traceviewer.accounts.visibility import get_visible
from traceviewer.compare.comparing import comparison
from traceviewer.engine.api import CLOCK, on_aligned_clocks
from traceviewer.engine.asking import require_ready
from traceviewer.engine.opened import Files
from traceviewer.engine.pool import ask
from traceviewer.engine.schema import interval
from traceviewer.runs.api import listed
from traceviewer.runs.models import Run
from traceviewer.runs.serializers import RunSerializer


class PairingSerializer(serializers.Serializer[Any]):
    by = serializers.CharField(help_text="origin: the same (trace, row) in both runs; none: not paired")
    coverage_percent = serializers.FloatField()


class TotalSerializer(serializers.Serializer[Any]):
    a_ns = serializers.IntegerField()
    b_ns = serializers.IntegerField()
    error_percent = serializers.FloatField(allow_null=True, help_text="(b - a) / a")


class StepPairSerializer(serializers.Serializer[Any]):
    trace = serializers.IntegerField()
    rank = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    a = interval()
    b = interval()
    error_percent = serializers.FloatField(allow_null=True)


class ComparisonSerializer(serializers.Serializer[Any]):
    a = RunSerializer()
    b = RunSerializer()
    pairing = PairingSerializer()
    total = TotalSerializer()
    steps = StepPairSerializer(many=True)


class Compare(APIView):
    @extend_schema(parameters=[CLOCK], responses=ComparisonSerializer)
    def get(self, request: Request, a: UUID, b: UUID) -> Response:
        """Two runs: how their events pair, and how far B is from A in each step and on the whole.

        On aligned clocks, each run's own estimates are taken off its times.
        """
        rows = listed(Run.objects.all())
        runs = [require_ready(get_visible(rows, request.user, pk=pk)) for pk in (a, b)]
        is_aligned = on_aligned_clocks(request)
        figures = ask(comparison, *(replace(Files.of(run), is_aligned=is_aligned) for run in runs))
        return Response({"a": RunSerializer(runs[0]).data, "b": RunSerializer(runs[1]).data, **figures})
