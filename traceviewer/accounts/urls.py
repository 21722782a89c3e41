from django.contrib.auth.views import LogoutView
from django.urls import path

from traceviewer.accounts import api as rest
from traceviewer.accounts import views

pages = [
    path("", views.projects, name="projects"),
    path("login/", views.Login.as_view(), name="login"),
    path("login/link/", views.login_by_link, name="login-by-link"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
api = [
    path("projects/", rest.Projects.as_view()),
    path("projects/<slug:slug>/", rest.OneProject.as_view()),
    path("projects/<slug:slug>/members/", rest.Members.as_view()),
    path("projects/<slug:slug>/members/<str:user>/", rest.OneMember.as_view()),
]
