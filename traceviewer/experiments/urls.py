from django.urls import path

from traceviewer.experiments import api as rest
from traceviewer.experiments import pages as views

pages = [
    path("p/<slug:slug>/runs/<uuid:run>/path/", views.critical_path, name="critical-path"),
    path("p/<slug:slug>/runs/<uuid:run>/sensitivity/", views.sensitivity, name="sensitivity"),
]
api = [
    path("runs/<uuid:run>/replay/", rest.Replay.as_view()),
    path("runs/<uuid:run>/critical-path/", rest.CriticalPath.as_view()),
    path("runs/<uuid:run>/sensitivity/", rest.Sensitivity.as_view()),
]
