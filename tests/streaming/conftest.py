"""Processes that share a database and a Redis channel, and a disposable Redis."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from embedded.valkey import Valkey
from tests.streaming.support import Process
from tests.support.builders import Builders

StartProcess = Callable[..., Awaitable[Process]]


@pytest.fixture
async def start(build: Builders, redis_url: str) -> AsyncIterator[StartProcess]:
    """Starts a process on the database of the test; by default all use the same channel."""
    shared = f"test:{uuid4()}"
    running: list[Process] = []

    async def start(*, redis: str = redis_url, channel: str = shared, **options: Any) -> Process:
        url = build.database.engine.url.render_as_string(hide_password=False)
        process = Process(url, redis, channel, **options)
        running.append(process)
        await process.stream.start()
        return process

    yield start
    for process in running:
        await process.stop()


@pytest.fixture
async def process(start: StartProcess) -> Process:
    """One process."""
    return await start()


@pytest.fixture
def disposable_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A server of the test's own, to freeze and to kill."""
    with Valkey(tmp_path / "valkey") as server:
        yield server
