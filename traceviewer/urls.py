"""Every address. Each app has a `urls` module with its `pages` and its `api` (below /api/v1/)."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.conf import settings
from django.urls import URLPattern, include, path
from drf_spectacular.views import SpectacularAPIView

handler404 = "traceviewer.accounts.errors.page_not_found"


def routes(kind: str) -> list[URLPattern]:
    """What the apps list under this name, in the order of INSTALLED_APPS."""
    apps = [app for app in settings.INSTALLED_APPS if app.startswith("traceviewer.") and find_spec(f"{app}.urls")]
    return [route for app in apps for route in getattr(import_module(f"{app}.urls"), kind, [])]


api = [path("schema/", SpectacularAPIView.as_view(), name="schema"), *routes("api")]
urlpatterns = [path("api/v1/", include(api)), *routes("pages")]
