"""The session, and the list of projects."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login as start_session
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods
from rest_framework.throttling import SimpleRateThrottle
from sesame.utils import get_user

from traceviewer.accounts.models import Project
from traceviewer.accounts.serializers import ProjectSerializer


class LoginThrottle(SimpleRateThrottle):
    """So many attempts a minute from one address, whatever the user name."""

    scope = "login"

    def get_cache_key(self, request: HttpRequest, view: Any) -> str:
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


class LoginForm(AuthenticationForm):
    def clean(self) -> dict[str, Any]:
        throttle = LoginThrottle()
        if not throttle.allow_request(self.request, self):
            wait_s = round(throttle.wait() or 60)
            raise ValidationError(f"Too many attempts. Try again in {wait_s} seconds.", code="throttled")
        return super().clean()


class Login(LoginView):
    template_name = "accounts/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        status = 429 if form.has_error(NON_FIELD_ERRORS, "throttled") else 200
        return render(self.request, self.template_name, self.get_context_data(form=form), status=status)


@login_not_required
@never_cache
@require_GET
def login_by_link(request: HttpRequest) -> HttpResponse:
    """A one-time link, as the first start prints it."""
    user = get_user(request)
    if user is None:
        return redirect(f"{reverse('login')}?stale=1")
    start_session(request, user, backend="sesame.backends.ModelBackend")
    return redirect("projects")


@require_http_methods(["GET", "POST"])
def projects(request: HttpRequest) -> HttpResponse:
    """The user's projects; POST with `name` makes a new one."""
    mine = Project.objects.visible_to(request.user)
    if request.method == "POST":
        name = request.POST.get("name", "").strip()[:200]
        if name:
            return redirect(Project.objects.make(name, request.user))
    listed = ProjectSerializer(mine, many=True, context={"request": request}).data
    return render(request, "accounts/projects.html", {"projects": listed})
