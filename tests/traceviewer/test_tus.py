"""Resumable uploads by tus 1.0: what has arrived is on the disk, and its size is the offset."""

import hashlib
import shutil
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.authtoken.models import Token

from tests.traceviewer.reading import as_user, stored_files
from tests.traceviewer.tus import VERSION, checksum, create, head, make_run, offset, patch, uploaded
from traceviewer.accounts.models import Membership, Project
from traceviewer.runs.models import Run
from traceviewer.uploads import partial
from traceviewer.uploads.models import Upload
from traceviewer.uploads.sweeping import forget_expired

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def client(bob: User) -> Client:
    return as_user(bob)


def begin(client: Client, project: Project, size: int, name: str = "a.json", **metadata: str) -> str:
    answer = create(client, project, size, name, **metadata)
    assert answer.status_code == 201, answer.content
    return str(answer["Location"])


def on_disk(address: str) -> bytes:
    return Upload.objects.get(pk=address.split("/")[-2]).path.read_bytes()


def test_it_says_what_it_can(client: Client, project: Project) -> None:
    answer = client.options(f"/api/v1/projects/{project.slug}/uploads/")
    assert (answer.status_code, answer["Tus-Version"]) == (204, "1.0.0")
    assert set(answer["Tus-Extension"].split(",")) == {"creation", "expiration", "termination", "checksum"}
    assert "sha1" in answer["Tus-Checksum-Algorithm"].split(",")
    assert int(answer["Tus-Max-Size"]) == 4 << 30


def test_it_takes_a_file_in_parts(client: Client, project: Project) -> None:
    answer = create(client, project, 11, "rank0.json")
    assert answer.json()["name"] == "rank0.json"
    address = answer["Location"]
    assert answer["Upload-Expires"].endswith("GMT")
    assert (offset(client, address), head(client, address)["Upload-Length"]) == (0, "11")
    first = patch(client, address, 0, b"hello ")
    assert (first.status_code, first["Upload-Offset"], first["Tus-Resumable"]) == (204, "6", "1.0.0")
    assert offset(client, address) == 6
    assert patch(client, address, 6, b"world")["Upload-Offset"] == "11"
    assert on_disk(address) == b"hello world"
    assert head(client, address)["Cache-Control"] == "no-store"


def test_a_file_of_no_bytes_is_whole_at_once(client: Client, bob: User, project: Project) -> None:
    begun = create(client, project, 0, "empty.json")
    assert make_run(bob, project, [begun.json()["id"]]).status_code == 201


@pytest.mark.parametrize("at", [0, 2, 4])
def test_it_refuses_a_part_that_does_not_fit_on(client: Client, project: Project, at: int) -> None:
    address = begin(client, project, 9)
    patch(client, address, 0, b"abc")
    answer = patch(client, address, at, b"def")
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_offset")
    assert "stands at 3 bytes" in answer.json()["detail"]
    assert on_disk(address) == b"abc"


def test_it_takes_no_more_than_was_said(client: Client, project: Project) -> None:
    address = begin(client, project, 4)
    answer = patch(client, address, 0, b"12345")
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert offset(client, address) == 0


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_it_keeps_only_parts_that_match_their_checksum(client: Client, project: Project, algorithm: str) -> None:
    address = begin(client, project, 6)
    bad = patch(client, address, 0, b"abx", Upload_Checksum=checksum(b"abc", algorithm))
    assert (bad.status_code, offset(client, address)) == (460, 0)
    assert patch(client, address, 0, b"abc", Upload_Checksum=checksum(b"abc", algorithm)).status_code == 204
    assert on_disk(address) == b"abc"


def test_it_knows_the_checksums_it_names_and_no_other(client: Client, project: Project) -> None:
    address = begin(client, project, 3)
    assert patch(client, address, 0, b"abc", Upload_Checksum="crc32 AAAA").status_code == 400
    assert offset(client, address) == 0


def test_a_whole_file_that_is_not_the_one_promised_is_sent_again(client: Client, project: Project) -> None:
    address = begin(client, project, 6, sha256=hashlib.sha256(b"abcdef").hexdigest())
    patch(client, address, 0, b"abc")
    assert patch(client, address, 3, b"xyz").status_code == 460
    assert offset(client, address) == 0
    assert patch(client, address, 0, b"abcdef").status_code == 204


def test_one_writes_at_a_time(client: Client, project: Project) -> None:
    address = begin(client, project, 6)
    with partial.locked(Upload.objects.get().path):
        answer = patch(client, address, 0, b"abc")
        assert (answer.status_code, answer.json()["code"]) == (423, "busy")
        assert client.delete(address, headers=VERSION).status_code == 423
    assert patch(client, address, 0, b"abc").status_code == 204


def test_it_forgets_on_request(client: Client, project: Project) -> None:
    address = begin(client, project, 6)
    patch(client, address, 0, b"abc")
    assert client.delete(address, headers=VERSION).status_code == 204
    assert head(client, address).status_code == 404
    assert stored_files() == []


@pytest.mark.parametrize("version", [None, "0.2.2"])
def test_it_speaks_one_version(client: Client, project: Project, version: str | None) -> None:
    headers = {"Upload-Length": "1"} | ({"Tus-Resumable": version} if version else {})
    answer = client.post(f"/api/v1/projects/{project.slug}/uploads/", headers=headers)
    assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")
    assert not Upload.objects.exists()


@pytest.mark.parametrize("length", ["", "-1", "1.5", "many", "9" * 30, "١"])
def test_it_wants_a_length(client: Client, project: Project, length: str) -> None:
    headers = {**VERSION, "Upload-Length": length}
    assert client.post(f"/api/v1/projects/{project.slug}/uploads/", headers=headers).status_code == 400


@pytest.mark.parametrize("said", ["filename ###", "filename /w==", "sha256 YWJj"])
def test_it_refuses_metadata_that_is_none(client: Client, project: Project, said: str) -> None:
    headers = {**VERSION, "Upload-Length": "1", "Upload-Metadata": said}
    assert client.post(f"/api/v1/projects/{project.slug}/uploads/", headers=headers).status_code == 400


def test_a_part_says_its_type(client: Client, project: Project) -> None:
    address = begin(client, project, 3)
    headers = {**VERSION, "Upload-Offset": "0"}
    answer = client.patch(address, b"abc", content_type="application/octet-stream", headers=headers)
    assert (answer.status_code, offset(client, address)) == (415, 0)


def test_another_method_can_be_meant(client: Client, project: Project) -> None:
    address = begin(client, project, 3)
    headers = {**VERSION, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    part = "application/offset+octet-stream"
    assert client.post(address, b"abc", content_type=part, headers=headers).status_code == 204
    assert on_disk(address) == b"abc"


def test_a_session_sends_its_csrf_token(project: Project, bob: User) -> None:
    browser = as_user(bob, enforce_csrf_checks=True)
    assert create(browser, project, 3).status_code == 403
    token = browser.get(f"/p/{project.slug}/").context["page"]["csrf"]
    headers = {**VERSION, "Upload-Length": "3", "X-CSRFToken": token}
    address = browser.post(f"/api/v1/projects/{project.slug}/uploads/", headers=headers)["Location"]
    assert patch(browser, address, 0, b"abc").status_code == 403
    assert patch(browser, address, 0, b"abc", X_CSRFToken=token).status_code == 204
    assert browser.delete(address, headers=VERSION).status_code == 403
    headers = {**VERSION, "X-HTTP-Method-Override": "DELETE"}
    assert browser.post(address, headers=headers).status_code == 403


def test_a_token_is_enough(project: Project, bob: User) -> None:
    client = Client(headers={"Authorization": f"Token {Token.objects.create(user=bob).key}"}, enforce_csrf_checks=True)
    address = begin(client, project, 3)
    assert patch(client, address, 0, b"abc").status_code == 204


def test_only_who_began_it_gets_at_it(client: Client, project: Project, alice: User, bob: User) -> None:
    address = begin(client, project, 3)
    other = as_user(alice)  # owns the project, not the upload
    assert head(other, address).status_code == 404
    assert patch(other, address, 0, b"abc").status_code == 404
    assert other.delete(address, headers=VERSION).status_code == 404
    Membership.objects.filter(user=bob, project=project).update(role="viewer")
    assert head(client, address).status_code == 404
    assert patch(client, address, 0, b"abc").status_code == 404


def test_what_nobody_goes_on_with_expires(client: Client, project: Project) -> None:
    old, new = begin(client, project, 6), begin(client, project, 6)
    patch(client, old, 0, b"abc")
    Upload.objects.filter(pk=old.split("/")[-2]).update(touched_at=Upload.objects.last().touched_at - timedelta(days=8))
    forget_expired()
    assert head(client, old).status_code == 404
    assert offset(client, new) == 0
    assert stored_files() == [f"incoming/uploads/{new.split('/')[-2]}"]


@pytest.mark.parametrize(
    ("setting", "limit", "status", "code"),
    [
        ("UPLOAD_MAX_FILE_BYTES", 999, 413, "file_too_large"),
        ("UPLOAD_MAX_USER_BYTES", 999, 507, "quota_used"),
        ("UPLOAD_MAX_PENDING", 0, 422, "too_many_files"),
    ],
)
def test_it_refuses_over_a_limit_with_the_figure(
    client: Client, project: Project, settings: Any, setting: str, limit: int, status: int, code: str
) -> None:
    setattr(settings, setting, limit)
    answer = create(client, project, 1000, "a.json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert str(limit) in answer.json()["detail"]
    assert stored_files() == []


def test_it_keeps_some_disk_free(client: Client, project: Project, settings: Any) -> None:
    address = begin(client, project, 3)
    settings.UPLOAD_MIN_FREE_BYTES = shutil.disk_usage(settings.HOME).free + (1 << 40)
    assert create(client, project, 3).status_code == 507
    assert patch(client, address, 0, b"abc").status_code == 507


def test_a_quota_counts_what_is_kept_and_what_is_on_its_way(
    client: Client, project: Project, bob: User, settings: Any
) -> None:
    settings.UPLOAD_MAX_USER_BYTES = 10
    assert make_run(bob, project, uploaded(bob, project, {"a.json": b"1234"})).status_code == 201
    begin(client, project, 4)
    assert "8 bytes of your 10 bytes" in create(client, project, 3).json()["detail"]
    assert create(client, project, 2).status_code == 201


def test_a_run_is_made_of_whole_uploads_in_their_order(client: Client, project: Project, bob: User) -> None:
    files = {"b.json": b"x" * 100_000, "a.json": b"{}"}
    answer = make_run(bob, project, uploaded(bob, project, files), "Baseline")
    assert (answer.status_code, answer.json()["name"], answer.json()["state"]) == (201, "Baseline", "reading")
    traces = list(Run.objects.get(pk=answer.json()["id"]).traces.all())
    assert [trace.file_name for trace in traces] == ["b.json", "a.json"]
    assert [trace.sha256 for trace in traces] == [hashlib.sha256(content).hexdigest() for content in files.values()]
    assert stored_files() == sorted(f"files/{trace.source}" for trace in traces)


def test_asking_again_gives_the_run_that_was_made(client: Client, project: Project, bob: User) -> None:
    ids = uploaded(bob, project, {"a.json": b"{}", "b.json": b"[]"})
    first, second = make_run(bob, project, ids), make_run(bob, project, ids)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    other = uploaded(bob, project, {"c.json": b"{}"})
    mixed = make_run(bob, project, [*ids, *other])
    assert (mixed.status_code, mixed.json()["code"]) == (409, "upload_used")
    assert Run.objects.count() == 1


def test_a_used_upload_says_that_it_is_whole_and_takes_nothing(client: Client, project: Project, bob: User) -> None:
    (pk,) = uploaded(bob, project, {"a.json": b"{}"})
    make_run(bob, project, [pk])
    address = f"/api/v1/uploads/{pk}/"
    assert offset(client, address) == 2
    assert patch(client, address, 2, b"!").status_code == 409
    assert patch(client, address, 0, b"[]").status_code == 409


def test_no_run_is_made_of_half_an_upload(client: Client, project: Project, bob: User) -> None:
    address = begin(client, project, 6)
    patch(client, address, 0, b"abc")
    answer = make_run(bob, project, [address.split("/")[-2]])
    assert (answer.status_code, answer.json()["code"]) == (409, "upload_incomplete")
    assert "3 of 6 bytes" in answer.json()["detail"]
    assert on_disk(address) == b"abc"


def test_no_run_is_made_of_foreign_uploads(project: Project, alice: User, bob: User, charlie: User) -> None:
    ids = uploaded(bob, project, {"a.json": b"{}"})
    own = charlie.projects.get()
    assert make_run(charlie, own, ids).status_code == 404
    assert make_run(alice, project, ids).status_code == 404
    assert make_run(bob, Project.objects.make("Other", bob), ids).status_code == 404
    assert make_run(bob, project, [str(uuid.uuid4())]).status_code == 404
    assert not Run.objects.exists()


def test_a_run_has_its_limits_here_too(project: Project, bob: User, settings: Any) -> None:
    ids = uploaded(bob, project, {"a.json": b"x" * 600, "b.json": b"x" * 600})
    settings.UPLOAD_MAX_RUN_BYTES = 1000
    answer = make_run(bob, project, ids)
    assert (answer.status_code, answer.json()["code"]) == (413, "run_too_large")
    settings.UPLOAD_MAX_FILES = 1
    assert make_run(bob, project, ids).status_code == 422
    settings.UPLOAD_MAX_FILES, settings.UPLOAD_MAX_RUN_BYTES = 2, 1200
    assert make_run(bob, project, ids).status_code == 201


def test_a_hash_that_was_never_written_is_found_later(client: Client, project: Project, bob: User) -> None:
    """As when the process is killed between the last byte and the row."""
    address = begin(client, project, 3)
    Upload.objects.get().path.write_bytes(b"abc")
    assert offset(client, address) == 3
    run = make_run(bob, project, [address.split("/")[-2]]).json()
    assert Run.objects.get(pk=run["id"]).traces.get().sha256 == hashlib.sha256(b"abc").hexdigest()
