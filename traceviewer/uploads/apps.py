from django.apps import AppConfig


class UploadsConfig(AppConfig):
    name = "traceviewer.uploads"

    def ready(self) -> None:
        from traceviewer.uploads import sweeping  # noqa: F401  (registers the chore)
