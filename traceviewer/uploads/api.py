"""REST: resumable uploads, by tus 1.0 with creation, expiration, termination and checksum."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from traceviewer.accounts.models import Project
from traceviewer.accounts.visibility import get_editable
from traceviewer.uploads import limits, partial, tus
from traceviewer.uploads.models import Upload
from traceviewer.uploads.quota import check_user
from traceviewer.uploads.sweeping import forget_expired

NAME_CHARACTERS = 255


def header(name: str, about: str, *, required: bool = True) -> OpenApiParameter:
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, required=required, description=about)


RESUMABLE = header("Tus-Resumable", tus.VERSION)


class BegunUploadSerializer(serializers.ModelSerializer[Upload]):
    offset = serializers.IntegerField(read_only=True)

    class Meta:
        model = Upload
        fields = ["id", "name", "size_bytes", "offset", "expires_at"]
        read_only_fields = fields

    expires_at = serializers.DateTimeField(read_only=True)


class TusView(APIView):
    """What all answers have in common."""

    serializer_class = BegunUploadSerializer

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        meant = request.headers.get("X-HTTP-Method-Override", "").upper()
        if request.method == "POST" and meant in ("HEAD", "PATCH", "DELETE"):
            request.method = meant  # some proxies let nothing else through
        return super().dispatch(request, *args, **kwargs)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response["Tus-Resumable"] = tus.VERSION
        if response.status_code == 412:
            response["Tus-Version"] = tus.VERSION
        return super().finalize_response(request, response, *args, **kwargs)

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(
            status=204,
            headers={
                "Tus-Version": tus.VERSION,
                "Tus-Extension": tus.EXTENSIONS,
                "Tus-Max-Size": str(settings.UPLOAD_MAX_FILE_BYTES),
                "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
            },
        )


class Uploads(TusView):
    @extend_schema(
        parameters=[
            RESUMABLE,
            header("Upload-Length", "bytes of the file"),
            header("Upload-Metadata", "`filename`, and `sha256` in hex if the client knows it", required=False),
        ],
        request=None,
        responses={201: BegunUploadSerializer},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Begin an upload; its parts go to the address in `Location`."""
        project = get_editable(Project.objects, request.user, slug=slug)
        tus.require_version(request)
        size_bytes, about = tus.number(request, "Upload-Length"), tus.metadata(request)
        name = about.get("filename", "")[-NAME_CHARACTERS:] or "trace"
        limits.check_file_size(name, size_bytes)
        limits.check_free_disk(size_bytes)
        forget_expired()
        upload = Upload(project=project, owner=request.user, name=name, size_bytes=size_bytes)
        upload.promised_sha256 = hex_of(about.get("sha256", ""))
        with transaction.atomic():
            check_user(request.user, size_bytes, uploads=True)
            upload.save()
        partial.create(upload.path)
        return Response(BegunUploadSerializer(upload).data, status=201, headers=_place(upload))


class OneUpload(TusView):
    """Its owner alone, while an editor of the project, gets at an upload."""

    def found(self, request: Request, pk: UUID) -> Upload:
        upload = Upload.objects.of(request.user).filter(pk=pk).first()
        if upload is None:
            raise Http404("No such upload.")
        tus.require_version(request)
        return upload

    @extend_schema(parameters=[RESUMABLE], responses={200: None})
    def head(self, request: Request, upload: UUID) -> Response:
        """How much has arrived: `Upload-Offset` of `Upload-Length`."""
        found = self.found(request, upload)
        length = {"Upload-Length": str(found.size_bytes), "Cache-Control": "no-store"}
        return Response(status=200, headers={**_state(found, found.offset), **length})

    @extend_schema(
        parameters=[
            RESUMABLE,
            header("Upload-Offset", "where the part begins"),
            header("Upload-Checksum", "`sha256 BASE64` of the part", required=False),
        ],
        request={tus.PART: OpenApiTypes.BINARY},
        responses={204: None},
    )
    def patch(self, request: Request, upload: UUID) -> Response:
        """Write a part at the offset, which must be the one that HEAD tells. It is on the disk when this answers."""
        found = self.found(request, upload)
        if request.content_type.partition(";")[0].strip() != tus.PART:
            raise tus.WrongType
        offset = tus.number(request, "Upload-Offset")
        limits.check_free_disk(int(request.META.get("CONTENT_LENGTH") or 0))
        offset = found.append(offset, tus.parts(request, found.size_bytes - offset))
        return Response(status=204, headers=_state(found, offset))

    @extend_schema(parameters=[RESUMABLE], responses={204: None})
    def delete(self, request: Request, upload: UUID) -> Response:
        """Forget it, with all that has arrived."""
        self.found(request, upload).delete()
        return Response(status=204)


def hex_of(sha256: str) -> str:
    """Raises ValidationError unless it is a sha256 in hex, or empty."""
    if sha256 and not re.fullmatch("[0-9a-f]{64}", sha256):
        raise serializers.ValidationError({"Upload-Metadata": "sha256: 64 hex digits."})
    return sha256


def _place(upload: Upload) -> dict[str, str]:
    return {"Location": f"/api/v1/uploads/{upload.pk}/", **_state(upload, upload.offset)}


def _state(upload: Upload, offset: int) -> dict[str, str]:
    return {"Upload-Offset": str(offset), "Upload-Expires": http_date(upload.expires_at.timestamp())}
