"""What one user may have on the server: bytes kept, bytes on their way, uploads begun."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Sum
from rest_framework import status
from rest_framework.exceptions import APIException

from traceviewer.uploads.limits import TooManyFiles, size
from traceviewer.uploads.models import Upload

Count = Callable[[Any], int]
_kept: list[Count] = []


class QuotaUsed(APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_code = "quota_used"


def counts(count: Count) -> Count:
    """Decorate a function that says how many bytes of what a user brought in are kept."""
    _kept.append(count)
    return count


def check_user(user: Any, more_bytes: int, *, uploads: bool = False) -> None:
    """Raise QuotaUsed if the user may not bring in so much more, TooManyFiles if not one more upload.

    Call it in the transaction that writes the rows: two requests of one user then come one after the other.
    """
    get_user_model().objects.select_for_update().filter(pk=user.pk).first()
    pending = Upload.objects.filter(owner=user.pk).pending()
    if uploads and pending.count() >= settings.UPLOAD_MAX_PENDING:
        raise TooManyFiles(f"{settings.UPLOAD_MAX_PENDING} uploads have been begun and not used, the limit.")
    limit = settings.UPLOAD_MAX_USER_BYTES
    used = sum(count(user) for count in _kept) + (pending.aggregate(sum=Sum("size_bytes"))["sum"] or 0)
    if used + more_bytes > limit:
        raise QuotaUsed(f"{size(used)} of your {size(limit)} are in use; {size(more_bytes)} do not fit.")
