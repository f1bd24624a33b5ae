"""Listeners without sockets: contexts and executors, as the transports use them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson

from asgi.client import Identity
from asgi.request_context import RequestContext
from domain.actor import Actor
from domain.stream_cursor import StreamCursor
from graphql_api.context import Context
from graphql_api.execution.documents import Documents
from graphql_api.execution.executor import Executor, Operation
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from graphql_api.root import schema
from tests.streaming.support import until
from tests.support.api import Api
from tests.support.waiting import HANG_SECONDS


class Way:
    """One way to tell a crowd: one execution for all who see the same, or one for each; waking everybody, or not."""

    def __init__(self, api: Api, *, shared: bool, at_once: bool = True) -> None:
        self.at_once = at_once
        self.backend = replace(api.server.backend, shared=shared)
        self.executor: Executor[Context] = Executor(
            schema, Documents(schema), renew_context=Context.renewed, shared=shared
        )

    @property
    def executed(self) -> int:
        """How many executions were shared so far."""
        assert self.executor._shared is not None
        return self.executor._shared.executed

    def operation(self, query: str, variables: dict[str, Any]) -> Operation:
        """An operation, as a transport prepares it."""
        operation = self.executor.prepare(OperationRequest(query, None, variables, {}), request_id="test")
        assert isinstance(operation, Operation), operation
        return operation

    def context(self, actor: Actor) -> Context:
        """The context of one listener."""
        identity = Identity(actor, datetime.now(UTC) + timedelta(hours=1))
        facts = RequestContext(identity, None, "test", "ws", {"headers": []})
        return Context(self.backend, facts)


class Ear:
    """One listener, and the bytes that it was told."""

    def __init__(self, way: Way, actor: Actor, query: str, variables: dict[str, Any]) -> None:
        self.actor = actor
        self.told: list[bytes] = []
        self._way = way
        self._context = way.context(actor)
        self._operation = way.operation(query, variables)
        self.at_once = 0
        self.pace = asyncio.Event()
        self.pace.set()

    @property
    def items(self) -> list[dict[str, Any]]:
        """What it was told, decoded."""
        return [item for body in self.told for item in orjson.loads(body)["data"].values()]

    def has_heard(self, position: int) -> bool:
        """Whether everything up to a position has been told."""
        cursor = self._context.cursor
        return cursor is not None and StreamCursor.decode(cursor).position >= position

    async def listen(self) -> None:
        """Until it is cancelled."""
        at_once = self._hear_at_once if self._way.at_once else None
        async with aclosing(self._way.executor.stream(self._operation, self._context, at_once)) as responses:
            async for response in responses:
                self.told.append(response.to_json(request_id="test"))
                await self.pace.wait()

    def _hear_at_once(self, response: Response) -> bool:
        if not self.pace.is_set():
            return False
        self.told.append(response.to_json(request_id="test"))
        self.at_once += 1
        return True


class Crowd:
    """Listeners that come and go."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._tasks: dict[Ear, asyncio.Task[None]] = {}

    async def join(self, way: Way, actor: Actor, query: str, /, **variables: Any) -> Ear:
        """One that listens from now on."""
        ear = Ear(way, actor, query, variables)
        self._tasks[ear] = asyncio.create_task(ear.listen())
        await until(lambda: ear._context.cursor is not None)
        return ear

    async def leave(self, ear: Ear) -> None:
        """One leaves in the middle of whatever it waits for."""
        task = self._tasks.pop(ear)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def has_heard_all(self) -> None:
        """Wait until everybody was told everything that is committed."""
        await self._api.numbered()
        async with self._api.build.as_(None) as uow:
            head = (await uow.events.head()).position
        await until(lambda: all(ear.has_heard(head) for ear in self._tasks), patience=HANG_SECONDS)


@asynccontextmanager
async def a_crowd(api: Api) -> AsyncIterator[Crowd]:
    """A crowd that has gone home afterwards."""
    crowd = Crowd(api)
    yield crowd
    for ear in tuple(crowd._tasks):
        await crowd.leave(ear)


def session_of(actor: Actor) -> Actor:
    """The same person on another device."""
    return replace(actor, session_id=uuid4())
