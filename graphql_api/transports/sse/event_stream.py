"""The response to a subscription: a stream of events."""

from contextlib import aclosing
from dataclasses import replace
from typing import Final, Generic

from starlette.types import Message, Receive, Send

from asgi.close_codes import CloseCode, CloseReason
from asgi.errors import HTTPError, unavailable
from asgi.request_context import Header, RequestContext
from asgi.socket_writer import PeerDisconnected
from asgi.streaming_session import StreamingSession
from asgi.websocket_handshake import Authenticate, HandshakeRequest
from domain.errors import RateLimited, Unauthenticated, Unavailable
from graphql_api.execution.executor import ContextT, Operation
from graphql_api.execution.response import Response, request_error
from graphql_api.transports.sse import frames
from graphql_api.transports.sse.config import SSEConfig
from observability.request_records import RequestRecord
from streaming.connections import ConnectionRefused, TooManyConnections

RETRY_MILLISECONDS: Final = 1_000
RETRY_SECONDS: Final = 5
_HEADERS: Final[list[Header]] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),  # Tells nginx not to buffer events.
]


class EventStream(Generic[ContextT]):
    """Sends the results of a subscription until it ends, the client disconnects, or the server ends it.

    A stream that ends finally sends `complete`, or an error and `complete`. A stream that the client should resume just
    ends: the client treats that as a broken connection and reconnects.
    """

    def __init__(
        self,
        config: SSEConfig[ContextT],
        operation: Operation,
        handshake: HandshakeRequest,
        record: RequestRecord,
        receive: Receive,
        send: Send,
    ) -> None:
        self._config = config
        self._operation = operation
        self._handshake = handshake
        self._record = record
        self._send = send
        self._session = StreamingSession(config.session, handshake, self, receive, send)
        self._writer = self._session.writer
        self._sent_cursor: str | None = None

    async def run(self) -> None:
        """Run the stream to its end. If it ends before the client disconnects, record the status 200.

        Raises:
            HTTPError: there are too many streams, or the database does not respond. Nothing was sent.
        """
        try:
            await self._session.run()
        except ConnectionRefused as refused:
            raise _connection_limit_error(refused) from None
        self._session.release()

    async def accept(self) -> None:
        """Authenticate the request, send the head of the response, and start the subscription."""
        request_id = self._record.request_id
        self._context = self._config.make_context(
            await request_context(self._handshake, self._session.authenticate, request_id)
        )
        await self._send(response_start(request_id, []))
        retry = frames.retry(RETRY_MILLISECONDS)
        await self._send({"type": "http.response.body", "body": retry, "more_body": True})
        self._session.start(self._send_results())

    async def receive(self, message: Message) -> None:
        """Ignore a message: the body of the request was read before."""

    async def ping(self) -> None:
        """Keep the connection alive, and send the position: a client can resume after a long time without events."""
        if not self._writer.busy:
            await self._writer.body(self._keep_alive_frame())

    async def close(self, reason: CloseReason | None) -> None:
        """Send the last part of the body."""
        await self._writer.body(self._last_part(reason), more=False)
        self._record.status = 200

    async def _send_results(self) -> None:
        try:
            async with aclosing(self._config.executor.stream(self._operation, self._context)) as responses:
                async for response in responses:
                    self._sent_cursor = self._config.reached_by(self._context) if response.executed else None
                    await self._writer.body(self._result(response))
                    self._record.frames += 1
        except PeerDisconnected:
            raise  # This ends the session.
        except Exception as bug:
            await self._writer.body(self._error(bug))
        self._session.complete()

    def _keep_alive_frame(self) -> bytes:
        cursor = self._config.cursor_of(self._context)
        if cursor is None or cursor == self._sent_cursor:
            return frames.KEEP_ALIVE
        self._sent_cursor = cursor
        return frames.position(cursor)

    def _last_part(self, reason: CloseReason | None) -> bytes:
        if reason is None:
            return frames.COMPLETE
        if reason.code is CloseCode.FORBIDDEN:
            return self._error(Unauthenticated(reason.reason)) + frames.COMPLETE
        return b""

    def _error(self, error: Exception) -> bytes:
        return self._result(request_error(error, request_id=self._record.request_id))

    def _result(self, response: Response) -> bytes:
        payload = response.to_json(request_id=self._record.request_id)
        return frames.next_(payload, self._sent_cursor if response.executed else None)


async def request_context(handshake: HandshakeRequest, authenticate: Authenticate, request_id: str) -> RequestContext:
    """Authenticate the request. A token that is not accepted is an error of the fields that need one.

    Raises:
        HTTPError: the database does not respond.
    """
    identity = auth_error = None
    try:
        identity = await authenticate(handshake.authorization)
    except Unauthenticated as error:
        auth_error = error
    except Unavailable as error:
        raise unavailable(error) from None
    return replace(handshake.request_context(identity, request_id), auth_error=auth_error, transport="http")


def response_start(request_id: str, headers: list[Header]) -> Message:
    """The status and the headers of a response."""
    found = [*_HEADERS, (b"x-request-id", request_id.encode("ascii")), *headers]
    return {"type": "http.response.start", "status": 200, "headers": found}


def _connection_limit_error(refused: ConnectionRefused) -> HTTPError:
    after = (b"retry-after", b"%d" % RETRY_SECONDS)
    if isinstance(refused, TooManyConnections):
        return HTTPError(429, RateLimited(f"{refused.reason}.", retry_after=RETRY_SECONDS), after)
    return HTTPError(503, Unavailable(f"{refused.reason}."), after)
