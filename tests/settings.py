"""The project's settings in a folder of their own, so that a test run touches nobody's data."""

import atexit
import os
import shutil
import tempfile

os.environ["TRACEVIEWER_HOME"] = tempfile.mkdtemp(prefix="traceviewer-tests-")
# The services that some tests need are named by TRACEVIEWER_TEST_...; a developer's own are not touched.
for name in ("DATABASE_URL", "REDIS_URL", "CELERY_BROKER_URL", "TRACEVIEWER_TLS", "TRACEVIEWER_ALLOWED_HOSTS"):
    os.environ.pop(name, None)

from traceviewer.settings import *  # noqa: E402, F403
from traceviewer.settings import DATABASES, HOME  # noqa: E402

# A file, not memory: sockets, threads and real worker processes look at the same rows.
DATABASES["default"]["TEST"] = {"NAME": HOME / "test.sqlite3"}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]

atexit.register(shutil.rmtree, HOME, ignore_errors=True)
