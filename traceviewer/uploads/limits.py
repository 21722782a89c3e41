"""What an upload may not exceed, and the answer it gets when it does: status, reason, figure."""

from __future__ import annotations

import shutil
from pathlib import Path

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from rest_framework import status
from rest_framework.exceptions import APIException


class FileTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "file_too_large"


class TooManyFiles(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "too_many_files"


class RunTooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "run_too_large"


class DiskFull(APIException):
    status_code = status.HTTP_507_INSUFFICIENT_STORAGE
    default_code = "disk_full"


def check_file_size(name: str, size_bytes: int) -> None:
    """Raise FileTooLarge once a file has passed the limit; `size_bytes` may be what has arrived so far."""
    limit = settings.UPLOAD_MAX_FILE_BYTES
    if size_bytes > limit:
        raise FileTooLarge(f"{name} is larger than {size(limit)}, the limit for one file.")


def check_run_size(size_bytes: int) -> None:
    """Raise RunTooLarge once the files of a run together have passed the limit."""
    limit = settings.UPLOAD_MAX_RUN_BYTES
    if size_bytes > limit:
        raise RunTooLarge(f"The files are together larger than {size(limit)}, the limit for one run.")


def check_file_count(count: int) -> None:
    limit = settings.UPLOAD_MAX_FILES
    if count > limit:
        raise TooManyFiles(f"More than {limit} files; a run may hold at most {limit}.")


def check_free_disk(wanted_bytes: int) -> None:
    """Raise DiskFull if `wanted_bytes` more would leave less than the reserve free."""
    reserve = settings.UPLOAD_MIN_FREE_BYTES
    free = shutil.disk_usage(existing(settings.HOME)).free
    if free - wanted_bytes < reserve:
        raise DiskFull(
            f"The server has {size(free)} of disk left and keeps {size(reserve)} free; {size(wanted_bytes)} do not fit."
        )


def existing(folder: Path) -> Path:
    """The nearest folder upwards that is there already."""
    folder = Path(folder)
    return next(path for path in (folder, *folder.parents) if path.exists())


def size(size_bytes: int) -> str:
    """'4.0 GB', with a plain space, as the text goes into JSON and logs."""
    return filesizeformat(size_bytes).replace("\xa0", " ")
