"""Requests do not fail because of a Redis that refuses commands."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from embedded.valkey import Valkey
from tests.support.api import Api
from tests.support.api_server import an_api
from tests.support.waiting import HANG_SECONDS

PASSWORD = "Correct-horse1"
REGISTER = """mutation ($input: RegisterInput!) { register(input: $input) {
    user { id } userErrors { code } } }"""
LOGIN = """mutation ($input: LoginInput!) { login(input: $input) {
    accessToken userErrors { code } } }"""


@pytest.fixture
async def valkey(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A server of the test's own."""
    server = Valkey(tmp_path / "valkey")
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


async def readiness(api: Api) -> tuple[int, str, str]:
    """The status, and what `/readyz` says about all and about notifications."""
    response = await api.client.get("/readyz")
    body = response.json()
    return response.status_code, body["status"], body["checks"]["notifications"]


async def ready(api: Api, word: str) -> None:
    """Wait until `/readyz` says this."""
    async with asyncio.timeout(HANG_SECONDS):
        while (await readiness(api))[1] != word:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize(
    ("hurt", "heal"),
    [
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
        (("CONFIG", "SET", "maxmemory", "1", "maxmemory-policy", "noeviction"), ("CONFIG", "SET", "maxmemory", "0")),
    ],
    ids=["replica", "full"],
)
async def test_requests_succeed(
    valkey: Valkey, new_database: Callable[[], str], hurt: tuple[str, ...], heal: tuple[str, ...]
):
    """Sign-up, sign-in and `/readyz`; the latter says that events arrive by polling."""
    redis: Any  # execute_command has no types
    async with an_api(new_database(), valkey.url) as api, Redis.from_url(valkey.url) as redis:
        await ready(api, "ok")
        await redis.execute_command(*hurt)
        await ready(api, "degraded")
        account = {"username": "alice", "email": "alice@example.org", "password": PASSWORD}
        (await api.ask(REGISTER, input=account)).payload("register")
        for _ in range(3):
            name = {"username": "alice", "password": PASSWORD}
            assert (await api.ask(LOGIN, input=name)).payload("login")["accessToken"]
        assert await readiness(api) == (200, "degraded", "refused: events arrive by polling")
        await redis.execute_command(*heal)
        await ready(api, "ok")
