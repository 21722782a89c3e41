from django.apps import AppConfig


class ExperimentsConfig(AppConfig):
    name = "traceviewer.experiments"

    def ready(self) -> None:
        from traceviewer.experiments import replaying  # noqa: F401  (registers the job kind)
