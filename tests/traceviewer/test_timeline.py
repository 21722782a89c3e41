"""What the timeline asks for: layout, tiles, names."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.test import Client

from simulation.lod import LodIndex, Palette, TileSource, tile
from simulation.run import Run as EngineRun
from tests.traceviewer.reading import as_user, contents, read, upload
from traceviewer.accounts.models import Project
from traceviewer.protocol.messages_pb2 import Tile, Tiles
from traceviewer.runs import store
from traceviewer.runs.models import Run

pytestmark = pytest.mark.django_db(transaction=True)
COLUMNS = {
    "start_ns": "<i8",
    "dur_ns": "<i8",
    "name": "<u4",
    "row": "<u4",
    "count": "<u4",
    "lane": "<u2",
    "colour": "u1",
}


@pytest.fixture
def run(project: Project, bob: User, demo_files: list[Path]) -> Run:
    return read(project, contents(demo_files), bob)


@pytest.fixture
def engine_run(run: Run) -> EngineRun:
    return EngineRun.open(store.local(run.folder, run.files))


@pytest.fixture
def client(victor: User, run: Run) -> Client:
    return as_user(victor)


def get(client: Client, run: Run, path: str, **query: Any) -> Any:
    return client.get(f"/api/v1/runs/{run.pk}/{path}", query)


def layout_of(client: Client, run: Run) -> Any:
    return get(client, run, "timeline/").json()


def test_the_layout_lists_every_track_that_holds_events(client: Client, run: Run, engine_run: EngineRun) -> None:
    layout = layout_of(client, run)
    assert (layout["run"], layout["kind"], layout["version"]) == (str(run.pk), "measured", run.version)
    assert layout["base_ns"] == str(engine_run.origin_ns)
    assert [(trace["index"], trace["rank"], trace["label"]) for trace in layout["traces"]] == [
        (rank, rank, f"rank {rank}") for rank in (0, 1)
    ]
    assert [track["trace"] for track in layout["tracks"]] == sorted(track["trace"] for track in layout["tracks"])
    rows = sum(track["events"] for track in layout["tracks"])
    assert rows == engine_run.row_base[-1]


def test_the_layout_knows_where_tracks_begin_and_end(client: Client, run: Run, engine_run: EngineRun) -> None:
    layout = layout_of(client, run)
    for track in layout["tracks"]:
        table, shift = engine_run.traces[track["trace"]], engine_run.shift_ns[track["trace"]]
        found = table.tracks[track["index"]]
        inside = table.track == track["index"]
        begin, end = int(table.start_ns[inside].min()) + shift, int(table.end_ns[inside].max()) + shift
        assert (track["begin_ns"], track["end_ns"]) == (begin, end)
        assert (track["name"], track["group"], track["lanes"]) == (found.name, found.process, found.lanes)
    assert layout["span"][0] == min(track["begin_ns"] for track in layout["tracks"]) == 0
    assert layout["span"][1] == max(track["end_ns"] for track in layout["tracks"])


def test_the_layout_lists_the_steps_of_each_rank_in_order(client: Client, run: Run) -> None:
    layout = layout_of(client, run)
    assert [step["trace"] for step in layout["steps"]] == [0] * 5 + [1] * 5
    assert len({step["name"] for step in layout["steps"]}) == 5
    for before, after in zip(layout["steps"], layout["steps"][1:], strict=False):
        assert before["trace"] != after["trace"] or before["end_ns"] <= after["begin_ns"]
    begin, end = layout["view"]
    assert layout["span"][0] <= begin < end <= layout["span"][1]
    assert begin <= layout["steps"][0]["begin_ns"] and layout["steps"][-1]["end_ns"] <= end


def test_the_overview_fits_two_tiles_and_names_tracks_of_its_rank(client: Client, run: Run) -> None:
    layout = layout_of(client, run)
    assert layout["span"][1] >> layout["overview"]["level"] < 2048
    for trace, tracks in enumerate(layout["overview"]["tracks"]):
        assert tracks and all(layout["tracks"][track]["trace"] == trace for track in tracks)


def test_tiles_are_those_of_the_engine(client: Client, run: Run, engine_run: EngineRun) -> None:
    layout = layout_of(client, run)
    level = layout["overview"]["level"] - 3
    tracks = list(range(len(layout["tracks"])))
    answer = get(client, run, f"tiles/{level}/1/", tracks=",".join(map(str, tracks)))
    assert answer.headers["Content-Type"] == "application/x-protobuf"
    tiles = Tiles.FromString(answer.content)
    assert (tiles.run, tiles.level, tiles.index, tiles.pane) == (str(run.pk), level, 1, 0)
    assert [found.track for found in tiles.tiles] == tracks
    for found, described in zip(tiles.tiles, layout["tracks"], strict=True):
        assert_is_the_engines(found, engine_run, run, described, level)
    assert sum(found.n for found in tiles.tiles) > 100


def assert_is_the_engines(found: Tile, engine_run: EngineRun, run: Run, described: Any, level: int) -> None:
    trace = described["trace"]
    table = engine_run.traces[trace]
    index = LodIndex.open(store.local(run.folder, run.files) / f"trace-{trace}" / "lod.arrow")
    palette = Palette.of(table.names, table.categories)
    source = TileSource(table.columns, index, palette, engine_run.name_codes[trace], engine_run.shift_ns[trace])
    expected = tile(source, table.tracks[described["index"]].lane_rows, level, 1)
    assert found.n == len(expected)
    for name, dtype in COLUMNS.items():
        assert np.array_equal(np.frombuffer(getattr(found, name), dtype), getattr(expected, name)), name


def test_tiles_of_the_overview_count_every_event_once(client: Client, run: Run) -> None:
    layout = layout_of(client, run)
    level = layout["overview"]["level"]
    counted = np.zeros(len(layout["tracks"]), np.int64)
    for index in (0, 1):
        begin_ns = (index * 1024) << level
        answer = get(client, run, f"tiles/{level}/{index}/", tracks=",".join(map(str, range(len(layout["tracks"])))))
        for found in Tiles.FromString(answer.content).tiles:
            starts_here = np.frombuffer(found.start_ns, "<i8") >= begin_ns
            counted[found.track] += np.frombuffer(found.count, "<u4")[starts_here].sum()
    assert counted.tolist() == [track["events"] for track in layout["tracks"]]


def test_a_tile_never_changes_and_says_so(client: Client, run: Run) -> None:
    first = get(client, run, "tiles/20/0/", tracks="1,0", v=run.version)
    assert first.headers["Cache-Control"] == "private, immutable, max-age=31536000"
    again = client.get(first.wsgi_request.get_full_path(), headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert get(client, run, "tiles/20/0/", tracks="1,0").content == first.content
    others = [
        get(client, run, path, tracks=tracks) for path, tracks in (("tiles/20/0/", "0,1"), ("tiles/19/0/", "1,0"))
    ]
    assert first.headers["ETag"] not in [other.headers["ETag"] for other in others]


def test_a_tile_of_another_version_is_not_found(client: Client, run: Run) -> None:
    assert get(client, run, "tiles/20/0/", tracks="0", v="0123456789ab").status_code == 404


@pytest.mark.parametrize(
    ("path", "tracks", "said"),
    [
        ("tiles/63/0/", "0", "level 63: levels are 0 to"),
        ("tiles/20/4294967296/", "0", "index 4294967296: at level 20"),
        ("tiles/20/0/", "10000", "track 10000: the run has"),
        ("tiles/20/0/", ",".join(map(str, range(513))), "513 numbers; at most 512"),
        ("tiles/20/0/", "", "Whole numbers"),
        ("tiles/20/0/", "-1", "Whole numbers"),
        ("tiles/20/0/", "1e3", "Whole numbers"),
        ("tiles/20/0/", "٣", "Whole numbers"),
        ("tiles/20/0/", "99999999999999999999", "Whole numbers"),
        ("names/", "x", "Whole numbers"),
        ("names/", "", "Whole numbers"),
    ],
)
def test_it_refuses_numbers_out_of_range(client: Client, run: Run, path: str, tracks: str, said: str) -> None:
    answer = get(client, run, path, tracks=tracks, codes=tracks)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]


def test_names_come_by_code(client: Client, run: Run, engine_run: EngineRun) -> None:
    last = len(engine_run.names) - 1
    names = get(client, run, "names/", codes=f"0,{last},{last + 1}").json()["names"]
    assert names == {"0": engine_run.names[0], str(last): engine_run.names[last]}
    assert get(client, run, "names/", codes=",".join(["1"] * 2000)).status_code == 200
    assert get(client, run, "names/", codes=",".join(["1"] * 2001)).status_code == 400


def test_a_run_that_is_not_ready_has_nothing_to_show(project: Project, bob: User) -> None:
    run = Run.objects.get(pk=upload(as_user(bob), project, {"a.json": b"{}"}).json()["id"])
    for path in ("timeline/", "tiles/20/0/", "names/", "events/0/0/"):
        answer = get(as_user(bob), run, path, tracks="0", codes="0")
        assert (answer.status_code, answer.json()["code"]) == (409, "not_ready")
