"""REST: the collectives of a run, and who waited for whom in them. Worked out once per opened run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from simulation.analysis import waiting
from traceviewer.engine.asking import files_of
from traceviewer.engine.opened import OPENED, Files
from traceviewer.engine.pool import ask_long

MOST = 1000


class CollectivesQuery(serializers.Serializer[Any]):
    first = serializers.IntegerField(default=0, min_value=0, max_value=2**40)
    most = serializers.IntegerField(default=100, min_value=0, max_value=MOST)


class OfWhichSerializer(serializers.Serializer[Any]):
    collective = serializers.CharField()
    last_in = serializers.IntegerField()
    waited_ns = serializers.IntegerField()


class WaitingSerializer(serializers.Serializer[Any]):
    rank = serializers.IntegerField(allow_null=True)
    trace = serializers.IntegerField()
    waited_ns = serializers.IntegerField()


class StragglerSerializer(serializers.Serializer[Any]):
    rank = serializers.IntegerField(allow_null=True)
    trace = serializers.IntegerField()
    last_in = serializers.IntegerField(help_text="collectives to which it came last")
    waited_ns = serializers.IntegerField(help_text="what all others waited for it, added up")
    waiting = WaitingSerializer(many=True)
    of_which = OfWhichSerializer(many=True)


class CollectiveMemberSerializer(serializers.Serializer[Any]):
    rank = serializers.IntegerField(allow_null=True)
    trace = serializers.IntegerField()
    row = serializers.IntegerField()
    arrival_ns = serializers.IntegerField()
    wait_ns = serializers.IntegerField()
    transfer_ns = serializers.IntegerField()


class CollectiveSerializer(serializers.Serializer[Any]):
    collective = serializers.CharField()
    kind = serializers.CharField()
    number = serializers.IntegerField()
    size_bytes = serializers.IntegerField(allow_null=True)
    last_rank = serializers.IntegerField(allow_null=True)
    last_trace = serializers.IntegerField()
    last_ns = serializers.IntegerField()
    waited_ns = serializers.IntegerField()
    members = CollectiveMemberSerializer(many=True)


class CollectivesSerializer(serializers.Serializer[Any]):
    run = serializers.UUIDField()
    counts = serializers.DictField(child=serializers.IntegerField())
    waited_ns = serializers.IntegerField()
    stragglers = StragglerSerializer(many=True)
    collectives = CollectiveSerializer(many=True)


class Collectives(APIView):
    @extend_schema(parameters=[CollectivesQuery], responses=CollectivesSerializer)
    def get(self, request: Request, run: UUID) -> Response:
        """Who came last to each collective, how long the others waited for it, and the stragglers."""
        files = files_of(request.user, run)
        asked = CollectivesQuery(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return Response(ask_long(collectives, files, **asked.validated_data))


def collectives(files: Files, first: int, most: int) -> dict[str, Any]:
    """As docs/protocol.md, "Collectives", says."""
    opened = OPENED.get(files)
    run, waits = opened.run, opened.waits
    return {
        "run": files.id,
        "counts": waiting.counts(opened.met),
        "waited_ns": int(waits.wait_ns.sum()),
        "stragglers": waiting.stragglers(run, waits),
        "collectives": waiting.listed(run, waits, range(min(first, len(waits)), min(first + most, len(waits)))),
    }
