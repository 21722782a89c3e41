"""Reading: the job that makes a run of its staged files, or makes it anew.

    staged files -> read_run -> a folder on the local disk -> index, layout -> stored under a new key -> the row flips

It may be killed at any moment and is then begun again from the staged files; what an attempt left is removed
by the next. The flip and the job's success are one transaction, so a run becomes ready once. A run that is read
again, with the same files or others, is shown as it was until then, and stays so if that fails.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max

from simulation import ENGINE_VERSION
from simulation.errors import Cancelled, TraceError
from traceviewer import jobs
from traceviewer.accounts.models import Project
from traceviewer.jobs.models import Job, State
from traceviewer.runs import store
from traceviewer.runs.models import Run, Trace
from traceviewer.uploads.staging import Staged

if TYPE_CHECKING:
    from simulation.formats.archive import ArchiveLimits
    from simulation.formats.content import Limits
    from simulation.run import Run as EngineRun
    from traceviewer.jobs.context import JobContext

NAME_BYTES = 200
"""A file's name as the reader sees it, within every file system's limit of 255."""


def begin(project: Project, staged: Sequence[Staged], name: str = "", user: Any = None) -> Run:
    """A new run of these files, and the job that reads them."""
    with transaction.atomic():
        run = Run.objects.create(project=project, name=name or default_name(staged), created_by=user)
        add_traces(run, staged)
        _start(run, user)
    return run


def again(run: Run, user: Any, why: str, staged: Sequence[Staged] = (), **payload: Any) -> None:
    """Start reading the run anew, from its files and those staged; in a transaction that holds its row's lock.

    A run that was never read has nothing to be shown meanwhile: what leaves it goes at once, and what comes is its own
    whether it can be read or not, so that one better file after another makes it whole.
    """
    first = (run.traces.aggregate(last=Max("index"))["last"] or 0) + 1
    add_traces(run, staged, first, pending=bool(run.folder))
    if not run.folder:
        run.traces.filter(pk__in=payload.get("leaving", [])).discard()
        run.state, run.error = Run.State.READING, ""
    _start(run, user, why=why, **payload)


def add_traces(run: Run, staged: Sequence[Staged], first: int = 0, **values: Any) -> None:
    """Rows for staged files; bytes that the project has already are not stored twice."""
    Project.objects.select_for_update().get(pk=run.project_id)
    for index, file in enumerate(staged, first):
        trace = Trace.objects.create(
            run=run, index=index, file_name=file.name,
            source=file.key, size_bytes=file.size_bytes, sha256=file.sha256, **values,
        )  # fmt: skip
        trace.share()


def _start(run: Run, user: Any, **payload: Any) -> None:
    run.job = jobs.start("read", run.project, {"run": str(run.pk), **payload}, created_by=user)
    run.save(update_fields=["state", "error", "job"])


def default_name(staged: Sequence[Staged]) -> str:
    """What the files' names have in common, without their endings."""
    names = [file.name.removesuffix(".gz").removesuffix(".json") for file in staged]
    return os.path.commonprefix(names).rstrip("-_. ") or names[0] or "run"


def job_ended(job: Job) -> None:
    """The job failed or was cancelled: say so on its run, and leave nothing behind."""
    run = Run.objects.filter(pk=job.run).first()
    if run is not None:
        (run.stays_as_it_was if run.folder else run.becomes_failed)(job.error or "Cancelled.")
    if job.state == State.FAILED:  # nobody is at work on it any more
        transaction.on_commit(lambda: store.clear_work(job.run))


@jobs.register("read", ended=job_ended)
def read(context: JobContext) -> None:
    """Read the staged files of the run named in the payload. Raises TraceError where they cannot be read."""
    from simulation.run import Run as EngineRun  # the engine takes a moment to load: only workers read
    from simulation.run import read_run
    from traceviewer.runs.indexing import write_index

    run = run_of(context)
    with store.workspace(run.pk) as work:
        leaving = context.payload.get("leaving", [])
        traces = list(run.traces.exclude(pk__in=leaving))
        left_out = left_out_of(traces, context.payload.get("leaving_members", {}))
        sources = [_source(trace, work) for trace in traces]
        replaced = {name for names in left_out.values() for name in names}
        read_run(sources, context.progress, work, *_limits(), left_out=replaced).save(work / "run")
        engine_run = EngineRun.open(work / "run")  # mapped from here on: the memory of reading is free again
        write_index(engine_run, work / "run", context.progress)
        figures = {"engine_version": ENGINE_VERSION, **summary(engine_run)}
        require_rank(context.payload.get("replace"), engine_run)
        with publishing(context, run, work / "run", why=context.payload.get("why", ""), **figures):
            run.traces.filter(pk__in=leaving).discard()
            _place(traces, engine_run, left_out)
            if not run.project.keep_originals:
                run.traces.release()


def run_of(context: JobContext) -> Run:
    """The run that the job makes, cleared of what dead attempts have left."""
    run = Run.objects.filter(pk=context.payload["run"]).first()
    if run is None:
        raise Cancelled("the run was deleted")
    run.clear_versions()
    return run


def left_out_of(traces: Sequence[Trace], leaving: Mapping[str, list[str]]) -> dict[Any, list[str]]:
    """By trace, the names in its archive that are not read: those replaced before, and those that leave now."""
    return {trace.pk: sorted({*trace.left_out, *leaving.get(str(trace.pk), [])}) for trace in traces}


def require_rank(rank: int | None, run: EngineRun) -> None:
    """Raise TraceError unless the run holds the rank that one of its files was to replace."""
    if rank is None:
        return
    placed = [table.info.rank for number, table in zip(run.ranks, run.traces, strict=True) if number == rank]
    if not placed or placed[0] not in (None, rank):  # a rank that comes twice is shown under a free number
        hint = "Add it without replacing a rank, or give the file of that rank."
        raise TraceError(f"no file says that it is of rank {rank}, which was to be replaced", hint=hint)


@contextmanager
def publishing(context: JobContext, run: Run, folder: Path, **figures: Any) -> Iterator[None]:
    """Store the folder's files; the block, the run's flip to them and the job's success are one transaction."""
    context.progress("saving", 0, 0)
    key, files = store.put(run.pk, folder)
    try:
        with context.finishing():
            yield
            run.becomes_ready(key, files, **figures)
    except BaseException:
        store.remove(key)
        raise


def summary(run: EngineRun) -> dict[str, Any]:
    """The figures of the run that its row holds."""
    from simulation.analysis.inspect import inspect_run
    from simulation.analysis.steps import median_step_ns

    figures = inspect_run(run)
    return {
        "ranks": len(run.traces),
        "steps": max((len(table.sides["steps"]["row"]) for table in run.traces), default=0),
        "median_step_ns": median_step_ns(run),
        "span_ns": figures["span_ns"],
        "events": figures["events"],
        "gpu_events": sum(gpu["events"] for gpu in figures["gpu"]),
        "quality": figures["quality"],
    }


def _source(trace: Trace, work: Path) -> Path:
    """The uploaded file under its own name, which the reader's messages show, on the local disk."""
    name = "".join(c for c in Path(trace.file_name).name if c.isprintable()).encode()[-NAME_BYTES:]
    path = work / "sources" / str(trace.index) / (name.decode(errors="ignore") or "trace")
    path.parent.mkdir(parents=True)
    local = store.local_file(trace.source, into=path)
    if local != path:
        path.symlink_to(local)
    return path


def _limits() -> tuple[ArchiveLimits, Limits]:
    """What the files of a run, and one of them, may unpack to."""
    from simulation.formats.archive import ArchiveLimits
    from simulation.formats.content import Limits

    ratio = settings.UNPACKED_MAX_RATIO
    archives = ArchiveLimits(settings.ARCHIVE_MAX_FILES, settings.UNPACKED_MAX_RUN_BYTES, ratio)
    return archives, Limits(settings.UNPACKED_MAX_FILE_BYTES, ratio)


def _place(traces: Sequence[Trace], run: EngineRun, left_out: Mapping[Any, list[str]]) -> None:
    """Number the files in the order in which they are shown, and note their ranks; an archive of several has none."""
    held = _held(traces, run)
    shown = sorted(traces, key=lambda trace: min(held[trace.pk], default=len(run.traces)))
    for number, trace in enumerate(shown):
        holds = held[trace.pk]
        rank = run.ranks[holds[0]] if len(holds) == 1 else None
        values = {"members": _members(trace, holds, run), "left_out": left_out[trace.pk]}
        Trace.objects.filter(pk=trace.pk).update(index=number, rank=rank, pending=False, **values)


def _members(trace: Trace, holds: Sequence[int], run: EngineRun) -> list[tuple[int | None, str]]:
    """(rank, name) of the traces that an archive holds; nothing for a file that is a trace."""
    parts = [(at, part.info) for at in sorted(set(holds)) for part in (run.traces[at], run.traces[at].paired) if part]
    return [(run.ranks[at], info.file_name) for at, info in parts if info.archive_sha256 == trace.sha256]


def _held(traces: Sequence[Trace], run: EngineRun) -> dict[Any, list[int]]:
    """The traces of the engine's run that each file holds, or is a part of. Files are told apart by content."""
    held: dict[Any, list[int]] = {trace.pk: [] for trace in traces}
    waiting = list(traces)
    for index, table in enumerate(run.traces):
        for info in (part.info for part in (table, table.paired) if part is not None):
            sha256 = info.archive_sha256 or info.source_sha256
            trace = next(trace for trace in waiting if trace.sha256 == sha256)
            held[trace.pk].append(index)
            if not info.archive_sha256:
                waiting.remove(trace)
    return held
