"""A few threads for questions to the engine; its kernels release the GIL, so they use that many cores.

More questions than threads wait in line. A question reads stored files, never the database: who may ask is
settled before, in the thread that has the request. Nothing that changes a run happens here: that is a job's.
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


async def ask_async(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The answer, worked out in the pool while the event loop goes on."""
    return await asyncio.wrap_future(_pool().submit(question, *args, **kwargs))


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=settings.ENGINE_THREADS, thread_name_prefix="engine")
