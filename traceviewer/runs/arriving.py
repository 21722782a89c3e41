"""Files that have arrived, on their way into a run: all of them and the rows, or nothing.

uploads -> staged in the storage -> rows and job in one transaction, the uploads marked as used in the same
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework import status
from rest_framework.exceptions import APIException

from traceviewer.accounts.models import Project
from traceviewer.accounts.visibility import get_visible
from traceviewer.runs import reading
from traceviewer.runs.models import Run
from traceviewer.uploads import limits, staging
from traceviewer.uploads.handler import HashedFile
from traceviewer.uploads.models import Upload
from traceviewer.uploads.quota import check_user
from traceviewer.uploads.staging import Staged


class UploadUsed(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "upload_used"
    default_detail = "Something else was made of these uploads already."


def from_files(project: Project, user: Any, files: Sequence[HashedFile], name: str) -> Run:
    """A run of files that came with the request."""
    with staging.discarded_on_error(staging.stage(files)) as staged, transaction.atomic():
        check_user(user, sum(file.size or 0 for file in files))
        return reading.begin(project, staged, name, user)


def from_uploads(project: Project, user: Any, ids: Sequence[UUID], name: str) -> tuple[Run, bool]:
    """A run of whole uploads and True; or the run that was made of them before and False.

    Raises Http404, Incomplete, UploadUsed, or that the run is too large.
    """
    uploads = Upload.objects.whole(project, user, ids)
    made = made_of(uploads)
    if made:
        return get_visible(Run.objects, user, pk=made), False
    check_run(uploads)
    with taken(uploads) as staged:
        run = reading.begin(project, staged, name, user)
        Upload.use(uploads, run.pk)
    return run, True


def made_of(uploads: Sequence[Upload]) -> str:
    """What was made of all of them, "" if nothing was. Raises UploadUsed where that is not one thing."""
    made = {upload.used_for for upload in uploads}
    if len(made) != 1:
        raise UploadUsed
    return made.pop()


def check_run(uploads: Sequence[Upload], files: int = 0, size_bytes: int = 0) -> None:
    """Raise TooManyFiles or RunTooLarge if a run of so many files and bytes may not get these, too."""
    limits.check_file_count(files + len(uploads))
    limits.check_run_size(size_bytes + sum(upload.size_bytes for upload in uploads))


@contextmanager
def taken(uploads: Sequence[Upload]) -> Iterator[Sequence[Staged]]:
    """The uploads in the storage, and a transaction for what is made of them. May raise UploadUsed."""
    try:
        files = staging.stage_uploads(uploads)
    except FileNotFoundError as error:
        raise UploadUsed from error
    with staging.discarded_on_error(files) as staged, transaction.atomic():
        locked = Upload.objects.select_for_update().filter(pk__in=[upload.pk for upload in uploads]).order_by("pk")
        if any(upload.used_for for upload in locked):
            raise UploadUsed
        yield staged
