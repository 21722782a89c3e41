"""REST: the runs of a project, and one run."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import django_filters
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from traceviewer.accounts.models import Project
from traceviewer.accounts.visibility import get_editable, get_visible
from traceviewer.runs import arriving, changing
from traceviewer.runs.models import Run
from traceviewer.runs.serializers import (
    AddedSerializer,
    ChangeSerializer,
    RunSerializer,
    StagedSerializer,
    UploadSerializer,
)
from traceviewer.uploads.handler import HashingUploadHandler


class RunFilter(django_filters.FilterSet):
    search = django_filters.CharFilter("name", "icontains", label="part of the name")
    tag = django_filters.CharFilter("tags__name", label="a tag it has")

    class Meta:
        model = Run
        fields = ["search", "tag", "state", "kind"]


def listed(rows: QuerySet[Run]) -> QuerySet[Run]:
    """With all that a run object shows, in three queries."""
    return rows.select_related("project", "created_by", "job").prefetch_related("tags", "traces")


class Runs(generics.ListCreateAPIView[Run]):
    """The runs of a project, newest first."""

    queryset = Run.objects.none()  # says the model to the schema
    serializer_class = RunSerializer
    parser_classes = [MultiPartParser, JSONParser]
    filterset_class = RunFilter

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        # Before authentication, because the CSRF check reads the body; anonymous users are not that far by then.
        request.upload_handlers = [HashingUploadHandler(request)]
        return super().initialize_request(request, *args, **kwargs)

    def get_queryset(self) -> QuerySet[Run]:
        project = get_visible(Project.objects, self.request.user, slug=self.kwargs["slug"])
        return listed(Run.objects.filter(project=project))

    @extend_schema(
        request={"multipart/form-data": UploadSerializer, "application/json": StagedSerializer},
        responses={201: RunSerializer, 200: RunSerializer},
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Make a run of its traces, sent along or uploaded before. It is `reading` until its job has ended.

        Asked again for the same uploads, it answers 200 and the run that was made of them.
        """
        project = get_editable(Project.objects, request.user, slug=kwargs["slug"])
        if request.content_type.startswith("application/json"):
            given = valid(StagedSerializer, request)
            run, is_new = arriving.from_uploads(project, request.user, given["uploads"], given["name"])
        else:
            given = valid(UploadSerializer, request)
            run, is_new = arriving.from_files(project, request.user, given["files"], given["name"]), True
        return Response(RunSerializer(run).data, status=201 if is_new else 200)


class OneRun(generics.RetrieveUpdateDestroyAPIView[Run]):
    """One run; PATCH changes its name, tags or project, DELETE removes it with all its files and predictions."""

    queryset = Run.objects.none()
    serializer_class = RunSerializer
    http_method_names = ["get", "patch", "delete", "head", "options"]

    def get_object(self) -> Run:
        rows = listed(Run.objects.all())
        find = get_visible if self.request.method in ("GET", "HEAD", "OPTIONS") else get_editable
        return find(rows, self.request.user, pk=self.kwargs["run"])

    @extend_schema(request=ChangeSerializer, responses=RunSerializer)
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Rename it, give it other tags, or move it, with its predictions, to another project."""
        run = self.get_object()
        given = valid(ChangeSerializer, request)
        with transaction.atomic():
            if "project" in given:
                changing.move(run, get_editable(Project.objects, request.user, slug=given["project"]))
            changing.change(run, given)
        return Response(RunSerializer(listed(Run.objects.all()).get(pk=run.pk)).data)

    def perform_destroy(self, run: Run) -> None:
        with transaction.atomic():
            run.delete()


class Reread(APIView):
    @extend_schema(request=None, responses={202: RunSerializer})
    def post(self, request: Request, run: UUID) -> Response:
        """Read the run again from the files as they were uploaded. Until then, and if it fails, it stays as it is.

        A failed run can be tried again, too.
        """
        found = get_editable(Run.objects, request.user, pk=run)
        changing.read_again(found, request.user)
        return Response(RunSerializer(listed(Run.objects.all()).get(pk=run)).data, status=202)


class Traces(APIView):
    @extend_schema(request=AddedSerializer, responses={202: RunSerializer})
    def post(self, request: Request, run: UUID) -> Response:
        """Add the file of a late rank, or replace a broken one, and read the run again."""
        found = get_editable(Run.objects.select_related("project"), request.user, pk=run)
        given = valid(AddedSerializer, request)
        changing.add_files(found, request.user, given["uploads"], given["replace"], given["instead_of"])
        return Response(RunSerializer(listed(Run.objects.all()).get(pk=run)).data, status=202)


def valid(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    """The body. Raises ValidationError."""
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)
