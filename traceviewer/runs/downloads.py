"""Files that go out: always as an attachment of no particular type, a piece at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import IO, Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from traceviewer.accounts.visibility import get_visible
from traceviewer.runs.models import Trace

ANY_BYTES = "application/octet-stream"
PIECE_BYTES = 1 << 18
NAME_CHARS = 150


class Download(FileResponse):
    """An open file as an attachment. Both kinds of server read it a piece at a time, and neither holds it whole."""

    block_size = PIECE_BYTES

    def __init__(self, file: IO[bytes], name: str) -> None:
        self.file = file
        super().__init__(file, as_attachment=True, filename=harmless(name), content_type=ANY_BYTES)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = sync_to_async(self.file.read, thread_sensitive=False)
        while piece := await read(PIECE_BYTES):
            yield piece


def harmless(name: str) -> str:
    """A file's name without folders and characters that cannot be seen; the end of a long one."""
    shown = "".join(letter for letter in name if letter.isprintable() and letter not in '/\\"')
    return shown[-NAME_CHARS:].lstrip(".") or "trace"


class Original(APIView):
    @extend_schema(responses={(200, ANY_BYTES): OpenApiTypes.BINARY})
    def get(self, request: Request, run: UUID, trace: int, **_: Any) -> Download:
        """A file as it was uploaded, byte for byte; 404 where the project does not keep originals."""
        found = get_visible(Trace.objects, request.user, run=run, index=trace)
        if not found.source:
            raise Http404
        try:
            return Download(default_storage.open(found.source, "rb"), found.file_name)
        except FileNotFoundError as error:
            raise Http404 from error
