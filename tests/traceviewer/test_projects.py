"""Projects and members over REST."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token

from traceviewer.accounts.models import Project

Browse = Callable[[User | None], Client]


def test_it_makes_a_project_for_its_owner(browse: Browse, alice: User) -> None:
    answer = browse(alice).post("/api/v1/projects/", {"name": "My models"})
    assert (answer.status_code, answer.json()) == (
        201,
        {"slug": "my-models", "name": "My models", "role": "owner", "runs": 0, "keep_originals": True},
    )


def test_it_lists_what_one_is_a_member_of(browse: Browse, project: Project, victor: User, charlie: User) -> None:
    listed = browse(victor).get("/api/v1/projects/").json()
    assert listed == [{"slug": "training", "name": "Training", "role": "viewer", "runs": 0, "keep_originals": True}]
    assert browse(victor).get("/api/v1/projects/training/").json() == listed[0]


def test_it_refuses_a_taken_slug_with_a_reason(browse: Browse, project: Project, charlie: User) -> None:
    answer = browse(charlie).post("/api/v1/projects/", {"name": "Mine", "slug": "training"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"
    assert "slug" in answer.json()["detail"]


def test_it_accepts_a_token_instead_of_a_session(project: Project, bob: User) -> None:
    token = Token.objects.create(user=bob)
    answer = Client().get("/api/v1/projects/training/", headers={"Authorization": f"Token {token.key}"})
    assert answer.json()["role"] == "editor"


def test_it_asks_a_session_for_its_csrf_token(alice: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="django.contrib.auth.backends.ModelBackend")
    assert client.post("/api/v1/projects/", {"name": "Forged"}).status_code == 403
    assert not Project.objects.exists()


def test_it_shows_members_to_members(browse: Browse, project: Project, victor: User) -> None:
    assert browse(victor).get("/api/v1/projects/training/members/").json() == [
        {"user": "alice", "role": "owner"},
        {"user": "bob", "role": "editor"},
        {"user": "victor", "role": "viewer"},
    ]


def test_it_lets_an_owner_add_and_promote(browse: Browse, project: Project, alice: User, charlie: User) -> None:
    members = "/api/v1/projects/training/members/"
    assert browse(alice).post(members, {"user": "charlie", "role": "viewer"}).status_code == 201
    assert browse(alice).post(members, {"user": "charlie", "role": "editor"}).status_code == 201
    assert project.role_of(charlie) == "editor"


@pytest.mark.parametrize("body", [{"user": "nobody", "role": "viewer"}, {"user": "bob", "role": "king"}, {}])
def test_it_refuses_members_that_make_no_sense(
    browse: Browse, project: Project, alice: User, body: dict[str, str]
) -> None:
    assert browse(alice).post("/api/v1/projects/training/members/", body).status_code == 400


def test_it_does_not_let_an_editor_choose_members(browse: Browse, project: Project, bob: User, charlie: User) -> None:
    members = "/api/v1/projects/training/members/"
    for name in ("charlie", "a-name-that-nobody-has"):  # which names exist is not to be found out either
        assert browse(bob).post(members, {"user": name, "role": "viewer"}).status_code == 403
    assert browse(bob).delete(f"{members}alice/").status_code == 403
    assert project.memberships.count() == 3


def test_it_lets_a_member_leave(browse: Browse, project: Project, victor: User) -> None:
    assert browse(victor).delete("/api/v1/projects/training/members/victor/").status_code == 204
    assert project.role_of(victor) is None


def test_it_keeps_an_owner(browse: Browse, project: Project, alice: User) -> None:
    members = "/api/v1/projects/training/members/"
    assert browse(alice).delete(f"{members}alice/").status_code == 400
    assert browse(alice).post(members, {"user": "alice", "role": "viewer"}).status_code == 400
    assert project.role_of(alice) == "owner"


def test_it_says_not_found_alike_for_foreign_and_unknown(browse: Browse, project: Project, charlie: User) -> None:
    foreign = browse(charlie).get("/api/v1/projects/training/")
    unknown = browse(charlie).get("/api/v1/projects/no-such/")
    nowhere = browse(charlie).get("/api/v1/nowhere/")
    assert foreign.status_code == unknown.status_code == nowhere.status_code == 404
    assert (
        foreign.json() == unknown.json() == nowhere.json() == {"detail": "There is nothing here.", "code": "not_found"}
    )


def test_it_publishes_a_schema(browse: Browse, alice: User) -> None:
    text = browse(alice).get("/api/v1/schema/").content.decode()
    assert "/api/v1/projects/{slug}/members/" in text


def test_it_lets_an_owner_choose_whether_originals_are_kept(browse: Browse, project: Project, alice: User) -> None:
    def send(keep: object) -> tuple[int, object]:
        body = {"keep_originals": keep, "slug": "other", "name": "Other"}
        answer = browse(alice).patch("/api/v1/projects/training/", body, content_type="application/json")
        return answer.status_code, answer.json().get("keep_originals")

    assert send(False) == (200, False)
    assert Project.objects.filter(slug="training", name="Training", keep_originals=False).exists()
    assert send("maybe") == (400, None)
    assert send(True) == (200, True)


def test_it_lets_nobody_else_choose(browse: Browse, project: Project, bob: User, charlie: User) -> None:
    for user, status in ((bob, 403), (charlie, 404)):
        body = {"keep_originals": False}
        answer = browse(user).patch("/api/v1/projects/training/", body, content_type="application/json")
        assert answer.status_code == status
    assert Project.objects.get(slug="training").keep_originals
