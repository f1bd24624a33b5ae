"""The operations that run on one socket, each in a task of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Generic

from graphql import OperationType

from asgi.request_id import new_request_id
from asgi.socket_writer import PeerDisconnected
from domain.errors import FailureCode
from graphql_api.errors import describe
from graphql_api.execution.executor import ContextT, Executor, Operation
from graphql_api.execution.request import OperationRequest
from graphql_api.execution.response import Response
from graphql_api.transports.websocket.protocol import Effects, Key, Protocol
from observability.request_records import OK, RequestRecord, RequestRecords, record_error


@dataclass(frozen=True, slots=True)
class _Running(Generic[ContextT]):
    task: asyncio.Task[None]
    context: ContextT
    may_stop: bool


class Operations(Generic[ContextT]):
    """Starts and stops them. *perform* carries out the protocol's effects and returns when frames have left.
    *put* sends a frame without waiting, or not at all: then it is False.

    *vouch* says before a query or a mutation runs whether who signed in may still ask; if not, the socket is ending.
    A subscription sees to that itself, event by event.

    So a subscription is asked for its next event only when the last one has been sent: a slow reader slows its own
    source, and nothing piles up here.
    """

    def __init__(
        self,
        protocol: Protocol,
        executor: Executor[ContextT],
        requests: RequestRecords,
        make_context: Callable[[str], ContextT],
        perform: Callable[[Effects], Awaitable[None]],
        put: Callable[[str], bool],
        vouch: Callable[[], Awaitable[bool]],
    ) -> None:
        self._protocol = protocol
        self._executor = executor
        self._requests = requests
        self._make_context = make_context
        self._perform = perform
        self._put = put
        self._vouch = vouch
        self._running: dict[Key, _Running[ContextT]] = {}

    def start(self, key: Key, request: OperationRequest) -> Effects:
        """Begin an operation; what cannot be run is told at once."""
        asked = self._requests.begin("ws", new_request_id())
        with asked:
            return self._start(key, request, asked)

    def stop(self, key: Key) -> None:
        """End an operation that nobody listens to any more; a mutation once begun runs to its end."""
        running = self._running.get(key)
        if running is not None and running.may_stop:
            running.task.cancel()

    def stop_all(self) -> None:
        """End all of them."""
        for key in tuple(self._running):
            self.stop(key)

    async def wait(self) -> None:
        """Return when nothing runs any more."""
        while self._running:
            await asyncio.wait([running.task for running in self._running.values()])

    def contexts(self) -> dict[str, ContextT]:
        """The contexts of the operations that the client still listens to, by its ids."""
        return {key.id: each.context for key, each in self._running.items() if self._protocol.listens(key)}

    def _start(self, key: Key, request: OperationRequest, asked: RequestRecord) -> Effects:
        operation = self._executor.prepare(request, request_id=asked.request_id)
        if isinstance(operation, Response):
            return self._refuse(key, operation, asked)
        try:
            context = self._make_context(asked.request_id)
        except Exception as bug:
            return self._refuse(key, Response({"errors": [describe(bug, request_id=asked.request_id)]}), asked)
        task = asyncio.create_task(self._run(key, operation, context, asked))
        task.add_done_callback(lambda _: self._finished(key, asked))
        self._running[key] = _Running(task, context, operation.type is not OperationType.MUTATION)
        return ()

    def _refuse(self, key: Key, response: Response, asked: RequestRecord) -> Effects:
        asked.end()
        self._protocol.finished(key)
        return self._protocol.failed(key, response.errors)

    def _finished(self, key: Key, asked: RequestRecord) -> None:
        asked.end()
        del self._running[key]
        self._protocol.finished(key)

    async def _run(self, key: Key, operation: Operation, context: ContextT, asked: RequestRecord) -> None:
        try:
            await self._tell_all(key, operation, context, asked)
            asked.code = asked.code or OK
        except PeerDisconnected:
            return  # the conversation knows, and is ending
        except Exception as bug:
            await self._tell_bug(key, bug, context.request_id)

    async def _tell_all(self, key: Key, operation: Operation, context: ContextT, asked: RequestRecord) -> None:
        if operation.type is not OperationType.SUBSCRIPTION and not await self._vouch():
            record_error(FailureCode.UNAUTHENTICATED.value)
            return
        at_once = partial(self._tell_at_once, key, asked, context.request_id)
        async with aclosing(self._executor.stream(operation, context, at_once)) as responses:
            async for response in responses:
                if not response.executed:
                    await self._perform(self._protocol.failed(key, response.errors))
                    return
                payload = response.to_text(request_id=context.request_id)
                await self._perform(self._protocol.result(key, payload))
                asked.frames += 1
        await self._perform(self._protocol.completed(key))

    def _tell_at_once(self, key: Key, asked: RequestRecord, request_id: str, response: Response) -> bool:
        frame = self._protocol.frame(key, response.to_text(request_id=request_id)) if response.executed else None
        told = frame is not None and self._put(frame)
        asked.frames += told
        return told

    async def _tell_bug(self, key: Key, bug: Exception, request_id: str) -> None:
        try:
            await self._perform(self._protocol.failed(key, [describe(bug, request_id=request_id)]))
        except PeerDisconnected:
            return
