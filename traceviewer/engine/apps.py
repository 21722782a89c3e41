from django.apps import AppConfig


class EngineConfig(AppConfig):
    name = "traceviewer.engine"

    def ready(self) -> None:
        from traceviewer.engine import live  # noqa: F401  (serves the websocket's tiles)
