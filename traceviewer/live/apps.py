from django.apps import AppConfig


class LiveConfig(AppConfig):
    name = "traceviewer.live"

    def ready(self) -> None:
        from traceviewer.live import panes  # noqa: F401  (registers its handlers)
