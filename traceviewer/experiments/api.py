"""REST: predictions of a run, and what would make it faster."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from simulation.errors import TraceError
from simulation.replay import Conditions
from traceviewer.accounts.visibility import get_editable
from traceviewer.engine.asking import NotReady, files_of
from traceviewer.engine.opened import OPENED, Files
from traceviewer.engine.pool import ask
from traceviewer.engine.schema import PlaceSerializer
from traceviewer.experiments import paths, replaying
from traceviewer.runs.api import listed
from traceviewer.runs.models import Run
from traceviewer.runs.serializers import RunSerializer


class ConditionsSerializer(serializers.Serializer[Any]):
    """What is taken into account besides durations; docs/replay.md, "Conditions"."""

    event_driven = serializers.BooleanField(required=False)
    queue_limit = serializers.IntegerField(required=False)
    slow_down = serializers.DictField(child=serializers.FloatField(), required=False)
    link_gb_per_s = serializers.DictField(child=serializers.FloatField(), required=False)
    ranks_per_link = serializers.DictField(child=serializers.IntegerField(), required=False)
    measured_slow_down = serializers.JSONField(required=False, help_text='as slow_down, or "fitted"')
    measured_link_gb_per_s = serializers.DictField(child=serializers.FloatField(), required=False)


class Replay(APIView):
    @extend_schema(request=ConditionsSerializer, responses={202: RunSerializer})
    def post(self, request: Request, run: UUID) -> Response:
        """The replay of a measured run: the one there is for this engine version and conditions, or a new one."""
        measured = get_editable(listed(Run.objects.all()), request.user, pk=run)
        if measured.kind != Run.Kind.MEASURED or measured.state != Run.State.READY:
            raise NotReady(f"The run is {measured.kind} and {measured.state}; only a measured, ready run is replayed.")
        if not isinstance(request.data, Mapping):
            raise serializers.ValidationError("Conditions are an object.")
        try:
            conditions = Conditions.of(dict(request.data.items())).document()
        except TraceError as error:
            raise serializers.ValidationError(str(error)) from error
        return Response(RunSerializer(replaying.begin(measured, request.user, conditions)).data, status=202)


class GainSerializer(serializers.Serializer[Any]):
    gain_ns_per_percent = serializers.IntegerField(help_text="sooner by, when 1 % of its time is saved")
    gain_percent_per_percent = serializers.FloatField()
    bound_ns = serializers.IntegerField(help_text="sooner by, when it takes no time")
    bound_percent = serializers.FloatField()


class EntrySerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(help_text="kernel, operator, module, collective, host or gap")
    name = serializers.CharField()
    events = serializers.IntegerField()
    longest = PlaceSerializer(allow_null=True)
    total_ns = serializers.IntegerField()
    share_percent = serializers.FloatField(help_text="of the time of all groups of its kind")
    step = GainSerializer(allow_null=True, help_text="the median step; null without steps")
    run = GainSerializer()


class KindSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    groups = serializers.IntegerField()
    left_out = serializers.IntegerField(help_text="groups that take least, not replayed")
    left_out_most_ns = serializers.IntegerField(help_text="the most that one of these takes, and so could gain")


class SensitivitySerializer(serializers.Serializer[Any]):
    steps = serializers.IntegerField()
    step_ns = serializers.IntegerField(allow_null=True)
    run_ns = serializers.IntegerField()
    kinds = KindSerializer(many=True)
    entries = EntrySerializer(many=True, help_text="what gains most per percent saved first")


class Sensitivity(APIView):
    @extend_schema(responses=SensitivitySerializer)
    def get(self, request: Request, run: UUID) -> Response:
        """Of a predicted run: what a step, and the run, would gain from each kernel, operator, module and gap."""
        figures = ask(stored_sensitivity, files_of(request.user, run))
        if figures is None:
            raise NotReady("Only a predicted run has a sensitivity, and this one has none stored; replay it again.")
        return Response(figures)


def stored_sensitivity(files: Files) -> dict[str, Any] | None:
    """As `traceviewer replay --sensitivity --json`; None where the run was stored without."""
    path = OPENED.get(files).folder / replaying.SENSITIVITY
    return json.loads(path.read_text()) if path.exists() else None


class SegmentSerializer(serializers.Serializer[Any]):
    trace = serializers.IntegerField(allow_null=True)
    rank = serializers.IntegerField(allow_null=True)
    row = serializers.IntegerField(allow_null=True, help_text="the event whose time it is; null of gaps")
    name = serializers.CharField(allow_blank=True)
    cause = serializers.CharField()
    begin_ns = serializers.IntegerField()
    end_ns = serializers.IntegerField()


class PathSerializer(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(paths.MODES)
    length_ns = serializers.IntegerField()
    total = serializers.IntegerField(help_text="segments of the whole path")
    next = serializers.IntegerField(allow_null=True, help_text="offset of the next page")
    segments = SegmentSerializer(many=True)


class PathQuery(serializers.Serializer[Any]):
    mode = serializers.ChoiceField(paths.MODES, default=paths.MODES[0])
    order = serializers.ChoiceField(paths.ORDERS, default=paths.ORDERS[0])
    offset = serializers.IntegerField(default=0, min_value=0)


class CriticalPath(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("mode", str, enum=paths.MODES),
            OpenApiParameter("order", str, enum=paths.ORDERS, description="length: the longest segments first"),
            OpenApiParameter("offset", int),
        ],
        responses=PathSerializer,
    )
    def get(self, request: Request, run: UUID) -> Response:
        """Of a predicted run: the critical path in segments that join, first to last; 2,000 at a time."""
        files = files_of(request.user, run)
        query = PathQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        found = ask(paths.page, files, asked["mode"], asked["offset"], asked["order"])
        if found is None:
            raise NotReady("Only a predicted run has a critical path, and this one has none stored; replay it again.")
        return Response(found)
