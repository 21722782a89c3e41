"""REST: the assessment of a run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from traceviewer.accounts.visibility import get_editable, get_visible
from traceviewer.engine.asking import NotReady
from traceviewer.runs.models import Run
from traceviewer.runs.serializers import RunJobSerializer
from traceviewer.trust import assessing
from traceviewer.trust.models import Assessment


class AssessmentSerializer(serializers.ModelSerializer[Assessment]):
    """`state` is "none" where nobody has asked yet; `figures` are those of `validate --json`."""

    state = serializers.CharField()
    figures = serializers.JSONField(allow_null=True)
    job = RunJobSerializer(allow_null=True)
    is_of_now = serializers.BooleanField(help_text="whether the figures are of the run as it is, by this engine")

    class Meta:
        model = Assessment
        fields = ["state", "error", "figures", "engine_version", "job", "is_of_now"]
        read_only_fields = fields


NOTHING = {"state": "none", "error": "", "figures": None, "engine_version": "", "job": None, "is_of_now": False}


class Trust(APIView):
    @extend_schema(responses=AssessmentSerializer)
    def get(self, request: Request, run: UUID) -> Response:
        """How far the replay of a run can be trusted, if it has been assessed."""
        found = get_visible(Run.objects, request.user, pk=run)
        return Response(shown(Assessment.objects.select_related("run", "job").filter(run=found).first()))

    @extend_schema(request=None, responses={202: AssessmentSerializer})
    def post(self, request: Request, run: UUID) -> Response:
        """Assess a measured run: the assessment there is, or a new one, `working`."""
        found = get_editable(Run.objects, request.user, pk=run)
        if found.kind != Run.Kind.MEASURED or found.state != Run.State.READY:
            raise NotReady(f"The run is {found.kind} and {found.state}; only a measured, ready run is assessed.")
        return Response(shown(assessing.begin(found, request.user)), status=202)


def shown(assessment: Assessment | None) -> dict[str, Any]:
    """As the API and the page have it."""
    return dict(AssessmentSerializer(assessment).data) if assessment else dict(NOTHING)
