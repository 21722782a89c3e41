"""A few threads for questions to the engine; its kernels release the GIL, so they use that many cores.

More questions than threads wait in line. Those that go through a whole run have a line of their own, one at a time:
seconds long on a run of millions of events, they keep no tile waiting, and no second copy of them in memory. A question
reads stored files, never the database: who may ask is settled before, in the thread that has the request. Nothing that
changes a run happens here: that is a job's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import ParamSpec, TypeVar

from django.conf import settings

P = ParamSpec("P")
T = TypeVar("T")


def ask(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The answer, worked out in the pool while this thread waits."""
    return _pool().submit(question, *args, **kwargs).result()


def ask_long(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """As `ask`, for what may take seconds."""
    return _line().submit(question, *args, **kwargs).result()


async def ask_async(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The answer, worked out in the pool while the event loop goes on."""
    return await asyncio.wrap_future(_pool().submit(question, *args, **kwargs))


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=settings.ENGINE_THREADS, thread_name_prefix="engine")


@lru_cache(maxsize=1)
def _line() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine-long")
