"""`/ws/` itself: who may open it, what it refuses and with which close code; and job events over it."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User

from tests.traceviewer.sockets import Page
from traceviewer import jobs
from traceviewer.accounts.models import Membership, Project
from traceviewer.jobs import poller, watching
from traceviewer.jobs.context import JobContext
from traceviewer.jobs.kinds import KINDS, Kind
from traceviewer.jobs.models import Job
from traceviewer.jobs.worker import run_job
from traceviewer.live import consumer, handlers
from traceviewer.protocol.messages_pb2 import ClientMessage, Watch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def handler(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[JobContext], None]], None]:
    """What jobs of kind "any" do: nothing, unless the test says so. Messages go nowhere."""

    def use(function: Callable[[JobContext], None]) -> None:
        monkeypatch.setitem(KINDS, "any", Kind("any", function))

    monkeypatch.setattr(run_job, "delay", lambda job_id: None)
    use(lambda context: None)
    return use


@pytest.fixture
def job(project: Project, handler: object) -> Job:
    return jobs.start("any", project, {"run": "r1"})


async def do(job: Job) -> None:
    await sync_to_async(run_job)(str(job.pk))


def test_every_kind_of_message_is_answered_by_an_app() -> None:
    assert set(handlers.HANDLERS) == handlers.KINDS


async def test_a_stranger_is_sent_away(db: None) -> None:
    async with Page(None) as page:
        assert await page.close_code() == 4401


async def test_a_page_of_another_site_gets_no_socket(alice: User) -> None:
    async with Page(alice, origin=b"https://evil.example") as page:
        assert not page.accepted


@pytest.mark.parametrize(
    "frame",
    [
        {"text": "hello"},
        {"bytes": b"\xff\xff\xff"},
        {"bytes": ClientMessage(v=1, seq=1).SerializeToString()},
        {"bytes": ClientMessage(v=2, seq=1, watch=Watch()).SerializeToString()},
        {"bytes": b"\x00" * (consumer.MAX_MESSAGE_BYTES + 1)},
    ],
    ids=["text", "not protobuf", "no kind", "another version", "too large"],
)
async def test_what_is_not_ours_ends_the_socket(alice: User, frame: dict[str, Any]) -> None:
    async with Page(alice) as page:
        await page.send(**frame)
        assert await page.close_code() == 4400


async def test_who_says_too_much_is_cut_off(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "MESSAGES_PER_S", 0.0)
    monkeypatch.setattr(consumer, "BURST_MESSAGES", 3.0)
    async with Page(alice) as page:
        for _ in range(4):
            await page.say(watch=Watch())
        assert await page.close_code() == 4429


async def test_a_fault_of_ours_is_told_without_its_details(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    async def break_down(socket: object, message: object, seq: int) -> None:
        raise RuntimeError("secret")

    monkeypatch.setitem(handlers.HANDLERS, "watch", break_down)
    async with Page(alice) as page:
        seq = await page.say(watch=Watch())
        told = await page.hear()
        assert (told.seq, told.error.code) == (seq, "failed")
        assert "secret" not in told.error.message


async def test_it_replays_what_was_missed_and_goes_on_live(job: Job, victor: User) -> None:
    async with Page(victor) as page:
        await page.watch(job.pk)
        first = (await page.hear()).job_event
        assert (first.number, first.state, first.run) == (1, "queued", "r1")
        await do(job)
        events = await page.events_until("succeeded")
        assert [event.number for event in events] == [2, 3]


async def test_after_a_reconnect_it_goes_on_from_the_last_number(job: Job, victor: User) -> None:
    await do(job)
    async with Page(victor) as page:
        await page.watch(job.pk, after=2)
        assert [event.number for event in await page.events_until("succeeded")] == [3]
        assert await page.silent()


async def test_nothing_is_lost_without_a_bell(job: Job, victor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traceviewer.jobs.doorbell.ring", lambda job_id: None)
    async with Page(victor) as page:
        await page.watch(job.pk)
        await page.hear()
        await do(job)
        assert [event.state for event in await page.events_until("succeeded")] == ["running", "succeeded"]


async def test_a_long_history_comes_whole_and_in_order(
    project: Project, victor: User, monkeypatch: pytest.MonkeyPatch, handler: Any
) -> None:
    monkeypatch.setattr(poller, "MAX_EVENTS", 7)
    monkeypatch.setattr("traceviewer.jobs.context.EVENT_INTERVAL_S", 0.0)
    handler(lambda context: [context.progress("reading", n, 40) for n in range(40)])
    job = await sync_to_async(jobs.start)("any", project)
    await do(job)
    async with Page(victor) as page:
        await page.watch(job.pk)
        assert [event.number for event in await page.events_until("succeeded")] == list(range(1, 44))


async def test_two_pages_hear_the_same_job(job: Job, alice: User, victor: User) -> None:
    async with Page(alice) as one, Page(victor) as other:
        await one.watch(job.pk)
        await other.watch(job.pk, after=1)
        await do(job)
        assert [event.number for event in await one.events_until("succeeded")] == [1, 2, 3]
        assert [event.number for event in await other.events_until("succeeded")] == [2, 3]


async def test_a_share_that_is_taken_back_ends_the_events(job: Job, victor: User) -> None:
    async with Page(victor) as page:
        await page.watch(job.pk, after=1)
        await Membership.objects.filter(user=victor).adelete()
        await do(job)
        assert (await page.hear()).error.code == "not_found"
        assert await page.silent()


@pytest.mark.parametrize("name", ["", "no-id", "00000000-0000-0000-0000-000000000000"])
async def test_a_job_that_is_not_there_is_not_found(victor: User, name: str) -> None:
    async with Page(victor) as page:
        seq = await page.watch(name)
        told = await page.hear()
        assert (told.seq, told.error.code) == (seq, "not_found")


async def test_it_watches_only_so_many_jobs(job: Job, victor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_WATCHES", 0)
    async with Page(victor) as page:
        await page.watch(job.pk)
        assert (await page.hear()).error.code == "too_many"


async def test_nobody_is_polled_for_once_all_have_gone(job: Job, victor: User) -> None:
    async with Page(victor) as page:
        await page.watch(job.pk)
        await page.hear()
        here = poller.Poller.here()
        assert here.task is not None and here.watches
    assert here.task is None and not here.watches
