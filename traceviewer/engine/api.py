"""REST: what the timeline shows. Tiles never change, so a browser that has one need not ask again."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from traceviewer.engine import details
from traceviewer.engine.alike import alike
from traceviewer.engine.asking import OutOfRange, files_of
from traceviewer.engine.pool import ask
from traceviewer.engine.schema import AlikeSerializer, EventSerializer, NamesSerializer, TimelineSerializer
from traceviewer.engine.tiles import MAX_TRACKS, BadTile, check, tiles

PROTOBUF = "application/x-protobuf"
FOREVER = "private, immutable, max-age=31536000"
MAX_CODES = 2000
CLOCK = OpenApiParameter(
    "clock", str, enum=["recorded", "aligned"], description="aligned: the clocks' estimated offsets taken off all times"
)


class Timeline(APIView):
    @extend_schema(parameters=[CLOCK], responses=TimelineSerializer)
    def get(self, request: Request, run: UUID) -> Response:
        """The layout: tracks, steps, and what to show first."""
        return Response(ask(details.timeline, files_of(request.user, run, on_aligned_clocks(request))))


class Names(APIView):
    @extend_schema(
        parameters=[OpenApiParameter("codes", str, required=True, description=f"1,2,3: at most {MAX_CODES:,}")],
        responses=NamesSerializer,
    )
    def get(self, request: Request, run: UUID) -> Response:
        """Names by the code that tiles carry; unknown codes are left out."""
        files = files_of(request.user, run)
        return Response({"names": ask(details.names, files, numbers(request, "codes", MAX_CODES))})


class Event(APIView):
    @extend_schema(parameters=[CLOCK], responses=EventSerializer)
    def get(self, request: Request, run: UUID, trace: int, row: int) -> Response:
        """One event in full, its args exactly as in the file."""
        files = files_of(request.user, run, on_aligned_clocks(request))
        try:
            return Response(ask(details.event, files, trace, row))
        except details.NoSuchEvent as error:
            raise Http404 from error


class Alike(APIView):
    @extend_schema(parameters=[CLOCK], responses=AlikeSerializer)
    def get(self, request: Request, run: UUID, trace: int, row: int) -> Response:
        """The events of the run with the same name and category: their durations, and which comes before and after."""
        files = files_of(request.user, run, on_aligned_clocks(request))
        try:
            return Response(ask(alike, files, trace, row))
        except details.NoSuchEvent as error:
            raise Http404 from error


class Tiles(APIView):
    @extend_schema(
        parameters=[
            OpenApiParameter("tracks", str, required=True, description=f"0,1,2: at most {MAX_TRACKS}"),
            CLOCK,
            OpenApiParameter("v", str, description="the layout's version; 404 if it is not the one stored"),
        ],
        responses={(200, PROTOBUF): OpenApiTypes.BINARY, 304: None},
    )
    def get(self, request: Request, run: UUID, level: int, index: int) -> HttpResponseBase:
        """A serialized `Tiles` (messages.proto): the HTTP twin of the websocket's answer."""
        files = files_of(request.user, run, on_aligned_clocks(request))
        tracks = numbers(request, "tracks", MAX_TRACKS)
        if request.query_params.get("v", files.version) != files.version:
            raise Http404
        etag = f'"{digest(files.key, level, index, tracks)}"'
        try:
            check(level, index, tracks)
            known = etag in request.headers.get("If-None-Match", "")
            body = b"" if known else ask(tiles, files, level, index, tracks)
        except BadTile as error:
            raise OutOfRange(str(error)) from error
        headers = {"Content-Type": PROTOBUF, "ETag": etag, "Cache-Control": FOREVER}
        return HttpResponse(body, status=304 if known else 200, headers=headers)


def on_aligned_clocks(request: Request) -> bool:
    """Whether the query asks for `clock=aligned`."""
    asked = request.query_params.get("clock", "recorded")
    if asked not in ("recorded", "aligned"):
        raise serializers.ValidationError({"clock": "recorded or aligned."})
    return asked == "aligned"


def numbers(request: Request, name: str, most: int) -> list[int]:
    """The whole numbers of a query parameter such as 0,1,2: each once, in that order."""
    words = [word for word in request.query_params.get(name, "").split(",") if word]
    if not words or not all(word.isascii() and word.isdigit() and len(word) < 11 for word in words):
        raise serializers.ValidationError({name: "Whole numbers, as in 0,1,2."})
    if len(words) > most:
        raise serializers.ValidationError({name: f"{len(words)} numbers; at most {most}."})
    return list(dict.fromkeys(int(word) for word in words))


def digest(*parts: Any) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
