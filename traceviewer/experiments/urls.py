from django.urls import path

from traceviewer.experiments import api as rest

api = [path("runs/<uuid:run>/replay/", rest.Replay.as_view())]
