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


class DeliveryPath:
    """A kind of delivery: one execution for all with equal results or one for each, directly or by waking the task."""

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

    async def operation(self, query: str, variables: dict[str, Any]) -> Operation:
        """An operation, as a transport prepares it."""
        operation = await self.executor.prepare(OperationRequest(query, None, variables, {}), request_id="test")
        assert isinstance(operation, Operation), operation
        return operation

    def context(self, actor: Actor) -> Context:
        """The context of one listener."""
        identity = Identity(actor, datetime.now(UTC) + timedelta(hours=1))
        facts = RequestContext(identity, None, "test", "ws", {"headers": []})
        return Context(self.backend, facts)


class Listener:
    """One subscriber, and the bytes that it received."""

    def __init__(self, path: DeliveryPath, actor: Actor, query: str, variables: dict[str, Any]) -> None:
        self.actor = actor
        self.responses: list[bytes] = []
        self._path = path
        self._context = path.context(actor)
        self._query, self._variables = query, variables
        self.at_once = 0
        self.pace = asyncio.Event()
        self.pace.set()

    @property
    def items(self) -> list[dict[str, Any]]:
        """The received items, decoded."""
        return [item for body in self.responses for item in orjson.loads(body)["data"].values()]

    def has_received(self, position: int) -> bool:
        """Whether it has everything up to a position."""
        cursor = self._context.cursor
        return cursor is not None and StreamCursor.decode(cursor).position >= position

    async def listen(self) -> None:
        """Until it is cancelled."""
        at_once = self._receive_directly if self._path.at_once else None
        operation = await self._path.operation(self._query, self._variables)
        async with aclosing(self._path.executor.stream(operation, self._context, at_once)) as responses:
            async for response in responses:
                self.responses.append(response.to_json(request_id="test"))
                await self.pace.wait()

    def _receive_directly(self, response: Response) -> bool:
        if not self.pace.is_set():
            return False
        self.responses.append(response.to_json(request_id="test"))
        self.at_once += 1
        return True


class ListenerGroup:
    """Listeners that come and go."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._tasks: dict[Listener, asyncio.Task[None]] = {}

    async def join(self, path: DeliveryPath, actor: Actor, query: str, /, **variables: Any) -> Listener:
        """One that listens from now on."""
        listener = Listener(path, actor, query, variables)
        self._tasks[listener] = asyncio.create_task(listener.listen())
        await until(lambda: listener._context.cursor is not None)
        return listener

    async def leave(self, listener: Listener) -> None:
        """Cancel one subscriber while it waits."""
        task = self._tasks.pop(listener)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def have_received_all(self) -> None:
        """Wait until all have received all committed events."""
        await self._api.numbered()
        async with self._api.build.as_(None) as uow:
            head = (await uow.events.head()).position
        await until(lambda: all(listener.has_received(head) for listener in self._tasks), patience=HANG_SECONDS)


@asynccontextmanager
async def listener_group(api: Api) -> AsyncIterator[ListenerGroup]:
    """A group of subscribers that is closed at the end."""
    group = ListenerGroup(api)
    yield group
    for listener in tuple(group._tasks):
        await group.leave(listener)


def session_of(actor: Actor) -> Actor:
    """The same person on another device."""
    return replace(actor, session_id=uuid4())
