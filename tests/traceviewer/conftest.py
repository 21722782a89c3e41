"""Who is who: alice owns the project, bob edits, victor views, and charlie has no business there."""

import os
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from traceviewer.accounts.models import Membership, Project
from traceviewer.accounts.visibility import Role

PASSWORD = "correct horse battery"


def make_user(name: str) -> User:
    return User.objects.create_user(name, password=PASSWORD)


@pytest.fixture
def alice(db: None) -> User:
    return make_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    return make_user("bob")


@pytest.fixture
def victor(db: None) -> User:
    return make_user("victor")


@pytest.fixture
def charlie(db: None) -> User:
    """An outsider: logged in, owner of a project of his own, member of no other."""
    user = make_user("charlie")
    Project.objects.make("Charlie's", user)
    return user


@pytest.fixture
def project(alice: User, bob: User, victor: User) -> Project:
    project = Project.objects.make("Training", alice)
    Membership.objects.create(project=project, user=bob, role=Role.EDITOR)
    Membership.objects.create(project=project, user=victor, role=Role.VIEWER)
    return project


@pytest.fixture
def browse() -> Callable[[User | None], Client]:
    """`browse(alice)` is a browser in which alice is logged in; None: nobody is."""

    def browser(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        return client

    return browser


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    """Rate limits count in the cache; each test starts with none used up."""
    cache.clear()


@pytest.fixture(autouse=True)
def empty_storage() -> None:
    """Each test starts with nothing stored, nothing on its way in and no workspace."""
    for folder in ("files", "incoming", "work", "fetched"):
        shutil.rmtree(settings.HOME / folder, ignore_errors=True)
        (settings.HOME / folder).mkdir()


def service(variable: str, default: str) -> str:
    """The service's address; the test is skipped if nothing listens there, unless the run may skip nothing."""
    address = os.environ.get(variable, default)
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 0), 1).close()
    except OSError:
        if "services" in os.environ.get("TRACEVIEWER_TESTS_REQUIRE", ""):
            raise
        pytest.skip(f"nothing listens at {address} ({variable})")
    return address


@pytest.fixture
def redis_url() -> str:
    return service("TRACEVIEWER_TEST_REDIS_URL", "redis://127.0.0.1:6379/9")


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A new, empty database on the server, dropped afterwards."""
    server = service("TRACEVIEWER_TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
    name = f"traceviewer_test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlsplit(server)._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
