from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "traceviewer.jobs"

    def ready(self) -> None:
        from traceviewer.jobs import watching  # noqa: F401  (registers the websocket's Watch)
