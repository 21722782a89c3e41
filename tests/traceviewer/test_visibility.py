"""The one rule: members see, editors and owners change, owners choose the members, others find nothing."""

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import PermissionDenied
from django.http import Http404

from traceviewer.accounts.models import Membership, Project
from traceviewer.accounts.visibility import get_editable, get_owned, get_visible
from traceviewer.jobs.models import Job, JobEvent


@pytest.fixture
def job(project: Project) -> Job:
    job = Job.objects.create(project=project, kind="any")
    job.change()
    return job


def test_it_shows_members_what_belongs_to_their_project(job: Job, alice: User, bob: User, victor: User) -> None:
    for member in (alice, bob, victor):
        assert list(Project.objects.visible_to(member)) == [job.project]
        assert list(Job.objects.visible_to(member)) == [job]
        assert list(JobEvent.objects.visible_to(member)) == list(job.events.all())


def test_it_shows_nothing_to_outsiders_and_strangers(job: Job, charlie: User) -> None:
    for model in (Job, JobEvent):
        assert not model.objects.visible_to(charlie).exists()
        assert not model.objects.visible_to(AnonymousUser()).exists()
    assert job.project not in Project.objects.visible_to(charlie)


def test_it_shows_an_administrator_no_more_than_a_member(job: Job) -> None:
    root = User.objects.create_superuser("root")
    assert not Job.objects.visible_to(root).exists()


def test_it_shows_nothing_to_a_deactivated_member(job: Job, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert not Job.objects.visible_to(alice).exists()


def test_it_lets_editors_change_and_viewers_look(job: Job, alice: User, bob: User, victor: User) -> None:
    assert get_editable(Job.objects, alice, pk=job.pk) == job
    assert get_editable(Job.objects, bob, pk=job.pk) == job
    assert get_visible(Job.objects, victor, pk=job.pk) == job
    with pytest.raises(PermissionDenied):
        get_editable(Job.objects, victor, pk=job.pk)


def test_it_lets_only_owners_choose(project: Project, alice: User, bob: User) -> None:
    assert get_owned(Project.objects, alice, pk=project.pk) == project
    with pytest.raises(PermissionDenied):
        get_owned(Project.objects, bob, pk=project.pk)


def test_it_answers_an_outsider_as_if_nothing_were_there(job: Job, charlie: User) -> None:
    for get in (get_visible, get_editable, get_owned):
        with pytest.raises(Http404):
            get(Job.objects, charlie, pk=job.pk)


def test_it_finds_a_free_slug(alice: User) -> None:
    slugs = [Project.objects.make(name, alice).slug for name in ("A run", "A run", "A run", "日本")]
    assert slugs == ["a-run", "a-run-2", "a-run-3", "project"]
    assert Membership.objects.filter(user=alice, role="owner").count() == 4
