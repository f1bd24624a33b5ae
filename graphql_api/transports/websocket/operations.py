"""The operations of one WebSocket. Each runs in its own task."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import Generic

from graphql import OperationType

from asgi.client import actor_of
from asgi.request_id import new_request_id
from asgi.socket_writer import PeerDisconnected
from asgi.streaming_session import StreamingSession
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
    """Starts and stops operations.

    *perform* performs the effects of the protocol and returns when all frames are sent. So a subscription produces its
    next event only after the last one is sent: a slow client slows down its own source, and no frames accumulate here.
    *headers* are those of the handshake.

    The session is verified before a query or a mutation. Subscriptions check their actor for every event.
    """

    def __init__(
        self,
        protocol: Protocol,
        executor: Executor[ContextT],
        requests: RequestRecords,
        make_context: Callable[[str], ContextT],
        perform: Callable[[Effects], Awaitable[None]],
        session: StreamingSession,
        headers: Mapping[bytes, bytes],
    ) -> None:
        self._protocol = protocol
        self._executor = executor
        self._requests = requests
        self._make_context = make_context
        self._perform = perform
        self._session = session
        self._headers = headers
        self._running: dict[Key, _Running[ContextT]] = {}

    async def start(self, key: Key, request: OperationRequest) -> Effects:
        """Start an operation. If it cannot run, the effects contain the error."""
        record = self._requests.begin("ws", new_request_id())
        with record:
            try:
                actor = actor_of(self._session.identity)
                operation = await self._executor.prepare(
                    request, request_id=record.request_id, headers=self._headers, actor=actor
                )
            except asyncio.CancelledError:  # the connection has ended
                record.end()
                raise
            return self._start(key, operation, record)

    def stop(self, key: Key) -> None:
        """Stop an operation for which the client no longer waits. A mutation runs to its end."""
        running = self._running.get(key)
        if running is not None and running.may_stop:
            running.task.cancel()

    def contexts(self) -> dict[str, ContextT]:
        """The contexts of the operations for which the client waits, by the ids of the client."""
        return {key.id: each.context for key, each in self._running.items() if self._protocol.listens(key)}

    def _start(self, key: Key, operation: Operation | Response, record: RequestRecord) -> Effects:
        if isinstance(operation, Response):
            return self._refuse(key, operation, record)
        try:
            context = self._make_context(record.request_id)
        except Exception as bug:
            return self._refuse(key, Response({"errors": [describe(bug, request_id=record.request_id)]}), record)
        may_stop = operation.type is not OperationType.MUTATION
        task = self._session.start(self._run(key, operation, context, record), cancellable=may_stop)
        task.add_done_callback(lambda _: self._finished(key, record))
        self._running[key] = _Running(task, context, may_stop)
        return ()

    def _refuse(self, key: Key, response: Response, record: RequestRecord) -> Effects:
        record.end()
        self._protocol.finished(key)
        return self._protocol.failed(key, response.errors)

    def _finished(self, key: Key, record: RequestRecord) -> None:
        record.end()
        del self._running[key]
        self._protocol.finished(key)

    async def _run(self, key: Key, operation: Operation, context: ContextT, record: RequestRecord) -> None:
        try:
            await self._send_results(key, operation, context, record)
            record.code = record.code or OK
        except PeerDisconnected:
            raise  # This ends the session.
        except Exception as bug:
            await self._perform(self._protocol.failed(key, [describe(bug, request_id=context.request_id)]))

    async def _send_results(self, key: Key, operation: Operation, context: ContextT, record: RequestRecord) -> None:
        if operation.type is not OperationType.SUBSCRIPTION and not await self._session.verify():
            record_error(FailureCode.UNAUTHENTICATED.value)
            return
        send_directly = partial(self._send_directly, key, record, context.request_id)
        async with aclosing(self._executor.stream(operation, context, send_directly)) as responses:
            async for response in responses:
                if not response.executed:
                    await self._perform(self._protocol.failed(key, response.errors))
                    return
                payload = response.to_text(request_id=context.request_id)
                await self._perform(self._protocol.result(key, payload))
                record.frames += 1
        await self._perform(self._protocol.completed(key))

    def _send_directly(self, key: Key, record: RequestRecord, request_id: str, response: Response) -> bool:
        frame = self._protocol.frame(key, response.to_text(request_id=request_id)) if response.executed else None
        sent = frame is not None and self._session.writer.put(frame)
        record.frames += sent
        return sent
