"""The job `read`: staged files become a ready run, or a failed one with a clear message."""

import gzip
import json
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from simulation import ENGINE_VERSION
from simulation.events import EventTable
from tests.traceviewer.reading import as_user, contents, read, stored_files, upload, work_off
from traceviewer.accounts.models import Project
from traceviewer.jobs.models import Job
from traceviewer.runs import store
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_reads_the_demo_files_to_the_nanosecond(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, contents(demo_files), bob)
    found = as_user(bob).get(f"/api/v1/runs/{run.pk}/").json()
    assert (found["state"], found["error"], found["engine_version"]) == ("ready", "", ENGINE_VERSION)
    assert (found["ranks"], found["steps"], found["events"], found["gpu_events"]) == (2, 5, *counted(demo_files))
    assert (found["median_step_ns"], found["span_ns"]) == (31282963, 162154978)
    assert (found["job"]["state"], found["layout_version"]) == ("succeeded", run.folder[-12:])
    assert len(found["layout_version"]) == 12


def counted(paths: list[Path]) -> tuple[int, int]:
    """Entries of traceEvents, and those on a device, by another way."""
    events = [event for path in paths for event in json.loads(gzip.decompress(path.read_bytes()))["traceEvents"]]
    return len(events), sum(event.get("cat") in ("kernel", "gpu_memcpy", "gpu_memset") for event in events)


def test_it_reads_a_gpu_trace(project: Project, bob: User, samples: Path) -> None:
    run = read(project, contents([samples / "hta" / "nccl_data.json.gz"]), bob)
    expected = json.loads((samples / "expected.json").read_text())["hta/nccl_data.json.gz"]
    steps = sorted(expected["steps"].values())
    assert (run.state, run.ranks, run.events) == (Run.State.READY, 1, expected["events"])
    assert (run.gpu_events, run.steps) == (expected["device_events"], len(steps))
    assert run.median_step_ns == steps[len(steps) // 2]


def test_it_orders_the_files_by_rank(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, contents(demo_files[::-1]), bob)
    traces = list(run.traces.all())
    assert [(trace.index, trace.rank, trace.file_name) for trace in traces] == [
        (0, 0, "kineto_rank0.json.gz"),
        (1, 1, "kineto_rank1.json.gz"),
    ]
    table = EventTable.open(store.local(run.folder, run.files) / "trace-1")
    assert (table.info.file_name, table.info.source_sha256) == (traces[1].file_name, traces[1].sha256)


def test_it_keeps_the_uploaded_files_and_one_folder(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, contents(demo_files), bob)
    assert stored_files() == sorted([*sources(run), *(f"files/{run.folder}/{name}" for name in run.files)])
    assert {"run.arrow", "layout.json", "trace-0/events.arrow", "trace-1/lod.arrow"} <= set(run.files)


HEAD = b'{"schemaVersion": 1, "traceEvents": [{"ph": "X", "name": "a", "pid": 1, "tid": 1, "ts": 1'
BROKEN = {
    "not JSON": (b"These are my notes, not a trace.", "rank0.json"),
    "cut off": (HEAD, "rank0.json"),
    "truncated gzip": (gzip.compress(HEAD * 1000)[:-100], "rank0.json.gz"),
    "empty": (b"", "rank0.json"),
    "empty gzip": (gzip.compress(b""), "rank0.json.gz"),
    "JSON of something else": (b'{"name": "left-pad", "version": "1.0.0"}', "package.json"),
    "no events": (b'{"schemaVersion": 1, "traceEvents": []}', "rank0.json"),
    "deep": (b'{"traceEvents": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "deep.json"),
}


@pytest.mark.parametrize("content, name", BROKEN.values(), ids=BROKEN.keys())
def test_it_says_what_is_wrong_and_leaves_nothing_half_made(
    project: Project, bob: User, content: bytes, name: str
) -> None:
    run = read(project, {name: content}, bob)
    job = Job.objects.get(pk=run.job_id)
    assert (run.state, run.folder, job.state) == (Run.State.FAILED, "", "failed")
    assert run.error == job.error
    assert run.error.startswith(name) and len(run.error) < 300
    assert "Traceback" not in run.error and "/" not in run.error
    assert stored_files() == sources(run)


def test_it_names_the_one_file_that_is_broken(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, {**contents(demo_files[:1]), "second.json": b"oops"}, bob)
    assert run.state == Run.State.FAILED
    assert run.error.startswith("second.json")
    assert stored_files() == sources(run)


def test_it_starts_again_after_an_attempt_that_died(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = Run.objects.get(pk=upload(as_user(bob), project, contents(demo_files)).json()["id"])
    leftovers = store.workspace(run.pk)
    (leftovers.__enter__() / "events.arrow").write_bytes(b"half")  # never left: the worker was killed
    stored = Path(store.local(f"runs/{run.pk}/0123456789ab", {}))
    stored.mkdir(parents=True)
    (stored / "events.arrow").write_bytes(b"half")
    run = work_off(run)
    assert run.state == Run.State.READY
    assert len(stored_files()) == len(run.files) + 2
    leftovers.__exit__(None, None, None)


def test_it_does_nothing_a_second_time(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, contents(demo_files), bob)
    before = stored_files()
    folder = run.folder
    assert work_off(run).folder == folder
    assert stored_files() == before


def test_it_stops_when_cancelled_and_leaves_nothing_half_made(
    project: Project, bob: User, demo_files: list[Path]
) -> None:
    run = Run.objects.get(pk=upload(as_user(bob), project, contents(demo_files)).json()["id"])
    assert as_user(bob).post(f"/api/v1/jobs/{run.job_id}/cancel/").json()["state"] == "cancelled"
    run = work_off(run)
    assert (run.state, run.error) == (Run.State.FAILED, "Cancelled.")
    assert stored_files() == sources(run)


def sources(run: Run) -> list[str]:
    """The files as they were uploaded, which stay for another try."""
    return sorted(f"files/{trace.source}" for trace in run.traces.all())
