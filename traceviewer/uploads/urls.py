from django.urls import path

from traceviewer.uploads import api as rest

api = [
    path("projects/<slug:slug>/uploads/", rest.Uploads.as_view()),
    path("uploads/<uuid:upload>/", rest.OneUpload.as_view()),
]
