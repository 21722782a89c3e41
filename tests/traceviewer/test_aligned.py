"""The same run on aligned clocks: asked for, never stored in place of what was recorded."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from channels.db import database_sync_to_async
from django.contrib.auth.models import User

from simulation.formats import read_trace
from tests.simulation.job import Job
from tests.traceviewer.reading import as_user, contents, read, work_off
from tests.traceviewer.sockets import Page
from traceviewer.accounts.models import Project
from traceviewer.experiments import replaying
from traceviewer.protocol.messages_pb2 import TileNeed, Tiles, View
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)

SKEW_NS = 3_000_000_000
WITHIN_NS = 5_000
LEVEL = 22


def files() -> dict[str, bytes]:
    """Two ranks that meet nine times, the second on a clock that is three seconds ahead."""
    job = Job([0, SKEW_NS])
    for _ in range(9):
        job.collective((0, 1))
    return {
        f"rank{rank}.json": json.dumps(
            {"distributedInfo": {"rank": rank}, "traceEvents": [event.entry() for event in events]}
        ).encode()
        for rank, events in enumerate(job.events)
    }


@pytest.fixture
def run(project: Project, bob: User) -> Run:
    run = read(project, files(), bob)
    assert run.state == Run.State.READY, run.error
    return run


def get(user: User, run: Run, path: str, **query: Any) -> Any:
    return as_user(user).get(f"/api/v1/runs/{run.pk}/{path}", query)


def ends_ns(layout: Any) -> list[int]:
    return [track["end_ns"] for track in layout["tracks"]]


def test_the_layout_gives_each_clock_and_both_views(run: Run, victor: User) -> None:
    recorded, aligned = (get(victor, run, "timeline/", clock=clock).json() for clock in ("recorded", "aligned"))
    assert get(victor, run, "timeline/").json() == recorded
    assert (recorded["clock"], aligned["clock"]) == ("recorded", "aligned")
    assert aligned["version"] == recorded["version"] + "-aligned"
    assert aligned["traces"] == recorded["traces"]
    assert recorded["traces"][0]["clock"] == {"offset_ns": 0, "uncertainty_ns": 0}
    assert abs(recorded["traces"][1]["clock"]["offset_ns"] - SKEW_NS) <= WITHIN_NS
    assert recorded["span"][1] > SKEW_NS > 100 * aligned["span"][1]
    assert max(ends_ns(aligned)) - min(ends_ns(aligned)) <= WITHIN_NS
    assert min(track["begin_ns"] for track in aligned["tracks"]) == 0


def test_tiles_of_the_two_are_two(run: Run, victor: User) -> None:
    recorded, aligned = (
        get(victor, run, f"tiles/{LEVEL}/0/", tracks="0,1", clock=clock) for clock in ("recorded", "aligned")
    )
    assert recorded.headers["ETag"] != aligned.headers["ETag"]
    assert (Tiles.FromString(recorded.content).aligned, Tiles.FromString(aligned.content).aligned) == (False, True)
    one, other = (np.frombuffer(tile.start_ns, "<i8") for tile in Tiles.FromString(aligned.content).tiles)
    assert len(one) == len(other) > 0
    apart = np.frombuffer(Tiles.FromString(recorded.content).tiles[1].start_ns, "<i8")
    assert abs(apart[0] - other[0] - SKEW_NS) < 10**6


def test_a_version_is_of_one_clock(run: Run, victor: User) -> None:
    for clock, version, status in (
        ("aligned", f"{run.version}-aligned", 200),
        ("recorded", run.version, 200),
        ("aligned", run.version, 404),
        ("recorded", f"{run.version}-aligned", 404),
    ):
        assert get(victor, run, "tiles/20/0/", tracks="0", clock=clock, v=version).status_code == status


def test_an_event_is_where_its_tile_shows_it(run: Run, victor: User) -> None:
    (tile,) = Tiles.FromString(get(victor, run, f"tiles/{LEVEL}/0/", tracks="1", clock="aligned").content).tiles
    row, start_ns = np.frombuffer(tile.row, "<u4")[0], np.frombuffer(tile.start_ns, "<i8")[0]
    shown = get(victor, run, f"events/1/{row}/", clock="aligned").json()
    assert shown["start_ns"] == start_ns
    recorded = get(victor, run, f"events/1/{row}/").json()
    assert abs(recorded["start_ns"] - start_ns - SKEW_NS) < 10**6
    assert recorded["dur_ns"] == shown["dur_ns"]


async def test_the_websocket_sends_the_bytes_of_the_http_twin(run: Run, victor: User) -> None:
    async with Page(victor) as page:
        needs = [TileNeed(level=LEVEL, index=0, tracks=[0, 1])]
        await page.say(view=View(run=str(run.pk), needs=needs, aligned=True))
        message = await page.hear()
    twin = await database_sync_to_async(get)(victor, run, f"tiles/{LEVEL}/0/", tracks="0,1", clock="aligned")
    assert message.tiles.SerializeToString() == twin.content


def test_a_prediction_has_the_clocks_of_its_run(run: Run, bob: User) -> None:
    predicted = work_off(replaying.begin(run, bob))
    assert predicted.state == Run.State.READY, predicted.error
    aligned = get(bob, predicted, "timeline/", clock="aligned").json()
    assert abs(aligned["traces"][1]["clock"]["offset_ns"] - SKEW_NS) <= WITHIN_NS
    assert aligned["span"][1] < SKEW_NS / 100
    event = get(bob, predicted, "events/1/0/", clock="aligned").json()
    measured = get(bob, run, "events/1/0/", clock="aligned").json()
    assert event["measured"] == {"start_ns": measured["start_ns"], "dur_ns": measured["dur_ns"]}


def starts_ns(answer: Any) -> dict[int, int]:
    """First event of each trace in an export as Arrow."""
    lines = pa.ipc.open_file(b"".join(answer.streaming_content)).read_all().to_pylist()
    return {trace: min(line["start_ns"] for line in lines if line["trace"] == trace) for trace in (0, 1)}


def test_an_export_has_the_times_that_the_page_shows(run: Run, victor: User) -> None:
    for clock in ("recorded", "aligned"):
        layout = get(victor, run, "timeline/", clock=clock).json()
        shown = {trace: min(t["begin_ns"] for t in layout["tracks"] if t["trace"] == trace) for trace in (0, 1)}
        assert starts_ns(get(victor, run, "export/", format="arrow", clock=clock)) == shown


def test_an_aligned_rank_as_chrome_json_reads_back_on_the_clock_of_the_run(
    run: Run, victor: User, tmp_path: Path
) -> None:
    base_ns = {}
    for clock in ("recorded", "aligned"):
        path = tmp_path / f"{clock}.json.gz"
        answer = get(victor, run, "export/", format="chrome", traces="1", clock=clock)
        path.write_bytes(b"".join(answer.streaming_content))
        table = read_trace(path)
        base_ns[clock] = table.info.base_ns + int(table.start_ns.min())
        assert table.info.metadata.get("clock") == (None if clock == "recorded" else "aligned")
    offset_ns = get(victor, run, "timeline/").json()["traces"][1]["clock"]["offset_ns"]
    assert base_ns["recorded"] - base_ns["aligned"] == offset_ns


def test_a_comparison_is_on_the_clocks_asked_for(run: Run, bob: User) -> None:
    predicted = work_off(replaying.begin(run, bob))
    figures = {}
    for clock in ("recorded", "aligned"):
        answer = as_user(bob).get(f"/api/v1/compare/{run.pk}/{predicted.pk}/", {"clock": clock})
        figures[clock] = answer.json()["total"]
    assert figures["recorded"]["a_ns"] > SKEW_NS > 100 * figures["aligned"]["a_ns"]
    refused = as_user(bob).get(f"/api/v1/compare/{run.pk}/{predicted.pk}/", {"clock": "wall"})
    assert refused.status_code == 400


def test_where_no_clock_is_known_nothing_moves(project: Project, bob: User, demo_files: list[Path]) -> None:
    run = read(project, contents(demo_files[:1]), bob)
    recorded, aligned = (get(bob, run, "timeline/", clock=clock).json() for clock in ("recorded", "aligned"))
    assert [trace["clock"] for trace in aligned["traces"]] == [None]
    own = ("version", "clock")
    assert {key: value for key, value in recorded.items() if key not in own} == {
        key: value for key, value in aligned.items() if key not in own
    }


@pytest.mark.parametrize("path", ["timeline/", "tiles/20/0/?tracks=0", "events/0/0/", "export/?format=csv"])
def test_another_clock_is_refused(run: Run, bob: User, path: str) -> None:
    mark = "&" if "?" in path else "?"
    answer = get(bob, run, f"{path}{mark}clock=wall")
    assert answer.status_code == 400
    assert "clock" in json.dumps(answer.json())
