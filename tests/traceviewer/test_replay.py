"""POST runs/{run}/replay/: a measured run gets its predicted one."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.storage import default_storage

from simulation import ENGINE_VERSION
from simulation.graph import build_graph
from simulation.replay import replay_run
from simulation.replay.sensitivity import sensitivity
from simulation.run import Run as EngineRun
from tests.simulation.test_replay_sharing import beside_each_other
from tests.traceviewer.reading import as_user, contents, read, stored_files, upload, work_off
from traceviewer.accounts.models import Project
from traceviewer.experiments import paths
from traceviewer.protocol.messages_pb2 import Tiles
from traceviewer.runs import store
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def measured(project: Project, bob: User, demo_files: list[Path]) -> Run:
    return read(project, contents(demo_files), bob)


@pytest.fixture
def predicted(measured: Run, bob: User) -> Run:
    answer = ask_for_replay(bob, measured)
    assert (answer.status_code, answer.json()["state"]) == (202, "reading")
    return work_off(Run.objects.get(pk=answer.json()["id"]))


def ask_for_replay(user: User, run: Run) -> Any:
    return as_user(user).post(f"/api/v1/runs/{run.pk}/replay/")


def get(user: User, path: str, **query: Any) -> Any:
    return as_user(user).get(f"/api/v1/{path}", query)


def test_it_ends_in_a_predicted_run(measured: Run, predicted: Run, bob: User) -> None:
    found = get(bob, f"runs/{predicted.pk}/").json()
    assert (found["kind"], found["state"], found["error"]) == ("predicted", "ready", "")
    assert (found["measured_run"], found["engine_version"]) == (str(measured.pk), ENGINE_VERSION)
    assert (found["ranks"], found["steps"], found["events"]) == (2, 5, measured.events)
    assert found["name"] == measured.name


def test_its_report_is_that_of_the_engine(measured: Run, predicted: Run) -> None:
    engine_run = EngineRun.open(store.local(measured.folder, measured.files))
    report = replay_run(engine_run).report
    assert predicted.replay == report
    assert report["measured_ns"] == measured.span_ns
    assert report["predicted_ns"] == predicted.span_ns


def test_it_stores_what_would_make_the_run_faster(measured: Run, predicted: Run, victor: User) -> None:
    engine_run = EngineRun.open(store.local(measured.folder, measured.files))
    found = get(victor, f"runs/{predicted.pk}/sensitivity/")
    assert found.status_code == 200
    assert found.json() == sensitivity(engine_run, build_graph(engine_run))
    assert found.json()["steps"] == 10 and found.json()["entries"][0]["step"]["gain_ns_per_percent"] > 0
    page = as_user(victor).get(f"/p/{measured.project.slug}/runs/{predicted.pk}/sensitivity/")
    assert page.status_code == 200 and page.context["page"]["run"]["id"] == str(predicted.pk)


def test_a_measured_run_has_no_sensitivity_of_its_own(measured: Run, bob: User) -> None:
    answer = get(bob, f"runs/{measured.pk}/sensitivity/")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


@pytest.mark.parametrize("mode", ["measured", "replayed"])
def test_it_stores_the_critical_path(
    mode: str, measured: Run, predicted: Run, victor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "PAGE_SEGMENTS", 700)
    path = f"runs/{predicted.pk}/critical-path/"
    found, offset = [], 0
    while offset is not None:
        page = get(victor, path, mode=mode, offset=offset).json()
        found += page["segments"]
        offset = page["next"]
    assert len(found) == page["total"] > 700
    assert page["length_ns"] == predicted.replay["critical_path"][mode]["length_ns"]
    assert sum(part["end_ns"] - part["begin_ns"] for part in found) == page["length_ns"]
    assert all(one["end_ns"] == then["begin_ns"] for one, then in zip(found, found[1:], strict=False))
    event = next(part for part in found if part["cause"] == "host_op")
    shown = get(victor, f"runs/{predicted.pk}/events/{event['trace']}/{event['row']}/", clock="aligned").json()
    assert shown["name"] == event["name"]
    if mode == "measured":
        assert shown["start_ns"] <= event["begin_ns"] and event["end_ns"] <= shown["start_ns"] + shown["dur_ns"]


def test_it_gives_the_longest_segments_first(predicted: Run, victor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"runs/{predicted.pk}/critical-path/"
    monkeypatch.setattr(paths, "PAGE_SEGMENTS", 1_000_000)
    whole = get(victor, path).json()["segments"]
    monkeypatch.setattr(paths, "PAGE_SEGMENTS", 50)
    first, second = (get(victor, path, order="length", offset=offset).json() for offset in (0, 50))
    found = first["segments"] + second["segments"]
    assert found == sorted(whole, key=lambda part: part["begin_ns"] - part["end_ns"])[:100]
    assert {part["rank"] for part in found} <= {0, 1, None}


def test_it_shows_the_critical_path(predicted: Run, victor: User) -> None:
    page = as_user(victor).get(f"/p/{predicted.project.slug}/runs/{predicted.pk}/path/")
    assert page.status_code == 200 and page.context["page"]["run"]["id"] == str(predicted.pk)
    assert '<a href="' + page.context["run"]["url"] + 'path/" aria-current="page">Critical path</a>' in page.text


@pytest.mark.parametrize("query", [{"mode": "guessed"}, {"order": "name"}, {"offset": -1}, {"offset": "x"}])
def test_it_refuses_a_path_that_there_is_not(query: dict[str, Any], predicted: Run, bob: User) -> None:
    assert get(bob, f"runs/{predicted.pk}/critical-path/", **query).status_code == 400


def test_a_measured_run_has_no_path_of_its_own(measured: Run, bob: User) -> None:
    assert get(bob, f"runs/{measured.pk}/critical-path/").json()["code"] == "not_ready"


def test_asking_twice_gives_the_same_run(measured: Run, bob: User) -> None:
    first, second = (ask_for_replay(bob, measured).json() for _ in range(2))
    assert first["id"] == second["id"] and first["job"] == second["job"]
    run = work_off(Run.objects.get(pk=first["id"]))
    third = ask_for_replay(bob, measured)
    assert (third.status_code, third.json()["id"], third.json()["state"]) == (202, str(run.pk), "ready")
    assert Run.objects.filter(measured_run=measured).count() == 1


def test_a_replay_that_failed_is_tried_again(measured: Run, bob: User) -> None:
    run = Run.objects.get(pk=ask_for_replay(bob, measured).json()["id"])
    as_user(bob).post(f"/api/v1/jobs/{run.job_id}/cancel/")
    again = ask_for_replay(bob, measured).json()
    assert (again["id"], again["state"], again["error"]) == (str(run.pk), "reading", "")
    assert again["job"]["id"] != str(run.job_id)
    assert work_off(Run.objects.get(pk=run.pk)).state == Run.State.READY


def test_only_a_measured_and_ready_run_is_replayed(predicted: Run, project: Project, bob: User) -> None:
    reading = Run.objects.get(pk=upload(as_user(bob), project, {"a.json": b"{}"}).json()["id"])
    for run in (predicted, reading):
        answer = ask_for_replay(bob, run)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")


def test_a_prediction_of_an_older_engine_is_stale_and_made_anew(measured: Run, predicted: Run, bob: User) -> None:
    """As the version before stored it: neither sensitivity nor paths."""
    assert get(bob, f"runs/{predicted.pk}/").json()["stale"] is False
    later = {"sensitivity.json", *map(paths.file_name, paths.MODES)}
    kept = {name: size for name, size in predicted.files.items() if name not in later}
    for name in later:
        default_storage.delete(f"{predicted.folder}/{name}")
    Run.objects.filter(pk=predicted.pk).update(engine_version="0.1.0", files=kept)
    found = get(bob, f"runs/{predicted.pk}/").json()
    assert (found["stale"], found["engine_version"]) == (True, "0.1.0")
    assert found["stale_reason"] == f"It was made by engine 0.1.0, the engine is {ENGINE_VERSION} now."
    for path in ("sensitivity", "critical-path"):
        assert get(bob, f"runs/{predicted.pk}/{path}/").status_code == 409
    assert get(bob, f"runs/{predicted.pk}/timeline/").status_code == 200
    fresh = work_off(Run.objects.get(pk=ask_for_replay(bob, measured).json()["id"]))
    assert fresh.pk != predicted.pk and get(bob, f"runs/{fresh.pk}/").json()["stale"] is False
    for path in ("sensitivity", "critical-path"):
        assert get(bob, f"runs/{fresh.pk}/{path}/").status_code == 200


def test_it_is_replayed_under_conditions(project: Project, bob: User) -> None:
    """A kernel beside communication: slowed down, the prediction is longer, and stored with the paths of that."""
    entries = [event.entry() for event in beside_each_other()]
    measured = read(project, {"beside.json": json.dumps({"traceEvents": entries}).encode()}, bob)
    slow = {"slow_down": {"compute": 1.25, "communication": 1.1}}

    def ask(conditions: Any) -> Any:
        path = f"/api/v1/runs/{measured.pk}/replay/"
        return as_user(bob).post(path, conditions, content_type="application/json")

    plain = work_off(Run.objects.get(pk=ask({}).json()["id"]))
    found = work_off(Run.objects.get(pk=ask(slow).json()["id"]))
    assert found.pk != plain.pk and (plain.conditions, found.conditions) == ({}, slow)
    assert ask(slow).json()["id"] == str(found.pk) and ask({}).json()["id"] == str(plain.pk)
    told = get(bob, f"runs/{found.pk}/").json()
    assert told["conditions"] == slow and told["name"] == f"{measured.name} (slow_down)" and not told["stale"]
    assert told["replay"]["conditions"]["event_by_event"] is True
    assert found.replay["predicted_ns"] == found.span_ns > plain.replay["predicted_ns"]
    for mode in paths.MODES:
        page = get(bob, f"runs/{found.pk}/critical-path/", mode=mode).json()
        assert page["length_ns"] == found.replay["critical_path"][mode]["length_ns"]
    gains = get(bob, f"runs/{found.pk}/sensitivity/").json()
    assert gains["run_ns"] == found.replay["predicted_ns"]


@pytest.mark.parametrize(
    "wrong", [{"slow_down": {"copy": 2}}, {"faster": 1}, {"queue_limit": -1}, {"ranks_per_link": {"copy": 2}}, [1]]
)
def test_conditions_that_mean_nothing_are_refused(wrong: Any, measured: Run, bob: User) -> None:
    path = f"/api/v1/runs/{measured.pk}/replay/"
    refused = as_user(bob).post(path, json.dumps(wrong), content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    assert not Run.objects.filter(measured_run=measured).exists()


def test_a_viewer_may_not_replay(measured: Run, victor: User) -> None:
    assert ask_for_replay(victor, measured).status_code == 403


def test_tiles_of_a_prediction_are_at_predicted_times(measured: Run, predicted: Run, bob: User) -> None:
    engine_run = EngineRun.open(store.local(measured.folder, measured.files))
    prediction = replay_run(engine_run)
    layout = get(bob, f"runs/{predicted.pk}/timeline/").json()
    seen = 0
    for number, track in enumerate(layout["tracks"]):
        path = f"runs/{predicted.pk}/tiles/{layout['overview']['level']}/0/"
        (tile,) = Tiles.FromString(get(bob, path, tracks=number).content).tiles
        rows = np.frombuffer(tile.row, "<u4")
        shift = engine_run.shift_ns[track["trace"]]
        assert np.array_equal(np.frombuffer(tile.start_ns, "<i8"), prediction.start_ns[track["trace"]][rows] + shift)
        assert np.array_equal(np.frombuffer(tile.dur_ns, "<i8"), prediction.dur_ns[track["trace"]][rows])
        seen += len(rows)
    assert seen > 100


def test_its_events_know_their_measured_times(measured: Run, predicted: Run, bob: User) -> None:
    before, after = (get(bob, f"runs/{run.pk}/events/1/4000/").json() for run in (measured, predicted))
    engine_run = EngineRun.open(store.local(measured.folder, measured.files))
    assert before["slack_ns"] is None
    assert after["slack_ns"] == int(replay_run(engine_run).slack_ns[1][4000]) >= 0
    assert after["measured"] == {"start_ns": before["start_ns"], "dur_ns": before["dur_ns"]}
    assert (after["name"], after["args"], after["parents"]) == (before["name"], before["args"], before["parents"])


def test_deleting_the_measured_run_deletes_the_prediction(measured: Run, predicted: Run, bob: User) -> None:
    assert as_user(bob).delete(f"/api/v1/runs/{measured.pk}/").status_code == 204
    assert not Run.objects.filter(pk__in=[measured.pk, predicted.pk]).exists()
    assert stored_files() == []
