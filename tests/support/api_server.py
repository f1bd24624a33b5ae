"""One server in this process, with its own database, for the tests of the API."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from server.settings import Settings
from tests.rest_api.documented import HOOKS
from tests.support.api import URL, Api
from tests.support.builders import Builders
from tests.support.executors import a_server
from tests.support.limits import PER_ADDRESS
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS


def settings_of(database_url: str, redis_url: str, **values: object) -> Settings:
    """Settings for tests: cheap password hashes, no scheduled clean-up, no limits per address or of writes, no
    `.env`.
    """
    chosen = PER_ADDRESS | {"bcrypt_rounds": 4, "cleanup_schedule": "off", "database_pool_size": 10}
    chosen |= {"writes_per_user": 0, "writes_per_token": 0}
    return Settings(
        _env_file=None,
        database_url=SecretStr(database_url),
        redis_url=SecretStr(redis_url),
        **(chosen | values),  # type: ignore[arg-type]
    )


@pytest.fixture(scope="module")
async def api(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Api]:
    """The API, with its stream running, on servers of the module's own; its other tests leave users and tasks there."""
    async with an_api(new_database(), new_redis()) as api:
        yield api


@asynccontextmanager
async def an_api(
    database_url: str, redis_url: str, settings: Mapping[str, object] | None = None, **options: Any
) -> AsyncIterator[Api]:
    """An API in this process, with an empty database; *options* are the server's."""
    # Redis is there; on a busy machine an answer may be late without its being away.
    chosen = settings_of(database_url, redis_url, **(settings or {}))
    server = a_server(chosen, rate_limit_timeout=HANG_SECONDS, **options)
    await server.start()
    transport = httpx.ASGITransport(app=server.asgi())
    async with httpx.AsyncClient(transport=transport, base_url=URL, event_hooks=HOOKS) as client:
        yield Api(server, Builders(server.database), client)
    await server.stop()


@pytest.fixture(scope="module")
async def live(api: Api) -> AsyncIterator[Api]:
    """The API over the network."""
    async with (
        serving(api.server.asgi()) as url,
        httpx.AsyncClient(base_url=url, timeout=HANG_SECONDS, event_hooks=HOOKS) as client,
    ):
        yield Api(api.server, api.build, client, api.tokens)
