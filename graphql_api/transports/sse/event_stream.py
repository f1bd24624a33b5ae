"""One event stream, from its first event to its end."""

import asyncio
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import Any, Final, Generic

from starlette.types import Receive

from asgi.socket_writer import PeerDisconnected, SocketWriter
from domain.errors import Unauthenticated
from graphql_api.execution.executor import ContextT, Operation
from graphql_api.execution.response import refused
from graphql_api.transports.sse import frames
from graphql_api.transports.sse.config import SSEConfig
from observability.request_records import frame_sent
from streaming.connections import FORBIDDEN

RETRY_MILLISECONDS: Final = 1_000


class EventStream(Generic[ContextT]):
    """Tells what a subscription tells until it ends, the client goes, or somebody ends it.

    There are two ways to end for good, `complete` alone and an error with `complete`; and one to say "come back":
    the stream breaks off. A client takes that for a broken connection, and resumes.
    """

    def __init__(
        self, setup: SSEConfig[ContextT], writer: SocketWriter, operation: Operation, context: ContextT
    ) -> None:
        self._setup = setup
        self._writer = writer
        self._operation = operation
        self._context = context
        self._over: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._told: str | None = None

    async def run(self, receive: Receive, *, expires_at: datetime | None) -> None:
        """Stream until it is over; the head of the answer must have been sent.

        Raises:
            PeerDisconnected: the client reads nothing any more.
        """
        tasks = [asyncio.create_task(each) for each in (self._tell(), self._stay(), self._watch(receive))]
        expiry = self._expire_at(expires_at)
        try:
            await self._writer.body(frames.retry(RETRY_MILLISECONDS))
            farewell = await self._over
        finally:
            if expiry is not None:
                expiry.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._writer.body(farewell, more=False)

    def end(self, code: int, why: str) -> None:
        """End it soon, as a socket would be closed with *code*; only the first call counts. Never blocks."""
        self._end(self._unauthenticated(why) if code == FORBIDDEN else b"")

    def _end(self, farewell: bytes) -> None:
        if not self._over.done():
            self._over.set_result(farewell)

    def _fail(self, error: BaseException) -> None:
        if not self._over.done():
            self._over.set_exception(error)

    async def _tell(self) -> None:
        try:
            await self._tell_all()
        except PeerDisconnected as gone:
            self._fail(gone)
        except Exception as bug:
            self._end(self._result(refused(bug, request_id=self._context.request_id)) + frames.COMPLETE)
        else:
            self._end(frames.COMPLETE)

    async def _tell_all(self) -> None:
        async with aclosing(self._setup.executor.stream(self._operation, self._context)) as responses:
            async for response in responses:
                if self._over.done():
                    return  # how it ends has been decided, and is told once
                self._told = self._setup.reached_by(self._context) if response.executed else None
                await self._writer.body(self._result(response))
                frame_sent()

    async def _stay(self) -> None:
        # A client must be able to resume where it stands, however long nothing was for it.
        with suppress(PeerDisconnected):
            while True:
                await asyncio.sleep(self._setup.timing.idle)
                if not self._writer.busy:
                    await self._writer.body(self._sign_of_life())

    def _sign_of_life(self) -> bytes:
        cursor = self._setup.cursor_of(self._context)
        if cursor is None or cursor == self._told:
            return frames.KEEP_ALIVE
        self._told = cursor
        return frames.here(cursor)

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._fail(PeerDisconnected())

    def _expire_at(self, instant: datetime | None) -> asyncio.TimerHandle | None:
        if instant is None:
            return None
        seconds = max(0.0, (instant - datetime.now(UTC)).total_seconds())
        return asyncio.get_running_loop().call_later(seconds, self.end, FORBIDDEN, "Token has expired")

    def _unauthenticated(self, why: str) -> bytes:
        error = refused(Unauthenticated(why), request_id=self._context.request_id)
        return self._result(error) + frames.COMPLETE

    def _result(self, response: Any) -> bytes:
        payload = response.to_json(request_id=self._context.request_id)
        return frames.next_(payload, self._told if response.executed else None)
