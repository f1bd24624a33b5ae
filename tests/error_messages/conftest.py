"""Servers, and clients that use them badly."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from asgi.streaming_session import StreamTiming
from domain.task import TaskStatus
from graphql_api.auth.tokens import AccessTokens
from graphql_api.schema.ids import encode_id
from server.app import Server
from server.settings import Settings
from tests.error_messages.client import MistakenClient
from tests.rest_api.documented import HOOKS
from tests.support.api_server import settings_of
from tests.support.builders import Builders
from tests.support.executors import a_server
from tests.support.serving import serving
from tests.support.waiting import HANG_SECONDS


@pytest.fixture(scope="module")
async def culprit(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[MistakenClient]:
    """A server over a real network, which waits for the first message for as long as the client takes."""
    async with _served(settings_of(new_database(), new_redis()), first_message=HANG_SECONDS) as culprit:
        yield culprit


@pytest.fixture(scope="module")
async def impatient(new_database: Callable[[], str], new_redis: Callable[[], str]) -> AsyncIterator[MistakenClient]:
    """The same, with 0.1 seconds for the first message."""
    async with _served(settings_of(new_database(), new_redis()), first_message=0.1) as culprit:
        yield culprit


@asynccontextmanager
async def _served(settings: Settings, *, first_message: float) -> AsyncIterator[MistakenClient]:
    timing = StreamTiming(first_message=first_message)
    server = a_server(settings, timing=timing, task_timing=timing, rate_limit_timeout=HANG_SECONDS)
    await server.start()
    async with serving(server.asgi()) as url, httpx.AsyncClient(timeout=HANG_SECONDS, event_hooks=HOOKS) as client:
        what_there_is = (await client.get(url)).json()["detail"]
        yield MistakenClient(url, client, await _names(server) | {"<what there is>": what_there_is})
    await server.stop()


async def _names(server: Server) -> dict[str, str]:
    """What the tables name."""
    build, tokens, now = Builders(server.database), server.tokens, datetime.now(UTC)
    me, other, owner = [await build.a_user() for _ in range(3)]
    tasks = {
        "task": await build.a_task(me),
        "cancelled": await build.a_task(me, status=TaskStatus.CANCELLED),
        "assigned": await build.a_task(owner, assignee_id=me.id),
        "foreign": await build.a_task(owner),
    }
    session = await build.a_session(me)
    forger = AccessTokens({"dev": b"x" * 32}, "taskriver", "taskriver", timedelta(minutes=15))
    return {
        "<token>": tokens.issue(me.id, session.id, now).token,
        "<expired>": tokens.issue(me.id, session.id, now - timedelta(hours=2)).token,
        "<revoked>": tokens.issue(me.id, uuid4(), now).token,
        "<forged>": forger.issue(me.id, session.id, now).token,
        "<my name>": me.username,
        "<other user>": encode_id("User", other.id),
        "<unknown user>": encode_id("User", uuid4()),
        "<some uuid>": str(uuid4()),
        **{f"<{name} task>": encode_id("Task", task.id) for name, task in tasks.items()},
        **{f"<{name} uuid>": str(task.id) for name, task in tasks.items()},
    }
