"""The headers of tus 1.0 (https://tus.io/protocols/resumable-upload), read and refused."""

from __future__ import annotations

import base64
import binascii
import hashlib
import tempfile
from collections.abc import Iterator
from typing import IO, Any

from django.conf import settings
from rest_framework import serializers, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from traceviewer.uploads.limits import FileTooLarge
from traceviewer.uploads.models import BadChecksum

VERSION = "1.0.0"
EXTENSIONS = "creation,expiration,termination,checksum"
ALGORITHMS = ("sha1", "sha256", "md5")
PART = "application/offset+octet-stream"
READ_BYTES = 1 << 20
LARGEST = 2**63 - 1


class WrongVersion(APIException):
    status_code = status.HTTP_412_PRECONDITION_FAILED
    default_code = "wrong_version"
    default_detail = f"Say `Tus-Resumable: {VERSION}`; this server speaks that version only."


class WrongType(APIException):
    status_code = status.HTTP_415_UNSUPPORTED_MEDIA_TYPE
    default_code = "wrong_type"
    default_detail = f"A part is sent as `Content-Type: {PART}`."


def require_version(request: Request) -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise WrongVersion


def number(request: Request, header: str) -> int:
    """A header that is a whole number. Raises ValidationError."""
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and int(text[:20]) <= LARGEST and len(text) < 20):
        raise serializers.ValidationError({header: "A whole number is needed."})
    return int(text)


def metadata(request: Request) -> dict[str, str]:
    """`Upload-Metadata: filename cmFuazAuanNvbg==,other` as texts. Raises ValidationError."""
    found: dict[str, str] = {}
    for pair in filter(None, (pair.strip() for pair in request.headers.get("Upload-Metadata", "").split(","))):
        key, _, value = pair.partition(" ")
        try:
            found[key] = base64.b64decode(value, validate=True).decode().replace("\0", "")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise serializers.ValidationError({"Upload-Metadata": f"{key}: not UTF-8 text in base64."}) from error
    return found


def parts(request: Request, most_bytes: int) -> Iterator[bytes]:
    """The body, in pieces. Raises FileTooLarge beyond `most_bytes`, BadChecksum before anything is handed out."""
    if request.headers.get("Upload-Checksum"):
        with tempfile.SpooledTemporaryFile(READ_BYTES, dir=settings.FILE_UPLOAD_TEMP_DIR) as checked:
            _check(request.headers["Upload-Checksum"], request, checked, most_bytes)
            yield from _pieces(checked, most_bytes)
    else:
        yield from _pieces(request, most_bytes)


def _pieces(source: Any, most_bytes: int) -> Iterator[bytes]:
    while piece := source.read(READ_BYTES):
        most_bytes -= len(piece)
        if most_bytes < 0:
            raise FileTooLarge("This is more than the length that the upload was created with.")
        yield piece


def _check(header: str, source: Any, target: IO[bytes], most_bytes: int) -> None:
    """Copy the body, and compare it with the checksum that the client gives."""
    algorithm, _, value = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise serializers.ValidationError({"Upload-Checksum": f"Known are {', '.join(ALGORITHMS)}."})
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for piece in _pieces(source, most_bytes):
        digest.update(piece)
        target.write(piece)
    if base64.b64encode(digest.digest()).decode() != value:
        raise BadChecksum("The part did not arrive as it was sent; send it again.")
    target.seek(0)
