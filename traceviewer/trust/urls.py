from django.urls import path

from traceviewer.trust import api as rest
from traceviewer.trust import pages as views

pages = [path("p/<slug:slug>/runs/<uuid:run>/trust/", views.trust, name="trust")]
api = [path("runs/<uuid:run>/trust/", rest.Trust.as_view())]
