from django.urls import path

from traceviewer.engine import analysis, exporting, waits
from traceviewer.engine import api as rest

api = [
    path("runs/<uuid:run>/timeline/", rest.Timeline.as_view()),
    path("runs/<uuid:run>/names/", rest.Names.as_view()),
    path("runs/<uuid:run>/events/<int:trace>/<int:row>/", rest.Event.as_view()),
    path("runs/<uuid:run>/events/<int:trace>/<int:row>/alike/", rest.Alike.as_view()),
    path("runs/<uuid:run>/tiles/<int:level>/<int:index>/", rest.Tiles.as_view()),
    path("runs/<uuid:run>/collectives/", waits.Collectives.as_view()),
    path("runs/<uuid:run>/analysis/", analysis.Analysis.as_view()),
    path("runs/<uuid:run>/export/", exporting.Export.as_view()),
]
