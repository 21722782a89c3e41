"""Projects and who belongs to them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.utils.text import slugify

from traceviewer.accounts.visibility import EDITORS, Role, VisibleQuerySet


class ProjectQuerySet(VisibleQuerySet["Project"]):
    def make(self, name: str, owner: Any, slug: str = "") -> Project:
        """A new project with its first owner, under the slug given or a free one made from the name."""
        with transaction.atomic():
            project = self.create(name=name, slug=slug or self._free_slug(name))
            Membership.objects.create(project=project, user=owner, role=Role.OWNER)
        return project

    def _free_slug(self, name: str) -> str:
        stem = slugify(name)[:40] or "project"
        taken = set(self.filter(slug__startswith=stem).values_list("slug", flat=True))
        return next(slug for n in range(len(taken) + 1) if (slug := f"{stem}-{n + 1}" if n else stem) not in taken)


class Project(models.Model):
    """What a team works on together; everything else belongs to one."""

    project_path = "pk"

    slug = models.SlugField(max_length=50, unique=True)
    name = models.CharField(max_length=200)
    keep_originals = models.BooleanField(
        default=True, help_text="uploaded files are kept; else each is deleted once it has been read"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    members = models.ManyToManyField(settings.AUTH_USER_MODEL, through="Membership", related_name="projects")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name", "slug"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/p/{self.slug}/"

    def role_of(self, user: Any) -> str | None:
        return self.memberships.filter(user=user.pk).values_list("role", flat=True).first()

    def can_edit(self, user: Any) -> bool:
        return self.role_of(user) in EDITORS


class Membership(models.Model):
    """A user's role in a project."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)

    objects = VisibleQuerySet["Membership"].as_manager()

    class Meta:
        ordering = ["project", "user"]
        constraints = [models.UniqueConstraint(fields=["project", "user"], name="one_role_per_member")]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class ProjectScoped(models.Model):
    """A model whose rows belong to a project directly."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="%(class)ss")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        abstract = True
