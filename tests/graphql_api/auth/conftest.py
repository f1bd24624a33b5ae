"""A shared Valkey, and a disposable one."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from embedded.valkey import Valkey


@pytest.fixture(scope="package")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that stays healthy."""
    with Valkey(tmp_path_factory.mktemp("auth") / "valkey") as server:
        yield server.url


@pytest.fixture
async def redis(valkey_url: str) -> AsyncIterator[Redis]:
    """A client with the library's own time-outs, and an empty database."""
    async with Redis.from_url(valkey_url) as client:
        await client.flushdb()
        yield client


@pytest.fixture
def disposable_valkey(tmp_path: Path) -> Iterator[Valkey]:
    """A server of the test, to freeze and to kill."""
    with Valkey(tmp_path / "valkey") as server:
        yield server


@pytest.fixture
async def disposable_redis(disposable_valkey: Valkey) -> AsyncIterator[Redis]:
    """A client of it."""
    async with Redis.from_url(disposable_valkey.url) as client:
        yield client
