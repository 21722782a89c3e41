"""Work that outlives a request. A Job row is the truth; the only place that knows Celery.

An app registers what it can do, in its AppConfig.ready(), and starts it with one call:

    @jobs.register("read", ended=mark_run_failed)
    def read(context: JobContext) -> None: ...

    job = jobs.start("read", project, {"run": str(run.pk)}, created_by=user)
"""

from traceviewer.jobs.chores import chore
from traceviewer.jobs.kinds import Kind, register, start

__all__ = ["Kind", "chore", "register", "start"]
