"""Projects and members in the API."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from rest_framework import serializers

from traceviewer.accounts.models import Membership, Project


class ProjectSerializer(serializers.ModelSerializer[Project]):
    """`slug` may be left out when a project is made."""

    role = serializers.SerializerMethodField()
    runs = serializers.SerializerMethodField()

    class Meta:
        model = Project
        fields = ["slug", "name", "role", "runs", "keep_originals"]
        read_only_fields = ["keep_originals"]
        extra_kwargs = {"slug": {"required": False}}

    def get_role(self, project: Project) -> str:
        return project.role_of(self.context["request"].user) or ""

    def get_runs(self, project: Project) -> int:
        return project.runs.count()

    def create(self, values: dict[str, Any]) -> Project:
        return Project.objects.make(owner=self.context["request"].user, **values)


class ProjectSettingsSerializer(serializers.ModelSerializer[Project]):
    """What an owner can set. `keep_originals` counts for files that are read from then on."""

    class Meta:
        model = Project
        fields = ["keep_originals"]


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """`user` is the user's name."""

    user = serializers.SlugRelatedField(slug_field="username", queryset=get_user_model().objects.filter(is_active=True))

    class Meta:
        model = Membership
        fields = ["user", "role"]
