"""What goes out: originals as they came, exports of a run or a part of it, and nothing that was masked."""

import gzip
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import AsyncClient, Client

from simulation.formats import read_trace
from simulation.run import Run as EngineRun
from tests.simulation.stored import leaks
from tests.simulation.test_chrome import assert_same
from tests.simulation.test_secrets import planted
from tests.simulation.traces import kernel, launch, write
from tests.traceviewer.reading import as_user, contents, read, stored_files, work_off
from traceviewer.accounts.models import Project
from traceviewer.runs import store
from traceviewer.runs.models import Run, Trace

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(project: Project, bob: User, demo_files: list[Path]) -> Run:
    return read(project, contents(demo_files), bob)


@pytest.fixture
def client(victor: User, run: Run) -> Client:
    return as_user(victor)


def ask(client: Client, run: Run, path: str, **query: Any) -> Any:
    return client.get(f"/api/v1/runs/{run.pk}/{path}", query)


def body(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def table_of(answer: Any) -> pa.Table:
    return pa.ipc.open_file(body(answer)).read_all()


def assert_is_attachment(answer: Any, name: str) -> None:
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == f'attachment; filename="{name}"'
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_it_gives_back_the_file_as_it_came(client: Client, run: Run, demo_files: list[Path]) -> None:
    for trace, path in enumerate(demo_files):
        answer = ask(client, run, f"originals/{trace}/")
        assert_is_attachment(answer, path.name)
        assert int(answer["Content-Length"]) == path.stat().st_size
        assert body(answer) == path.read_bytes()
    assert ask(client, run, "originals/7/").status_code == 404


def test_a_hostile_file_name_stays_a_name(client: Client, run: Run) -> None:
    Trace.objects.filter(run=run, index=0).update(file_name='../..\r\nX-Evil: 1/"a\u202e.json')
    answer = ask(client, run, "originals/0/")
    assert_is_attachment(answer, "X-Evil: 1a.json")
    answer.close()


def test_it_deletes_the_original_where_the_project_wants_that(
    project: Project, bob: User, demo_files: list[Path]
) -> None:
    Project.objects.filter(pk=project.pk).update(keep_originals=False)
    run = read(project, contents(demo_files), bob)
    assert run.state == Run.State.READY
    assert [path for path in stored_files() if "staged" in path] == []
    client = as_user(bob)
    assert ask(client, run, "originals/0/").status_code == 404
    shown = client.get(f"/api/v1/runs/{run.pk}/").json()
    assert [original["url"] for original in shown["originals"]] == [None, None]
    assert ask(client, run, "timeline/").status_code == 200


@pytest.mark.parametrize(("format_", "suffix"), [("arrow", "arrow"), ("parquet", "parquet"), ("csv", "csv")])
def test_it_exports_every_event(client: Client, run: Run, format_: str, suffix: str) -> None:
    Run.objects.filter(pk=run.pk).update(name="my/run")
    answer = ask(client, run, "export/", format=format_)
    assert_is_attachment(answer, f"myrun.{suffix}")
    content = body(answer)
    assert int(answer["Content-Length"]) == len(content)
    if format_ == "arrow":
        engine_run = EngineRun.open(store.local(run.folder, run.files))
        assert pa.ipc.open_file(content).read_all().num_rows == engine_run.row_base[-1]
    assert not list((settings.HOME / "work").iterdir())


def test_a_rank_as_chrome_json_reads_back_as_it_was(client: Client, run: Run, tmp_path: Path) -> None:
    (tmp_path / "out.json.gz").write_bytes(body(ask(client, run, "export/", format="chrome", traces="1")))
    engine_run = EngineRun.open(store.local(run.folder, run.files))
    assert_same(read_trace(tmp_path / "out.json.gz"), engine_run.traces[1])


def test_launch_queues_go_with_chrome_json_where_asked_for(
    client: Client, project: Project, bob: User, tmp_path: Path
) -> None:
    run = read(project, contents([write(tmp_path / "gpu.json", [launch(10, 2, 1), kernel(15, 10, 1)])]), bob)
    plain, counted = (
        gzip.decompress(body(ask(client, run, "export/", format="chrome", **more))).count(b'"name": "Queue Length"')
        for more in ({}, {"counters": "1"})
    )
    assert (plain, counted) == (0, 2)


def test_it_exports_a_part(client: Client, run: Run) -> None:
    layout = ask(client, run, "timeline/").json()
    step = layout["steps"][1]
    number, track = next((number, track) for number, track in enumerate(layout["tracks"]) if track["trace"] == 1)
    part = {"begin_ns": step["begin_ns"], "end_ns": step["end_ns"], "tracks": number}
    lines = table_of(ask(client, run, "export/", format="arrow", **part)).to_pylist()
    assert 0 < len(lines) < track["events"]
    assert {(line["trace"], line["track"]) for line in lines} == {(1, track["name"])}
    assert all(line["start_ns"] < step["end_ns"] for line in lines)
    assert all(line["start_ns"] + line["dur_ns"] >= step["begin_ns"] for line in lines)


def test_it_exports_a_prediction_at_its_own_times(client: Client, run: Run, bob: User) -> None:
    answer = as_user(bob).post(f"/api/v1/runs/{run.pk}/replay/")
    predicted = work_off(Run.objects.get(pk=answer.json()["id"]))
    lines = {
        found.pk: table_of(ask(client, found, "export/", format="arrow")).to_pylist() for found in (run, predicted)
    }
    places = {pk: [(line["trace"], line["row"], line["name"]) for line in found] for pk, found in lines.items()}
    assert places[run.pk] == places[predicted.pk]
    event = ask(client, predicted, "events/0/5/").json()
    mine = next(line for line in lines[predicted.pk] if (line["trace"], line["row"]) == (0, 5))
    assert (mine["start_ns"], mine["dur_ns"]) == (event["start_ns"], event["dur_ns"])


@pytest.mark.parametrize(
    "query",
    [{}, {"format": "exe"}, {"format": "csv", "begin_ns": "x"}, {"format": "csv", "tracks": "1,x"},
     {"format": "csv", "tracks": "999"}, {"format": "csv", "end_ns": 2**80}, {"format": "csv", "counters": "1"}],
)  # fmt: skip
def test_it_refuses_what_it_cannot_export(client: Client, run: Run, query: dict[str, Any]) -> None:
    answer = ask(client, run, "export/", **query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_it_refuses_while_there_is_nothing_to_export(client: Client, run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(state=Run.State.READING)
    answer = ask(client, run, "export/", format="csv")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


async def test_it_sends_a_piece_at_a_time(run: Run, victor: User) -> None:
    client = AsyncClient()
    await client.aforce_login(victor, backend="django.contrib.auth.backends.ModelBackend")
    answer = await client.get(f"/api/v1/runs/{run.pk}/export/", {"format": "arrow"})
    pieces = [len(piece) async for piece in answer]
    await sync_to_async(answer.close)()
    assert len(pieces) > 1
    assert sum(pieces) == int(answer["Content-Length"])


def database_text() -> bytes:
    """Everything the database holds, as text."""
    raw = connection.connection
    assert isinstance(raw, sqlite3.Connection)
    return "\n".join(raw.iterdump()).encode()


def test_no_planted_secret_is_stored_but_in_the_original(project: Project, bob: User, samples: Path) -> None:
    source = samples / "secrets_bert-small.json.gz"
    run = read(project, contents([source]), bob)
    assert run.state == Run.State.READY
    secrets = planted(samples)
    staged = {path for path, _ in leaks(settings.HOME, secrets)}
    assert {Path(path).parts[:2] for path in staged} == {("files", "staged")}
    found = next(line for line in run.quality if line["code"] == "secrets_masked")
    assert found["count"] == 7 and "HF_TOKEN" in found["message"]
    connection.ensure_connection()
    client = as_user(bob)
    text = database_text() + client.get(f"/api/v1/runs/{run.pk}/").content
    for format_ in ("csv", "chrome"):
        exported = body(ask(client, run, "export/", format=format_))
        text += gzip.decompress(exported) if format_ == "chrome" else exported
    assert [secret for secret in secrets if secret.encode() in text] == []
    assert b"HF_TOKEN" in text
