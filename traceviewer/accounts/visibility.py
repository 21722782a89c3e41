"""The one visibility rule: a user sees what belongs to a project of which the user is a member.

Every model that users can reach has a manager with this rule, and says by `project_path` how its rows lead to
their project. Owners and editors may change things, viewers may not. What one may not see does not exist (404).
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.db import models
from django.http import Http404

Row = TypeVar("Row", bound=models.Model)


class Role(models.TextChoices):
    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


EDITORS = (Role.OWNER, Role.EDITOR)


class VisibleQuerySet(models.QuerySet[Row]):
    def visible_to(self, user: Any) -> VisibleQuerySet[Row]:
        """The rows that the user may see. Anonymous and deactivated users see none."""
        return self._where_role(user, tuple(Role))

    def editable_by(self, user: Any) -> VisibleQuerySet[Row]:
        """The rows that the user may change."""
        return self._where_role(user, EDITORS)

    def owned_by(self, user: Any) -> VisibleQuerySet[Row]:
        """The rows of the projects whose members the user may choose."""
        return self._where_role(user, (Role.OWNER,))

    def _where_role(self, user: Any, roles: tuple[Role, ...]) -> VisibleQuerySet[Row]:
        from traceviewer.accounts.models import Membership

        mine = Membership.objects.filter(user=user.pk, user__is_active=True, role__in=roles)
        path = getattr(self.model, "project_path", "project")
        return self.filter(**{f"{path}__in": mine.values("project")})


Rows = models.Manager[Row] | models.QuerySet[Row]
"""A model's `objects`, or a part of it, where they have the rule."""


def get_visible(rows: Rows[Row], user: Any, **lookup: Any) -> Row:
    """The one row that matches; Http404 if there is none, or none that the user may see."""
    try:
        return cast(VisibleQuerySet[Row], rows).visible_to(user).get(**lookup)
    except ObjectDoesNotExist:
        raise Http404(f"No such {rows.model._meta.verbose_name}.") from None


def get_editable(rows: Rows[Row], user: Any, **lookup: Any) -> Row:
    """As `get_visible`; PermissionDenied if the user may see the row and not change it."""
    row = get_visible(rows, user, **lookup)
    if not cast(VisibleQuerySet[Row], rows).editable_by(user).filter(pk=row.pk).exists():
        raise PermissionDenied("You may look at this project, not change it.")
    return row


def get_owned(rows: Rows[Row], user: Any, **lookup: Any) -> Row:
    """As `get_visible`; PermissionDenied if the user is not an owner of the row's project."""
    row = get_visible(rows, user, **lookup)
    if not cast(VisibleQuerySet[Row], rows).owned_by(user).filter(pk=row.pk).exists():
        raise PermissionDenied("Only an owner of the project may do this.")
    return row
