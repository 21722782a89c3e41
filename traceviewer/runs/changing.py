"""Changes to a run that is there: name, tags, project, and reading it again, with the same files or others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Sum
from rest_framework import serializers, status
from rest_framework.exceptions import APIException

from traceviewer.accounts.models import Project
from traceviewer.runs import arriving, reading
from traceviewer.runs.models import Run, Tag
from traceviewer.uploads.models import Upload


class NotNow(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "not_ready"


class NoOriginals(APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "no_originals"
    default_detail = "The files as they were uploaded are not kept, so the run cannot be read again. Upload it anew."


def change(run: Run, values: dict[str, Any]) -> None:
    """Give it another name or other tags, where `values` has them."""
    if "name" in values:
        Run.objects.filter(pk=run.pk).update(name=values["name"])
    if "tags" in values:
        run.tags.exclude(name__in=values["tags"]).delete()
        Tag.objects.bulk_create((Tag(run=run, name=name) for name in set(values["tags"])), ignore_conflicts=True)


def move(run: Run, project: Project) -> None:
    """To another project. Raises ValidationError for a predicted run, which goes with its measured one."""
    if run.kind == Run.Kind.PREDICTED:
        raise serializers.ValidationError({"project": "A prediction moves with its measured run."})
    run.move_to(project)


def read_again(run: Run, user: Any) -> None:
    """Start reading it from its originals. Raises NotNow, NoOriginals."""
    with transaction.atomic():
        run = locked(run)
        require_originals(run.traces.all())
        reading.again(run, user, "The run was read again.")


@dataclass(frozen=True)
class Leaving:
    """What goes when the run has been read with the files that take its place."""

    files: Collection[int] = ()  # keys of traces
    members: Mapping[str, list[str]] = field(default_factory=dict)  # key of an archive's trace -> names in it
    why: str = ""


def add_files(
    run: Run, user: Any, ids: Sequence[UUID], replace: int | None = None, instead_of: int | None = None
) -> None:
    """Start reading it with more files, without the rank to replace or the file to be left out. Again, it does nothing.

    A rank may be one of several in an archive: the others in it stay. Raises NotNow, NoOriginals, ValidationError if
    there is no such rank or file, and what `from_uploads` raises.
    """
    uploads = Upload.objects.whole(run.project, user, ids)
    made = arriving.made_of(uploads)
    if made == str(run.pk):
        return
    if made:
        raise arriving.UploadUsed
    with arriving.taken(uploads) as staged:
        run = locked(run)
        leaving = file_leaving(run, instead_of) if replace is None else rank_leaving(run, replace)
        staying = run.traces.exclude(pk__in=leaving.files)
        require_originals(staying)
        size_bytes = staying.aggregate(sum=Sum("size_bytes"))["sum"] or 0
        arriving.check_run(uploads, staying.count(), size_bytes)
        why = shortened(leaving.why or f"{', '.join(file.name for file in staged)} was added.")
        gone = {"leaving": list(leaving.files), "leaving_members": dict(leaving.members)}
        reading.again(run, user, why, staged, replace=replace, **gone)
        Upload.use(uploads, run.pk)


def locked(run: Run) -> Run:
    """The run, for this transaction alone. Raises NotNow unless it is measured, and nobody reads it at this moment."""
    run = Run.objects.select_for_update().get(pk=run.pk)
    if run.kind != Run.Kind.MEASURED or run.state == Run.State.READING:
        raise NotNow(f"The run is {run.kind} and {run.state}; a measured run that is ready or failed is read again.")
    if run.job and not run.job.ended:
        raise NotNow("The run is being read again at this moment.")
    return run


def rank_leaving(run: Run, rank: int) -> Leaving:
    """The files that hold the rank alone, and the members of archives that hold it. Raises ValidationError."""
    files, members = list[int](), dict[str, list[str]]()
    for trace in run.traces.all():
        names = [name for number, name in trace.members if number == rank]
        if trace.rank == rank or (names and len(names) == len(trace.members)):
            files.append(trace.pk)
        elif names:
            members[str(trace.pk)] = names
    if not files and not members:
        raise serializers.ValidationError({"replace": f"The run has no file of rank {rank}."})
    return Leaving(files, members, f"Rank {rank} was replaced.")


def file_leaving(run: Run, index: int | None) -> Leaving:
    """The file at this place; nothing for None. Raises ValidationError."""
    if index is None:
        return Leaving()
    trace = run.traces.filter(index=index).first()
    if trace is None:
        raise serializers.ValidationError({"instead_of": f"The run has no file {index}."})
    return Leaving([trace.pk], why=f"{trace.file_name} was replaced.")


def require_originals(traces: Any) -> None:
    if any(not trace.source for trace in traces):
        raise NoOriginals


def shortened(text: str) -> str:
    most = Run._meta.get_field("stale_reason").max_length
    return text if len(text) <= most else f"{text[: most - 2]} …"
