from django.urls import path

from traceviewer.jobs import api as rest

api = [
    path("jobs/<uuid:job>/", rest.OneJob.as_view()),
    path("jobs/<uuid:job>/events/", rest.Events.as_view()),
    path("jobs/<uuid:job>/cancel/", rest.Cancel.as_view()),
]
