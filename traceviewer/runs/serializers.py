"""The run object of the API, the pages and the islands: one and the same."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from traceviewer.jobs.models import Job
from traceviewer.runs.models import Run, Trace


class FindingSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    count = serializers.IntegerField()
    message = serializers.CharField()


class RunJobSerializer(serializers.ModelSerializer[Job]):
    class Meta:
        model = Job
        fields = ["id", "state", "stage", "done", "total", "number"]
        read_only_fields = fields


class ArchivedSerializer(serializers.Serializer[Any]):
    rank = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()


class OriginalSerializer(serializers.ModelSerializer[Trace]):
    """A file as it was uploaded; `url` is null where it is not kept. `members`: the traces that an archive holds."""

    url = serializers.SerializerMethodField()
    members = serializers.SerializerMethodField()

    class Meta:
        model = Trace
        fields = ["index", "rank", "file_name", "size_bytes", "url", "members"]
        read_only_fields = fields

    def get_url(self, trace: Trace) -> str | None:
        return f"/api/v1/runs/{trace.run_id}/originals/{trace.index}/" if trace.source else None

    @extend_schema_field(ArchivedSerializer(many=True))
    def get_members(self, trace: Trace) -> Any:
        return [{"rank": rank, "name": name} for rank, name in trace.members]


class RunSerializer(serializers.ModelSerializer[Run]):
    """`quality` counts what was repaired or could not be placed; `error` of a ready run: why a re-read failed."""

    project = serializers.CharField(source="project.slug", read_only=True)
    created_by = serializers.CharField(source="created_by.username", default="", read_only=True)
    quality = FindingSerializer(many=True, read_only=True)
    replay = serializers.JSONField(read_only=True, allow_null=True, help_text="the figures of `replay --json`")
    conditions = serializers.DictField(read_only=True, help_text="under which it was replayed; {}: none")
    job = RunJobSerializer(read_only=True, allow_null=True)
    url = serializers.CharField(source="get_absolute_url", read_only=True)
    layout_version = serializers.CharField(source="version", read_only=True)
    tags = serializers.SerializerMethodField()
    placed = serializers.SerializerMethodField(help_text='"recorded", or "replay" where no times were recorded')
    stale = serializers.SerializerMethodField(help_text="its measured run, or the engine, has changed since")
    stale_reason = serializers.CharField(source="why_stale", read_only=True)
    originals = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields = [
            "id", "project", "name", "kind", "state", "error", "ranks", "steps", "median_step_ns", "span_ns",
            "events", "gpu_events", "quality", "measured_run", "replay", "conditions", "engine_version", "created_at",
            "created_by", "job", "url", "layout_version", "placed", "tags", "stale", "stale_reason", "originals",
        ]  # fmt: skip
        read_only_fields = fields

    def get_tags(self, run: Run) -> list[str]:
        return [tag.name for tag in run.tags.all()]

    def get_placed(self, run: Run) -> str:
        return "replay" if any(found["code"] == "placed_by_replay" for found in run.quality) else "recorded"

    def get_stale(self, run: Run) -> bool:
        return bool(run.why_stale)

    @extend_schema_field(OriginalSerializer(many=True))
    def get_originals(self, run: Run) -> Any:
        return OriginalSerializer([trace for trace in run.traces.all() if not trace.pending], many=True).data


class ChangeSerializer(serializers.Serializer[Any]):
    """What can be changed of a run: any of these."""

    name = serializers.CharField(max_length=4000, required=False)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=60), max_length=50, required=False, help_text="all it shall have"
    )
    project = serializers.SlugField(required=False, help_text="the project to move it to")


class UploadSerializer(serializers.Serializer[Any]):
    """Multipart: the files of one run, one per rank, and how to call it."""

    files = serializers.ListField(child=serializers.FileField(allow_empty_file=True), min_length=1)
    name = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")


class StagedSerializer(serializers.Serializer[Any]):
    """JSON: uploads that have arrived whole, one per rank, and how to call the run."""

    uploads = serializers.ListField(child=serializers.UUIDField(), min_length=1)
    name = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")


class AddedSerializer(serializers.Serializer[Any]):
    """Uploads that have arrived whole, and what they replace, if anything: a rank, or a file of a run."""

    uploads = serializers.ListField(child=serializers.UUIDField(), min_length=1)
    replace = serializers.IntegerField(
        min_value=0, allow_null=True, required=False, default=None, help_text="the rank, also one of an archive"
    )
    instead_of = serializers.IntegerField(
        min_value=0, allow_null=True, required=False, default=None, help_text="`index` of the original that goes"
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if given["replace"] is not None and given["instead_of"] is not None:
            raise serializers.ValidationError({"instead_of": "Either a rank or a file is replaced."})
        return given


def run_object(run: Run) -> dict[str, Any]:
    """As docs/protocol.md, "Run"; plain JSON values."""
    return dict(RunSerializer(run).data)
