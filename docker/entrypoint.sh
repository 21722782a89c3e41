#!/bin/sh
# One image, three roles: `migrate` once, then any number of `web` and `worker`.
set -eu
case "$1" in
  migrate) exec python manage.py migrate --no-input ;;
  web) exec uvicorn traceviewer.asgi:application --host 0.0.0.0 --port 8000 --ws websockets --proxy-headers ;;
  worker) exec celery --app traceviewer worker --loglevel info --without-gossip --without-mingle ;;
  *) exec "$@" ;;
esac
