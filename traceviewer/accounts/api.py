"""REST: projects and their members."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from traceviewer.accounts.models import Membership, Project
from traceviewer.accounts.serializers import MemberSerializer, ProjectSerializer, ProjectSettingsSerializer
from traceviewer.accounts.visibility import Role, get_owned, get_visible


class Projects(generics.ListCreateAPIView[Project]):
    serializer_class = ProjectSerializer
    pagination_class = None

    def get_queryset(self) -> Any:
        return Project.objects.visible_to(self.request.user)


class OneProject(generics.RetrieveAPIView[Project]):
    serializer_class = ProjectSerializer

    def get_object(self) -> Project:
        return get_visible(Project.objects, self.request.user, slug=self.kwargs["slug"])

    @extend_schema(request=ProjectSettingsSerializer, responses=ProjectSerializer)
    def patch(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """An owner changes the project's settings."""
        project = get_owned(Project.objects, request.user, slug=kwargs["slug"])
        changed = ProjectSettingsSerializer(project, data=request.data, partial=True)
        changed.is_valid(raise_exception=True)
        changed.save()
        return Response(self.get_serializer(project).data)


class Members(generics.ListCreateAPIView[Membership]):
    """Members see each other; an owner adds one, or gives a member another role."""

    queryset = Membership.objects.none()  # says the model to the schema
    serializer_class = MemberSerializer
    pagination_class = None

    def get_queryset(self) -> Any:
        project = get_visible(Project.objects, self.request.user, slug=self.kwargs["slug"])
        return project.memberships.select_related("user")

    def perform_create(self, serializer: serializers.BaseSerializer[Membership]) -> None:
        project = get_owned(Project.objects, self.request.user, slug=self.kwargs["slug"])
        user, role = serializer.validated_data["user"], serializer.validated_data["role"]
        with transaction.atomic():
            serializer.instance, _ = project.memberships.update_or_create(user=user, defaults={"role": role})
            keep_an_owner(project)

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        # Before the body is looked at: whether a user name exists is not for outsiders to try.
        get_owned(Project.objects, request.user, slug=kwargs["slug"])
        return super().create(request, *args, **kwargs)


class OneMember(APIView):
    serializer_class = None

    def delete(self, request: Request, slug: str, user: str) -> Response:
        """An owner removes a member; a member may leave."""
        project = get_visible(Project.objects, request.user, slug=slug)
        if user != request.user.get_username():
            project = get_owned(Project.objects, request.user, slug=slug)
        with transaction.atomic():
            gone, _ = project.memberships.filter(user__username=user).delete()
            if not gone:
                raise Http404
            keep_an_owner(project)
        return Response(status=204)


def keep_an_owner(project: Project) -> None:
    if not project.memberships.filter(role=Role.OWNER).exists():
        raise serializers.ValidationError("A project must keep an owner.")
