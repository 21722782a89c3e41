from django.urls import path

from traceviewer.live.consumer import Socket

sockets = [path("ws/", Socket.as_asgi())]
