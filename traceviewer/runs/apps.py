from django.apps import AppConfig


class RunsConfig(AppConfig):
    name = "traceviewer.runs"

    def ready(self) -> None:
        from traceviewer.runs import keeping, reading  # noqa: F401  (registers the job kind, a chore, a count)
