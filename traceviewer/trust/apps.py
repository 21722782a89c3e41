from django.apps import AppConfig


class TrustConfig(AppConfig):
    name = "traceviewer.trust"

    def ready(self) -> None:
        from traceviewer.trust import assessing  # noqa: F401  (registers the job kind)
