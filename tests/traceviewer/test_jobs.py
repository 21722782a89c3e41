"""A job's row: every change is one conditional UPDATE with its numbered event. No worker runs here."""

import os
import subprocess
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from simulation.errors import Cancelled, TraceError
from traceviewer import jobs
from traceviewer.accounts.models import Project
from traceviewer.jobs import context as context_module
from traceviewer.jobs import recovery
from traceviewer.jobs.context import JobContext
from traceviewer.jobs.holder import _started, is_gone, me
from traceviewer.jobs.kinds import KINDS, Kind
from traceviewer.jobs.models import MAX_ATTEMPTS, Job, JobEvent, State
from traceviewer.jobs.worker import run_job, take, work

Browse = Callable[[User | None], Client]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`handler(function)` makes it what jobs of kind "any" do."""

    def use(function: Callable[[JobContext], None], ended: Callable[[Job], None] | None = None) -> None:
        monkeypatch.setitem(KINDS, "any", Kind("any", function, ended))

    use(lambda context: None)
    return use


@pytest.fixture
def job(project: Project, handler: Callable[..., None]) -> Job:
    return jobs.start("any", project, {"run": "r1"})


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Ids of the jobs of which a message went to the broker."""
    ids: list[str] = []
    monkeypatch.setattr(run_job, "delay", ids.append)
    yield ids


def states(job: Job) -> list[str]:
    return list(job.events.values_list("state", flat=True))


def numbers(job: Job) -> list[int]:
    return list(job.events.values_list("number", flat=True))


def test_it_sends_a_message_once_the_job_is_committed(project: Project, sent: list[str], handler: object) -> None:
    with transaction.atomic():
        job = jobs.start("any", project)
        assert sent == []
    assert sent == [str(job.pk)]
    assert states(job) == ["queued"]


def test_a_broker_that_is_away_loses_nothing(
    project: Project, handler: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable(job_id: str) -> None:
        raise OSError("no broker")

    monkeypatch.setattr(run_job, "delay", unreachable)
    assert jobs.start("any", project).state == State.QUEUED


def test_it_numbers_events_without_gap(job: Job) -> None:
    run_job(str(job.pk))
    assert states(job) == ["queued", "running", "succeeded"]
    assert numbers(job) == [1, 2, 3]


def test_two_messages_do_the_work_once(job: Job, handler: Callable[..., None]) -> None:
    done = []
    handler(lambda context: done.append(context.attempt))
    run_job(str(job.pk))
    run_job(str(job.pk))
    assert done == [1]


def test_only_one_of_two_workers_takes_a_job(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = Job.objects.get(pk=job.pk)
    assert take(str(job.pk)) is not None
    assert not stale.change(Q(state=State.QUEUED, attempt=stale.attempt), state=State.RUNNING)
    assert take(str(job.pk)) is None


@pytest.mark.parametrize("end", [State.SUCCEEDED, State.FAILED, State.CANCELLED])
@pytest.mark.parametrize("then", list(State))
def test_what_has_ended_stays_as_it_is(job: Job, end: State, then: State) -> None:
    taken = take(str(job.pk))
    assert taken is not None and taken.end(end)
    assert not taken.change(state=then)
    assert states(job)[-1] == end


def test_bad_input_fails_with_its_text_and_is_not_tried_again(job: Job, handler: Callable[..., None]) -> None:
    def refuse(context: JobContext) -> None:
        raise TraceError("not a trace", file="a.json", hint="Export it again.")

    handler(refuse)
    run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.error, job.attempt) == (State.FAILED, "a.json: not a trace. Export it again.", 1)


def test_a_fault_of_ours_is_tried_again_then_told_plainly(
    job: Job, handler: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    def break_down(context: JobContext) -> None:
        raise RuntimeError("secret of the implementation")

    handler(break_down)
    for attempt in range(1, MAX_ATTEMPTS + 1):
        run_job(str(job.pk))
        job.refresh_from_db()
        assert job.attempt == attempt
    assert job.state == State.FAILED
    assert "secret" not in job.error and str(job.pk) in job.error
    assert sum(record.exc_info is not None for record in caplog.records) == MAX_ATTEMPTS


def test_getting_further_than_before_earns_new_attempts(job: Job, handler: Callable[..., None]) -> None:
    def a_little_further(context: JobContext) -> None:
        context.progress("reading", context.attempt, 10)
        if context.attempt < 8:
            raise RuntimeError("not yet")

    handler(a_little_further)
    for _ in range(8):
        run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.SUCCEEDED, 8)


def test_reaching_the_same_point_again_does_not(job: Job, handler: Callable[..., None]) -> None:
    def same_point(context: JobContext) -> None:
        context.progress("reading", 5, 10)
        raise RuntimeError("always here")

    handler(same_point)
    for _ in range(10):
        run_job(str(job.pk))
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.FAILED, 1 + MAX_ATTEMPTS)


def test_it_writes_at_most_ten_events_a_second(
    job: Job, handler: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(10_000))
    monkeypatch.setattr(context_module.time, "monotonic", lambda: next(clock) / 2000)

    def chatter(context: JobContext) -> None:
        for done in range(1, 1001):  # half a second by the clock above
            context.progress("reading", done, 1000)

    handler(chatter)
    run_job(str(job.pk))
    assert 4 <= job.events.filter(state="running", stage="reading").count() <= 6
    last = job.events.last()
    assert last is not None and (last.state, last.done, last.total) == ("succeeded", 1000, 1000)


def test_progress_stops_a_cancelled_job(job: Job, handler: Callable[..., None]) -> None:
    reached = []

    def long_work(context: JobContext) -> None:
        Job.objects.get(pk=job.pk).cancel()
        context.progress("reading", 1, 2)
        reached.append("after")

    handler(long_work)
    run_job(str(job.pk))
    assert reached == []
    assert states(job)[-1] == "cancelled"


def test_a_job_cancelled_at_the_last_moment_keeps_nothing(job: Job, handler: Callable[..., None]) -> None:
    def nearly_done(context: JobContext) -> None:
        with context.finishing():
            Project.objects.filter(pk=job.project_id).update(name="Result")
            Job.objects.get(pk=job.pk).cancel()

    # Cancelled within the same transaction here; from outside it is one UPDATE that comes first or second.
    handler(nearly_done)
    run_job(str(job.pk))
    assert Project.objects.get(pk=job.project_id).name == "Training"


def test_an_attempt_that_was_taken_over_writes_nothing(job: Job) -> None:
    first = take(str(job.pk))
    assert first is not None
    old = JobContext(first)
    recovery.requeue_orphans(timezone.now() + timedelta(seconds=1))
    second = take(str(job.pk))
    assert second is not None and second.attempt == 2
    with pytest.raises(Cancelled):
        old.progress("reading", 1, 2)
    with pytest.raises(Cancelled), old.finishing():
        pass
    JobContext(second).finish()
    assert states(job) == ["queued", "running", "queued", "running", "succeeded"]


def test_failure_and_cancellation_are_told_to_the_kind(project: Project, handler: Callable[..., None]) -> None:
    told: list[tuple[str, str]] = []

    def refuse(context: JobContext) -> None:
        raise TraceError("no")

    handler(refuse, lambda job: told.append((job.run, job.state)))
    run_job(str(jobs.start("any", project, {"run": "a"}).pk))
    jobs.start("any", project, {"run": "b"}).cancel()
    handler(lambda context: None, lambda job: told.append((job.run, job.state)))
    run_job(str(jobs.start("any", project, {"run": "c"}).pk))
    assert told == [("a", "failed"), ("b", "cancelled")]


def test_a_kind_that_fails_to_hear_of_it_leaves_the_job_as_it_was(job: Job, handler: Callable[..., None]) -> None:
    def deaf(job: Job) -> None:
        raise RuntimeError

    handler(lambda context: None, deaf)
    with pytest.raises(RuntimeError):
        job.cancel()
    assert states(job) == ["queued"]
    assert Job.objects.get(pk=job.pk).state == State.QUEUED


def test_the_sweep_requeues_what_lost_its_worker(job: Job, sent: list[str]) -> None:
    taken = take(str(job.pk))
    assert taken is not None
    recovery.sweep(stale_s=60, resend_s=60)
    assert len(sent) == 1  # its heart has just beaten, and its process, this one, lives
    Job.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=61))
    recovery.sweep(stale_s=60, resend_s=60)
    assert len(sent) == 2
    assert states(job) == ["queued", "running", "queued"]


def test_the_sweep_sees_at_once_that_a_process_is_gone(job: Job) -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        holder = me().split()
        holder[-2:] = [str(process.pid), _started(process.pid)]
        assert take(str(job.pk)) is not None
        Job.objects.update(holder=" ".join(holder))
        recovery.sweep(stale_s=60, resend_s=60)
        assert Job.objects.get(pk=job.pk).state == State.RUNNING
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet reaped
        recovery.sweep(stale_s=60, resend_s=60)
        assert Job.objects.get(pk=job.pk).state == State.QUEUED


def test_a_process_elsewhere_is_not_taken_for_gone() -> None:
    assert not is_gone("another-machine pid:[4026531836] 1 1")
    assert not is_gone("")
    assert not is_gone(me())
    assert is_gone(me() + "0")  # the same number, given to a process that began later


def test_one_job_that_cannot_be_mended_does_not_stop_the_sweep(
    project: Project, handler: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    def deaf(job: Job) -> None:
        raise RuntimeError

    handler(lambda context: None, deaf)
    hopeless, other = jobs.start("any", project), jobs.start("any", project)
    assert take(str(hopeless.pk)) and take(str(other.pk))
    Job.objects.filter(pk=hopeless.pk).update(attempts_without_progress=MAX_ATTEMPTS)
    recovery.sweep(stale_s=-1, resend_s=60)
    assert Job.objects.get(pk=hopeless.pk).state == State.RUNNING
    assert Job.objects.get(pk=other.pk).state == State.QUEUED
    assert "could not requeue" in caplog.text


def test_the_sweep_gives_up_a_job_that_kills_its_workers(job: Job) -> None:
    for _ in range(MAX_ATTEMPTS):
        assert take(str(job.pk)) is not None
        recovery.requeue_orphans(timezone.now() + timedelta(seconds=1))
    job.refresh_from_db()
    assert (job.state, job.attempt) == (State.FAILED, MAX_ATTEMPTS)
    assert "died 3 times" in job.error


def test_the_sweep_sends_lost_messages_again_ever_less_often(job: Job, sent: list[str]) -> None:
    start = timezone.now()
    for second in range(0, 60):
        recovery.resend(start + timedelta(seconds=second + 0.5), 5)
    assert 4 <= len(sent) <= 6  # at once, and 5, 10, 20 seconds after the last


def test_the_sweep_forgets_progress_of_long_ago(job: Job, handler: Callable[..., None]) -> None:
    handler(lambda context: context.progress("reading", 1, 2))
    run_job(str(job.pk))
    recovery.forget_progress(timezone.now() - timedelta(hours=1))
    assert len(states(job)) == 4
    recovery.forget_progress(timezone.now() + timedelta(seconds=1))
    assert states(job) == ["queued", "succeeded"]


def test_it_tells_a_job_and_its_events_over_rest(browse: Browse, job: Job, victor: User) -> None:
    run_job(str(job.pk))
    address = f"/api/v1/jobs/{job.pk}/"
    told = browse(victor).get(address).json()
    assert (told["state"], told["number"], told["run"]) == ("succeeded", 3, "r1")
    after = browse(victor).get(f"{address}events/?after=1").json()
    assert [(event["number"], event["state"], event["run"]) for event in after] == [
        (2, "running", "r1"),
        (3, "succeeded", "r1"),
    ]
    assert browse(victor).get(f"{address}events/?after=soon").status_code == 400


def test_editors_cancel_and_viewers_do_not(browse: Browse, job: Job, bob: User, victor: User) -> None:
    address = f"/api/v1/jobs/{job.pk}/cancel/"
    assert browse(victor).post(address).status_code == 403
    assert browse(bob).post(address).json()["state"] == "cancelled"
    assert browse(bob).post(address).json()["state"] == "cancelled"  # twice is no error
    assert JobEvent.objects.filter(job=job, state="cancelled").count() == 1


def test_the_worker_side_refuses_work_it_was_not_given(job: Job) -> None:
    job.cancel()
    assert take(str(job.pk)) is None
    assert take("00000000-0000-0000-0000-000000000000") is None


def test_work_beats_while_the_handler_is_busy(
    job: Job, handler: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(context_module, "HEARTBEAT_S", 0.01)

    def until_beaten(context: JobContext) -> None:
        taken_at = Job.objects.get(pk=job.pk).heartbeat_at
        while Job.objects.get(pk=job.pk).heartbeat_at == taken_at:
            pass

    handler(until_beaten)
    taken = take(str(job.pk))
    assert taken is not None
    work(taken)
    assert states(job)[-1] == "succeeded"
