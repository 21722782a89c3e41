"""The Celery application. Only room `jobs` uses it."""

from __future__ import annotations

import os
import warnings

from celery import Celery
from celery.platforms import SecurityWarning

# It warns of pickled messages sent to a worker of root; ours takes JSON only.
warnings.filterwarnings("ignore", "You're running the worker with superuser", SecurityWarning)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "traceviewer.settings")

app = Celery("traceviewer")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["traceviewer.jobs"], related_name="worker")
