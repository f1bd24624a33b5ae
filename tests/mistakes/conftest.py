"""Servers, and clients that use them badly."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from domain.task import TaskStatus
from graphql_api.app import Server
from graphql_api.auth.tokens import AccessTokens
from graphql_api.rest.socket import Timing as TaskTiming
from graphql_api.schema.ids import encode_id
from graphql_api.settings import Settings
from graphql_api.transports.transport_ws.setup import Timing
from tests.graphql_api.conftest import settings_of
from tests.graphql_api.rest.documented import HOOKS
from tests.graphql_api.transports.serving import serving
from tests.mistakes.culprit import Culprit
from tests.support.executors import a_server
from tests.support.house import House
from tests.support.patience import HANG_SECONDS


@pytest.fixture(scope="module")
async def culprit(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Culprit]:
    """A server over a real network, which waits for the first message for as long as the client takes."""
    async with _served(settings_of(new_database(), new_redis()), first_message=HANG_SECONDS) as culprit:
        yield culprit


@pytest.fixture(scope="module")
async def hasty(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[Culprit]:
    """The same, with 0.1 seconds for the first message."""
    async with _served(settings_of(new_database(), new_redis()), first_message=0.1) as culprit:
        yield culprit


@asynccontextmanager
async def _served(settings: Settings, *, first_message: float) -> AsyncIterator[Culprit]:
    timing, task_timing = Timing(init=first_message), TaskTiming(auth=first_message)
    server = a_server(settings, timing=timing, task_timing=task_timing, throttle_patience=HANG_SECONDS)
    await server.start()
    async with serving(server.asgi()) as url, httpx.AsyncClient(timeout=HANG_SECONDS, event_hooks=HOOKS) as client:
        what_there_is = (await client.get(url)).json()["detail"]
        yield Culprit(url, client, await _names(server) | {"<what there is>": what_there_is})
    await server.stop()


async def _names(server: Server) -> dict[str, str]:
    """What the tables name."""
    house, tokens, now = House(server.database), server.tokens, datetime.now(UTC)
    me, other, owner = [await house.a_user() for _ in range(3)]
    tasks = {
        "task": await house.a_task(me),
        "cancelled": await house.a_task(me, status=TaskStatus.CANCELLED),
        "assigned": await house.a_task(owner, assignee_id=me.id),
        "foreign": await house.a_task(owner),
    }
    session = await house.a_session(me)
    forger = AccessTokens({"dev": b"x" * 32}, "taskriver", "taskriver", timedelta(minutes=15))
    return {
        "<token>": tokens.issue(me.id, session.id, now).token,
        "<expired>": tokens.issue(me.id, session.id, now - timedelta(hours=2)).token,
        "<revoked>": tokens.issue(me.id, uuid4(), now).token,
        "<forged>": forger.issue(me.id, session.id, now).token,
        "<my name>": me.username,
        "<other user>": encode_id("User", other.id),
        "<nobody>": encode_id("User", uuid4()),
        "<some uuid>": str(uuid4()),
        **{f"<{name} task>": encode_id("Task", task.id) for name, task in tasks.items()},
        **{f"<{name} uuid>": str(task.id) for name, task in tasks.items()},
    }
