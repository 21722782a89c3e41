"""REST: predictions of a run."""

from __future__ import annotations

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from traceviewer.accounts.visibility import get_editable
from traceviewer.engine.asking import NotReady
from traceviewer.experiments import replaying
from traceviewer.runs.api import listed
from traceviewer.runs.models import Run
from traceviewer.runs.serializers import RunSerializer


class Replay(APIView):
    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, run: UUID) -> Response:
        """The replay of a measured run: the one there is for this engine version, or a new one, `reading`."""
        measured = get_editable(listed(Run.objects.all()), request.user, pk=run)
        if measured.kind != Run.Kind.MEASURED or measured.state != Run.State.READY:
            raise NotReady(f"The run is {measured.kind} and {measured.state}; only a measured, ready run is replayed.")
        return Response(RunSerializer(replaying.begin(measured, request.user)).data, status=202)
