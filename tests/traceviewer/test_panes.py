"""View and TilesSeen: the newest View of a pane wins, and at most two Tiles are on the way."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from django.contrib.auth.models import User
from django.http import Http404

from simulation.errors import TraceError
from tests.traceviewer.sockets import Page
from traceviewer.live import panes
from traceviewer.protocol.messages_pb2 import TileNeed, Tiles, TilesSeen, View

pytestmark = pytest.mark.django_db(transaction=True)


class Cutter:
    """Stands in for the engine: says what it was asked for, and cuts when it is let."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int, int]] = []
        self.clocks: list[bool] = []
        self.let = asyncio.Semaphore(0)

    async def __call__(
        self, user: User, run: str, level: int, index: int, tracks: tuple[int, ...], aligned: bool
    ) -> bytes:
        self.asked.append((run, level, index))
        self.clocks.append(aligned)
        await self.let.acquire()
        if run == "foreign":
            raise Http404
        if level > 60:
            raise TraceError("no such level")
        return Tiles(run=run, level=level, index=index, aligned=aligned).SerializeToString()

    def cut(self, count: int) -> None:
        for _ in range(count):
            self.let.release()


@pytest.fixture
async def cutter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Cutter]:
    cutter = Cutter()
    monkeypatch.setattr(panes, "_source", [cutter])
    yield cutter


async def index_of(page: Page) -> int:
    return (await page.hear()).tiles.index


async def asked(cutter: Cutter, count: int) -> None:
    async with asyncio.timeout(20):
        while len(cutter.asked) < count:
            await asyncio.sleep(0.01)


async def test_it_sends_in_the_order_asked_two_at_a_time(alice: User, cutter: Cutter) -> None:
    cutter.cut(100)
    async with Page(alice) as page:
        seq = await page.look((9, 0), (5, 1), (5, 2), (5, 3), (5, 4))
        first = await page.hear()
        assert (first.seq, first.tiles.run, first.tiles.level, first.tiles.index) == (seq, "a-run", 9, 0)
        assert await index_of(page) == 1
        assert await page.silent()
        await page.say(tiles_seen=TilesSeen(count=1))
        assert await index_of(page) == 2
        assert await page.silent()
        await page.say(tiles_seen=TilesSeen(count=2))
        assert [await index_of(page), await index_of(page)] == [3, 4]
        assert cutter.asked == [("a-run", 9, 0), *(("a-run", 5, index) for index in (1, 2, 3, 4))]


async def test_a_newer_view_replaces_what_waits(alice: User, cutter: Cutter) -> None:
    async with Page(alice) as page:
        await page.look((5, 1), (5, 2), (5, 3))
        await asked(cutter, 1)
        seq = await page.look((5, 7))
        await page.handled()
        cutter.cut(10)
        told = await page.hear()
        assert (told.seq, told.tiles.index) == (seq, 7)
        assert await page.silent()
        assert cutter.asked == [("a-run", 5, 1), ("a-run", 5, 7)]


async def test_a_tile_that_the_newer_view_wants_too_is_sent(alice: User, cutter: Cutter) -> None:
    async with Page(alice) as page:
        await page.look((5, 1), (5, 2))
        await asked(cutter, 1)
        await page.look((5, 3), (5, 1))
        await page.look((5, 4), (5, 1))
        await page.handled()
        cutter.cut(10)
        assert [await index_of(page), await index_of(page)] == [1, 4]
        assert await page.silent()


async def test_the_same_tile_of_another_run_is_not_sent_instead(alice: User, cutter: Cutter) -> None:
    async with Page(alice) as page:
        await page.look((5, 1), run="a-run")
        await asked(cutter, 1)
        await page.look((5, 1), run="another")
        await page.handled()
        cutter.cut(10)
        assert (await page.hear()).tiles.run == "another"
        assert await page.silent()


async def test_a_tile_on_the_other_clock_is_not_sent_instead(alice: User, cutter: Cutter) -> None:
    needs = [TileNeed(level=5, index=1)]
    async with Page(alice) as page:
        await page.say(view=View(run="a-run", needs=needs))
        await asked(cutter, 1)
        await page.say(view=View(run="a-run", needs=needs, aligned=True))
        await page.handled()
        cutter.cut(10)
        assert (await page.hear()).tiles.aligned
        assert await page.silent()
        assert cutter.clocks == [False, True]


async def test_an_empty_view_wants_nothing_any_more(alice: User, cutter: Cutter) -> None:
    async with Page(alice) as page:
        await page.look((5, 1), (5, 2))
        await asked(cutter, 1)
        await page.look()
        await page.handled()
        cutter.cut(10)
        assert await page.silent()


async def test_two_panes_take_turns(alice: User, cutter: Cutter) -> None:
    async with Page(alice) as page:
        await page.look((5, 1), (5, 2), pane=0)
        await page.look((5, 11), (5, 12), pane=1)
        await page.handled()
        cutter.cut(10)
        got = []
        for _ in range(4):
            tiles = (await page.hear()).tiles
            got.append((tiles.pane, tiles.index))
            await page.say(tiles_seen=TilesSeen(count=1))
        assert sorted(got) == [(0, 1), (0, 2), (1, 11), (1, 12)]
        assert {pane for pane, _ in got[:2]} == {0, 1}


async def test_a_run_that_may_not_be_seen_is_told_once(alice: User, cutter: Cutter) -> None:
    cutter.cut(100)
    async with Page(alice) as page:
        seq = await page.look((5, 1), (5, 2), (5, 3), run="foreign")
        told = await page.hear()
        assert (told.seq, told.error.code) == (seq, "not_found")
        assert await page.silent()
        await page.look((5, 9))
        assert await index_of(page) == 9


async def test_a_tile_that_cannot_be_says_why(alice: User, cutter: Cutter) -> None:
    cutter.cut(100)
    async with Page(alice) as page:
        await page.look((63, 1))
        told = await page.hear()
        assert (told.error.code, told.error.message) == ("failed", "no such level")


async def test_it_bounds_what_one_view_may_ask(alice: User, cutter: Cutter) -> None:
    async with Page(alice) as page:
        await page.look((5, 1), pane=panes.MAX_PANES)
        assert (await page.hear()).error.code == "too_many"
        await page.look(*((5, index) for index in range(panes.MAX_NEEDS + 1)))
        assert (await page.hear()).error.code == "too_many"
        assert cutter.asked == []


async def test_a_client_cannot_raise_its_allowance(alice: User, cutter: Cutter) -> None:
    cutter.cut(100)
    async with Page(alice) as page:
        await page.say(tiles_seen=TilesSeen(count=1000))
        await page.look(*((5, index) for index in range(9)))
        assert [await index_of(page), await index_of(page)] == [0, 1]
        assert await page.silent()
