"""Upload: a file on its way in, part by part, until something is made of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import timedelta
from functools import partial as bound
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.http import Http404
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import APIException

from traceviewer.accounts.models import Project, ProjectScoped
from traceviewer.accounts.visibility import VisibleQuerySet
from traceviewer.uploads import partial


class BadChecksum(APIException):
    status_code = 460
    """The tus protocol's own."""
    default_code = "bad_checksum"


class Incomplete(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "upload_incomplete"


class UploadQuerySet(VisibleQuerySet["Upload"]):
    def of(self, user: Any) -> UploadQuerySet:
        """The uploads that the user began, in projects where the user still may upload."""
        return self.editable_by(user).filter(owner=user.pk)

    def pending(self) -> UploadQuerySet:
        """Those whose bytes lie, or may come to lie, on the disk."""
        return self.filter(used_for="")

    def whole(self, project: Project, user: Any, ids: Iterable[uuid.UUID]) -> list[Upload]:
        """The user's uploads of these ids, in this order. Raises Http404, or Incomplete."""
        found = {upload.pk: upload for upload in self.of(user).filter(project=project, pk__in=ids)}
        try:
            uploads = [found[pk] for pk in dict.fromkeys(ids)]
        except KeyError as error:
            raise Http404("No such upload.") from error
        for upload in uploads:
            upload.require_whole()
        return uploads


class Upload(ProjectScoped):
    """One file of `size_bytes`; what has arrived lies in `path`.

    `used_for` names what was made of it. The row then stays until it expires, so that a request which is repeated
    because its answer was lost finds what the first one made.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=255)
    size_bytes = models.BigIntegerField()
    promised_sha256 = models.CharField(max_length=64, blank=True, default="", help_text="said by the client")
    sha256 = models.CharField(max_length=64, blank=True, default="", help_text="found when it was whole")
    used_for = models.CharField(max_length=64, blank=True, default="")
    touched_at = models.DateTimeField(default=timezone.now)

    objects = UploadQuerySet.as_manager()

    class Meta:
        ordering = ["touched_at", "id"]
        indexes = [models.Index(fields=["touched_at"])]

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return folder() / str(self.pk)

    @property
    def offset(self) -> int:
        return self.size_bytes if self.used_for else partial.size_bytes(self.path)

    @property
    def expires_at(self) -> Any:
        return self.touched_at + timedelta(seconds=settings.UPLOAD_KEEP_S)

    def append(self, offset: int, chunks: Iterable[bytes]) -> int:
        """Write at the end, which must be at `offset`: the new offset. Raises Busy, WrongOffset, BadChecksum."""
        if self.used_for:
            raise partial.WrongOffset(f"{self.name} has arrived and is in use.")
        with partial.locked(self.path) as file:
            here = partial.append(file, offset, chunks)
            if here == self.size_bytes:
                self._check(file)
        self._note(sha256=self.sha256, touched_at=timezone.now())
        return here

    def require_whole(self) -> None:
        """Raises Incomplete with the figures; sees to the hash, if the process that wrote the end was killed."""
        if self.offset != self.size_bytes:
            raise Incomplete(f"{self.name}: {self.offset} of {self.size_bytes} bytes have arrived.")
        if not self.sha256:
            with partial.locked(self.path) as file:
                self._check(file)
            self._note(sha256=self.sha256)

    def _check(self, file: Any) -> None:
        self.sha256 = partial.sha256(file)
        if self.promised_sha256 not in ("", self.sha256):
            file.truncate(0)
            raise BadChecksum(f"{self.name} arrived with the sha256 {self.sha256}; it has to be sent again.")

    def _note(self, **values: Any) -> None:
        if not Upload.objects.filter(pk=self.pk).update(**values):
            raise Http404("It was deleted meanwhile.")
        for name, value in values.items():
            setattr(self, name, value)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """With its bytes, once this is committed. Raises Busy while somebody writes."""
        with partial.locked(self.path), transaction.atomic():
            transaction.on_commit(bound(self.path.unlink, missing_ok=True))
            return super().delete(*args, **kwargs)

    @staticmethod
    def use(uploads: Iterable[Upload], made: Any) -> None:
        """Note what was made of them; their bytes go once this is committed."""
        for upload in uploads:
            upload.used_for = str(made)
            upload.save(update_fields=["used_for"])
            transaction.on_commit(bound(upload.path.unlink, missing_ok=True))


def folder() -> Path:
    return Path(settings.HOME) / "incoming" / "uploads"
