"""What every page hands to its template and its island."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.middleware.csrf import get_token

from traceviewer.accounts.models import Project


def project_context(request: HttpRequest, project: Project, **page: Any) -> dict[str, Any]:
    """Template context: `project`, `can_edit`, and `page`, the object for the island (see docs/protocol.md)."""
    can_edit = project.can_edit(request.user)
    shared = {
        "csrf": get_token(request),
        "user": request.user.get_username(),
        "project": {"slug": project.slug, "name": project.name},
        "can_edit": can_edit,
    }
    return {"project": project, "can_edit": can_edit, "page": shared | page}
