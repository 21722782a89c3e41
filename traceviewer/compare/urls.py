from django.urls import path

from traceviewer.compare import api as rest
from traceviewer.compare import pages as views

pages = [path("p/<slug:slug>/compare/<uuid:a>/<uuid:b>/", views.compare, name="compare")]
api = [path("compare/<uuid:a>/<uuid:b>/", rest.Compare.as_view())]
