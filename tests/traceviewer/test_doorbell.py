"""The bell reaches every process that listens, and its failure reaches nobody."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from traceviewer.jobs import doorbell


def bells(settings: Any) -> list[Path]:
    return list((Path(settings.HOME) / "bells").iterdir())


async def ring_until(rung: list[str], job: str) -> None:
    async with asyncio.timeout(10):
        doorbell.ring(job)
        while job not in rung:
            await asyncio.sleep(0.01)


async def test_all_who_listen_hear_it(settings: Any) -> None:
    first: list[str] = []
    second: list[str] = []
    async with doorbell.listening(first.append), doorbell.listening(second.append):
        await ring_until(first, "job-1")
        await ring_until(second, "job-2")
    assert first == second == ["job-1", "job-2"]
    assert bells(settings) == []


async def test_ringing_removes_what_dead_processes_left(settings: Any) -> None:
    async with doorbell.listening(lambda job: None):
        (left,) = bells(settings)
        left.rename(left.with_name("copy"))
    assert [bell.name for bell in bells(settings)] == ["copy"]
    doorbell.ring("job")
    assert bells(settings) == []


def test_ringing_with_nobody_there_is_no_error(settings: Any) -> None:
    doorbell.ring("job")


async def test_without_a_folder_for_bells_it_goes_on_in_silence(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path / "nowhere"
    async with doorbell.listening(lambda job: None):
        doorbell.ring("job")


async def test_a_home_with_a_long_path_has_a_bell(settings: Any, tmp_path: Path) -> None:
    settings.HOME = tmp_path / ("long" * 40)  # a socket's own path may have 107 bytes
    (settings.HOME / "bells").mkdir(parents=True)
    rung: list[str] = []
    async with doorbell.listening(rung.append):
        await ring_until(rung, "job")


async def test_a_full_socket_does_not_hold_up_the_worker(settings: Any) -> None:
    rung: list[str] = []
    async with doorbell.listening(rung.append):
        for _ in range(10_000):
            doorbell.ring("job")  # nobody reads meanwhile: this loop owns the thread
        while not rung:
            await asyncio.sleep(0.01)
        await ring_until(rung, "heard again")


@pytest.mark.services
async def test_redis_carries_it_too(settings: Any, redis_url: str) -> None:
    settings.REDIS_URL = redis_url
    settings.CHANNEL_LAYERS = {
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [redis_url]}}
    }
    rung: list[str] = []
    async with doorbell.listening(rung.append):
        async with asyncio.timeout(10):
            while "job-1" not in rung:  # joining the group takes a moment
                await asyncio.to_thread(doorbell.ring, "job-1")
                await asyncio.sleep(0.05)
