from django.urls import path

from traceviewer.runs import api as rest
from traceviewer.runs import downloads
from traceviewer.runs import pages as views

pages = [
    path("p/<slug:slug>/", views.project, name="project"),
    path("p/<slug:slug>/runs/<uuid:run>/", views.run, name="run"),
    path("p/<slug:slug>/runs/<uuid:run>/analysis/", views.analysis, name="analysis"),
]
api = [
    path("projects/<slug:slug>/runs/", rest.Runs.as_view()),
    path("runs/<uuid:run>/", rest.OneRun.as_view()),
    path("runs/<uuid:run>/reread/", rest.Reread.as_view()),
    path("runs/<uuid:run>/traces/", rest.Traces.as_view()),
    path("runs/<uuid:run>/originals/<int:trace>/", downloads.Original.as_view()),
]
