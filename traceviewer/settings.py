"""All settings, each by its environment variable; docs/operations.md explains them.

With none set: SQLite, a broker of files and a UNIX socket as bell, all within TRACEVIEWER_HOME, on 127.0.0.1 only.
"""

from __future__ import annotations

import os
from typing import Any

import dj_database_url
from csp.constants import NONE, SELF

from traceviewer.home import PROJECT, machine_memory_bytes, open_home, secret_key


def words(name: str, default: str = "") -> list[str]:
    return [word for word in os.environ.get(name, default).replace(",", " ").split() if word]


def flag(name: str) -> bool:
    return os.environ.get(name, "").lower() in {"1", "true", "yes", "on"}


HOME = open_home()
SECRET_KEY = os.environ.get("SECRET_KEY") or secret_key(HOME)
DEBUG = flag("TRACEVIEWER_DEBUG")
ALLOWED_HOSTS = words("TRACEVIEWER_ALLOWED_HOSTS", "127.0.0.1 localhost [::1]")
CSRF_TRUSTED_ORIGINS = words("TRACEVIEWER_CSRF_TRUSTED_ORIGINS")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "drf_spectacular",
    "channels",
    "traceviewer.accounts",
    "traceviewer.jobs",
    "traceviewer.uploads",
    "traceviewer.runs",
    "traceviewer.engine",
    "traceviewer.experiments",
    "traceviewer.trust",
    "traceviewer.compare",
    "traceviewer.live",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "traceviewer.urls"
ASGI_APPLICATION = "traceviewer.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PROJECT / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
            ]
        },
    }
]

# Storage

DATABASES: dict[str, Any] = {"default": dj_database_url.config(default=f"sqlite:///{HOME / 'db.sqlite3'}")}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Readers never wait for the writer (WAL), writers wait for each other instead of failing half-way (IMMEDIATE).
    DATABASES["default"]["OPTIONS"] = {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": HOME / "files"}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "/static/"
STATICFILES_DIRS = [PROJECT / "static"]
SERVESTATIC_USE_FINDERS = True  # the bundle is served from where it is committed: no collectstatic
SERVESTATIC_ALLOW_ALL_ORIGINS = False

REDIS_URL = os.environ.get("REDIS_URL", "")
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": HOME / "cache"}
}
if REDIS_URL:
    CACHES["default"] = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}
    CHANNEL_LAYERS = {"default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}

# Uploads, and what the engine keeps open

GIB = 1 << 30
FILE_UPLOAD_TEMP_DIR = HOME / "incoming"  # on the disk of the stored files: what has arrived is moved, not copied
UPLOAD_MAX_FILE_BYTES = int(os.environ.get("TRACEVIEWER_UPLOAD_MAX_FILE_BYTES", 4 * GIB))
UPLOAD_MAX_FILES = int(os.environ.get("TRACEVIEWER_UPLOAD_MAX_FILES", "64"))
"""Files of one run."""
UPLOAD_MAX_RUN_BYTES = int(os.environ.get("TRACEVIEWER_UPLOAD_MAX_RUN_BYTES", 32 * GIB))
UPLOAD_MAX_USER_BYTES = int(os.environ.get("TRACEVIEWER_UPLOAD_MAX_USER_BYTES", 200 * GIB))
"""Originals that one user has brought in, and what is still on its way."""
UPLOAD_MAX_PENDING = int(os.environ.get("TRACEVIEWER_UPLOAD_MAX_PENDING", "1000"))
"""Uploads that one user has begun and not made a run of."""
UPLOAD_KEEP_S = float(os.environ.get("TRACEVIEWER_UPLOAD_KEEP_S", 7 * 24 * 3600))
"""An upload that nobody goes on with for so long is forgotten."""
UPLOAD_MIN_FREE_BYTES = int(os.environ.get("TRACEVIEWER_UPLOAD_MIN_FREE_BYTES", GIB))
"""An upload is refused if it would leave less of the disk."""
DATA_UPLOAD_MAX_NUMBER_FILES = UPLOAD_MAX_FILES + 1  # our own answer names the figure

ARCHIVE_MAX_FILES = int(os.environ.get("TRACEVIEWER_ARCHIVE_MAX_FILES", "1000"))
"""In the archives of one run, together."""
UNPACKED_MAX_RUN_BYTES = int(os.environ.get("TRACEVIEWER_UNPACKED_MAX_RUN_BYTES", 16 * GIB))
"""What the archives of one run hold, together; on the disk of the stored files while it is read."""
UNPACKED_MAX_FILE_BYTES = int(os.environ.get("TRACEVIEWER_UNPACKED_MAX_FILE_BYTES", 4 * GIB))
"""The text of one trace."""
UNPACKED_MAX_RATIO = int(os.environ.get("TRACEVIEWER_UNPACKED_MAX_RATIO", "200"))
"""Unpacked to packed, of a trace or an archive; asked past 64 MiB."""

FETCHED_MAX_BYTES = int(os.environ.get("TRACEVIEWER_FETCHED_MAX_BYTES", 20 * GIB))
"""Local copies of stored files, where the storage is not a local folder."""
ENGINE_THREADS = int(os.environ.get("TRACEVIEWER_ENGINE_THREADS", os.cpu_count() or 1))
ENGINE_OPEN_RUNS = int(os.environ.get("TRACEVIEWER_ENGINE_OPEN_RUNS", "32"))

# Jobs

CELERY_BROKER_URL = os.environ.get("CELERY_BROKER_URL") or REDIS_URL or "filesystem://localhost/"
if CELERY_BROKER_URL.startswith("filesystem://"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": str(HOME / "broker" / "messages"),
        "data_folder_out": str(HOME / "broker" / "messages"),
        # Else messages are taken by way of /tmp, on another disk perhaps, where a move is no longer atomic.
        "store_processed": True,
        "processed_folder": str(HOME / "broker" / "taken"),
        "control_folder": str(HOME / "broker" / "control"),
        "polling_interval": 0.1,
    }
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_TASK_IGNORE_RESULT = True  # the Job row is the result
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "traceviewer"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CONCURRENCY = int(os.environ.get("TRACEVIEWER_WORKER_PROCESSES", "2"))
CELERY_WORKER_MAX_TASKS_PER_CHILD = 100
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_SEND_TASK_EVENTS = False

JOB_STALE_S = float(os.environ.get("TRACEVIEWER_JOB_STALE_S", "30"))
"""A running job whose heart has not beaten for so long has lost its worker. On one machine it is seen at once."""

JOB_MAX_S = float(os.environ.get("TRACEVIEWER_JOB_MAX_S", "3600"))
JOB_MAX_BYTES = int(
    os.environ.get("TRACEVIEWER_JOB_MAX_BYTES", 3 * machine_memory_bytes() // 4 // max(1, CELERY_WORKER_CONCURRENCY))
)
"""What one job may take. The memory of the machine is enough for all that run at once, and a quarter is left."""
JOBS_MAX_QUEUED = int(os.environ.get("TRACEVIEWER_JOBS_MAX_QUEUED", "100"))
"""Jobs of one user that wait for a worker."""

# Who may come in

AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "sesame.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "login"
SESAME_ONE_TIME = True
SESAME_MAX_AGE = 3600

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_RATES": {"login": os.environ.get("TRACEVIEWER_LOGIN_RATE", "10/min")},
    "EXCEPTION_HANDLER": "traceviewer.accounts.errors.answer",
    "NUM_PROXIES": int(os.environ.get("TRACEVIEWER_PROXIES", "0")),
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Traceviewer",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {
        "JobState": "traceviewer.jobs.models.State",
        "RunState": "traceviewer.runs.models.Run.State",
        "RunKind": "traceviewer.runs.models.Run.Kind",
        "Role": "traceviewer.accounts.visibility.Role",
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}

# What the browser may do

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin-allow-popups"
"""Our own windows may be spoken to by us alone; "Open in Perfetto" speaks to the one that it opens."""
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True  # pages hand the token to their script themselves

if flag("TRACEVIEWER_TLS"):
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = int(os.environ.get("TRACEVIEWER_HSTS_SECONDS", "31536000"))
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
# Whether all sub-domains of the operator's domain speak TLS is not ours to promise.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = False

# Nothing that a trace holds is ever logged: messages name ids and counts only.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": os.environ.get("TRACEVIEWER_LOG_LEVEL", "WARNING")},
    "loggers": {"traceviewer": {"level": os.environ.get("TRACEVIEWER_LOG_LEVEL", "INFO")}},
}
