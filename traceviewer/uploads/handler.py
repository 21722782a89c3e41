"""The upload handler: one pass over the body, in which each file is written, counted, measured and hashed."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile, TemporaryFileUploadHandler
from rest_framework.exceptions import APIException

from traceviewer.uploads import limits

FIELD = "files"


class HashedFile(TemporaryUploadedFile):
    """A temporary file that knows the sha256 of what was fed to it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.digest = hashlib.sha256()

    def feed(self, data: bytes) -> None:
        self.write(data)
        self.digest.update(data)

    @property
    def sha256(self) -> str:
        return self.digest.hexdigest()


class HashingUploadHandler(TemporaryFileUploadHandler):
    """Write every file of the field `files` to the temporary folder; refuse at the first byte over a limit.

    Raises limits.FileTooLarge, RunTooLarge, TooManyFiles or DiskFull out of the parser, which closes, and so
    deletes, the files that had arrived before.
    """

    file: HashedFile

    def __init__(self, request: Any = None) -> None:
        super().__init__(request)
        self.count = 0
        self.total_bytes = 0

    def handle_raw_input(self, input_data: Any, META: Any, content_length: int, *_: Any, **__: Any) -> None:
        limits.check_free_disk(content_length)

    def new_file(self, field_name: str, *args: Any, **kwargs: Any) -> None:
        if field_name != FIELD:
            raise SkipFile
        self.count += 1
        limits.check_file_count(self.count)
        FileUploadHandler.new_file(self, field_name, *args, **kwargs)
        self.file = HashedFile(self.file_name, self.content_type, 0, self.charset, self.content_type_extra)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        try:
            limits.check_file_size(str(self.file_name), start + len(raw_data))
            self.total_bytes += len(raw_data)
            limits.check_run_size(self.total_bytes)
        except APIException:
            self.file.close()  # deletes it
            raise
        self.file.feed(raw_data)
