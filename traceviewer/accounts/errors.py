"""Errors as the user sees them: `{"detail", "code"}` from the API, a page elsewhere."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler

from simulation.errors import TraceError

NOT_FOUND = {"detail": "There is nothing here.", "code": "not_found"}


def answer(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's answer to an exception, in our shape; bad input of any kind is 400, never a traceback."""
    if isinstance(error, TraceError):
        return Response({"detail": str(error), "code": "bad_trace"}, status=400)
    response = exception_handler(error, context)
    if response is None:
        return None
    if response.status_code == 404:
        response.data = NOT_FOUND
    elif isinstance(error, exceptions.ValidationError):
        response.data = {"detail": " ".join(sentences(error.detail)), "code": "invalid", "fields": response.data}
    else:
        codes = getattr(error, "get_codes", lambda: "permission_denied")()
        response.data = {"detail": str(response.data.get("detail", "")), "code": str(codes)}
    return response


def sentences(detail: Any, field: str = "") -> list[str]:
    """A tree of validation errors as sentences, each with the field it is about."""
    if isinstance(detail, dict):
        return [text for key, part in detail.items() for text in sentences(part, str(key))]
    if isinstance(detail, list):
        return [text for part in detail for text in sentences(part, field)]
    return [f"{field}: {detail}" if field and field != "non_field_errors" else str(detail)]


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same answer for what does not exist and for what one may not see."""
    if request.path.startswith("/api/"):
        return JsonResponse(NOT_FOUND, status=404)
    return render(request, "404.html", status=404)
