"""New users, and the links by which they come in: no password is ever a default."""

from __future__ import annotations

import secrets

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.urls import reverse
from sesame.utils import get_query_string


def ensure_admin() -> tuple[User, str]:
    """The first administrator, and the password if the user was made just now ("" if not)."""
    admin = get_user_model().objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if admin is not None:
        return admin, ""
    password = secrets.token_urlsafe(12)
    return get_user_model().objects.create_superuser("admin", password=password), password


def make_user(name: str) -> tuple[User, str]:
    """A new user with a random password, which is known only now. IntegrityError if the name is taken."""
    password = secrets.token_urlsafe(12)
    return get_user_model().objects.create_user(name, password=password), password


def login_link(address: str, user: User) -> str:
    """A link that logs the user in, once, within the hour. `address` is the server's, without path."""
    return address.rstrip("/") + reverse("login-by-link") + get_query_string(user)
