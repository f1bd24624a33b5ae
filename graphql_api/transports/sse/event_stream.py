"""One event stream, from its first event to its end."""

import asyncio
from contextlib import aclosing, suppress
from datetime import UTC, datetime
from typing import Any, Final, Generic

from starlette.types import Receive

from asgi.socket_writer import PeerDisconnected, SocketWriter
from domain.errors import Unauthenticated
from graphql_api.execution.executor import ContextT, Operation
from graphql_api.execution.response import request_error
from graphql_api.transports.sse import frames
from graphql_api.transports.sse.config import SSEConfig
from observability.request_records import frame_sent
from streaming.connections import FORBIDDEN

RETRY_MILLISECONDS: Final = 1_000


class EventStream(Generic[ContextT]):
    """Sends the results of a subscription until it ends, the client disconnects, or the server ends it.

    A stream that ends finally sends `complete`, or an error and `complete`. A stream that the client should resume just
    ends: the client treats that as a broken connection and reconnects.
    """

    def __init__(
        self, config: SSEConfig[ContextT], writer: SocketWriter, operation: Operation, context: ContextT
    ) -> None:
        self._config = config
        self._writer = writer
        self._operation = operation
        self._context = context
        # The result is the last part of the body.
        self._ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._sent_cursor: str | None = None

    async def run(self, receive: Receive, *, expires_at: datetime | None) -> None:
        """Run the stream to its end. The status and the headers must have been sent before.

        Raises:
            PeerDisconnected: the client has disconnected, or reads too slowly.
        """
        tasks = [asyncio.create_task(each) for each in (self._send(), self._keep_alive(), self._watch(receive))]
        expiry = self._expire_at(expires_at)
        try:
            await self._writer.body(frames.retry(RETRY_MILLISECONDS))
            last_part = await self._ended
        finally:
            if expiry is not None:
                expiry.cancel()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._writer.body(last_part, more=False)

    def end(self, code: int, why: str) -> None:
        """End the stream soon, without blocking. *code* is a WebSocket close code. Only the first call counts."""
        self._end(self._unauthenticated(why) if code == FORBIDDEN else b"")

    def _end(self, last_part: bytes) -> None:
        if not self._ended.done():
            self._ended.set_result(last_part)

    def _fail(self, error: BaseException) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)

    async def _send(self) -> None:
        try:
            await self._send_results()
        except PeerDisconnected as error:
            self._fail(error)
        except Exception as bug:
            self._end(self._result(request_error(bug, request_id=self._context.request_id)) + frames.COMPLETE)
        else:
            self._end(frames.COMPLETE)

    async def _send_results(self) -> None:
        async with aclosing(self._config.executor.stream(self._operation, self._context)) as responses:
            async for response in responses:
                if self._ended.done():
                    return  # The stream already ends in another way.
                self._sent_cursor = self._config.reached_by(self._context) if response.executed else None
                await self._writer.body(self._result(response))
                frame_sent()

    async def _keep_alive(self) -> None:
        # Send the position too: the client must be able to resume after a long time without events.
        with suppress(PeerDisconnected):
            while True:
                await asyncio.sleep(self._config.timing.idle)
                if not self._writer.busy:
                    await self._writer.body(self._keep_alive_frame())

    def _keep_alive_frame(self) -> bytes:
        cursor = self._config.cursor_of(self._context)
        if cursor is None or cursor == self._sent_cursor:
            return frames.KEEP_ALIVE
        self._sent_cursor = cursor
        return frames.position(cursor)

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
        error = request_error(Unauthenticated(why), request_id=self._context.request_id)
        return self._result(error) + frames.COMPLETE

    def _result(self, response: Any) -> bytes:
        payload = response.to_json(request_id=self._context.request_id)
        return frames.next_(payload, self._sent_cursor if response.executed else None)
