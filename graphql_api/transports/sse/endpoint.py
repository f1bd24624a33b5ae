"""GraphQL over Server-Sent Events: the response to a request is a stream of events."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Any, Final, Generic

from graphql import OperationType
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asgi import disconnect
from asgi.client import Identity, Network, throttle_key
from asgi.disconnect import DisconnectWatcher
from asgi.errors import HTTPError, bad_request, unavailable
from asgi.exchange import without_exchange
from asgi.origins import AllowsOrigin
from asgi.request_body import ClientDisconnected, read_body
from asgi.request_context import Header, RequestContext, http_disconnect
from asgi.request_id import request_id_of
from asgi.response import HTTPResponse
from asgi.socket_writer import PeerDisconnected, SocketWriter, abort_of
from asgi.timeouts import TimeoutQueue
from asgi.websocket_handshake import STREAM_ORIGIN_NOT_ALLOWED, HandshakeRequest, sign_in
from domain.errors import BadRequest, PermissionDenied, RateLimited, Unauthenticated, Unavailable
from graphql_api.errors import describe
from graphql_api.execution.executor import ContextT, Operation
from graphql_api.execution.request import parse_request
from graphql_api.execution.response import Response
from graphql_api.transports.http.body import check_content_type, decode_json, decode_query_string
from graphql_api.transports.http.content_negotiation import wants_events
from graphql_api.transports.http.endpoint import BODY_SECONDS, MAX_BODY
from graphql_api.transports.sse import frames
from graphql_api.transports.sse.config import SSEConfig
from graphql_api.transports.sse.event_stream import EventStream
from observability.request_records import RequestRecord, RequestRecords
from streaming.connections import ClientConnection, ConnectionRefused, TooManyConnections

RETRY_SECONDS: Final = 5
_HEAD: Final[list[Header]] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),  # Tells nginx not to buffer events.
]
_ALLOW_POST: Final = (b"allow", b"POST")
_COMMON: Final = frozenset({b"", b"*/*", b"application/json", b"application/graphql-response+json"})


class GraphQLEvents(Generic[ContextT]):
    """Serves requests that accept `text/event-stream`, and passes all others to *otherwise*.

    A client that also accepts JSON gets events only for subscriptions. Errors of the HTTP request have an HTTP status.
    Errors of the document, and all later errors, are sent in the stream, as the protocol requires.
    """

    def __init__(
        self,
        config: SSEConfig[ContextT],
        otherwise: ASGIApp,
        allows_origin: AllowsOrigin,
        *,
        trusted_proxies: Sequence[Network] = (),
        requests: RequestRecords | None = None,
    ) -> None:
        self._requests = requests or RequestRecords()
        self._config = config
        self._otherwise = otherwise
        self._allows_origin = allows_origin
        self._trusted = trusted_proxies
        self._waiting_for_bodies = TimeoutQueue(BODY_SECONDS)
        self._disconnect_checks = TimeoutQueue(disconnect.DELAY_SECONDS)
        self._sending = TimeoutQueue(config.timing.send)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request, or pass it on."""
        headers = dict(scope["headers"])
        accept = headers.get(b"accept", b"")
        wanted = wants_events(accept.decode("latin-1")) if accept not in _COMMON else None
        if wanted is None or scope["method"] not in ("GET", "POST"):
            return self._otherwise(scope, receive, send)
        return self._respond(scope, receive, send, request_id_of(headers), only_events=wanted)

    async def _respond(self, scope: Scope, receive: Receive, send: Send, request_id: str, *, only_events: bool) -> None:
        record = self._requests.begin("sse", request_id)
        served = True
        try:
            with record:
                served = await self._serve(scope, receive, send, record, only_events=only_events)
        except HTTPError as error:
            with record:
                await _send_error(error, send, request_id)
            record.status = error.status
        except ClientDisconnected:
            return
        finally:
            if served:
                record.end()

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, record: RequestRecord, *, only_events: bool
    ) -> bool:
        """Serve the request and return True, or pass it to `otherwise` and return False."""
        request_id = record.request_id
        request = HandshakeRequest.of(scope, self._trusted)
        body = await self._body(scope, receive)
        operation = self._operation(scope, body, request_id)
        if not only_events and (isinstance(operation, Response) or operation.type is not OperationType.SUBSCRIPTION):
            await self._otherwise(without_exchange(scope), _replay(body, receive), send)
            return False
        if not request.is_allowed(self._allows_origin):
            raise HTTPError(403, PermissionDenied(STREAM_ORIGIN_NOT_ALLOWED))
        call = _Call(self._config, receive, self._writer(scope, send), send, request_id)
        if isinstance(operation, Response):
            await call.send_response(operation, [])
        elif operation.type is not OperationType.SUBSCRIPTION:
            await self._run_once(call, operation, request)
        elif not await self._run_subscription(call, operation, request):
            return True
        record.status = 200
        return True

    def _writer(self, scope: Scope, send: Send) -> SocketWriter:
        return SocketWriter(send, self._sending, abort=abort_of(scope))

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        if scope["method"] != "POST":
            return b""
        check_content_type(scope["headers"])
        return await read_body(receive, dict(scope["headers"]), max_bytes=MAX_BODY, timeouts=self._waiting_for_bodies)

    def _operation(self, scope: Scope, body: bytes, request_id: str) -> Operation | Response:
        try:
            value: Any = decode_json(body) if scope["method"] == "POST" else decode_query_string(scope["query_string"])
            operation = self._config.executor.prepare(parse_request(value), request_id=request_id)
        except BadRequest as refused:
            raise HTTPError(400, refused) from None
        if isinstance(operation, Operation) and operation.type is OperationType.MUTATION and scope["method"] != "POST":
            raise bad_request(
                "A mutation needs POST: a link must not change anything.", status=405, headers=(_ALLOW_POST,)
            )
        return operation

    async def _run_once(self, call: "_Call[ContextT]", operation: Operation, request: HandshakeRequest) -> None:
        """Run a query or a mutation and send its result."""
        request_context = replace(await call.request_context(request, None), disconnected=http_disconnect(call.receive))
        context = self._config.make_context(request_context)
        headers = request_context.response_headers
        if operation.type is OperationType.MUTATION:
            await call.send_response(await self._config.executor.execute(operation, context), headers)
            return
        with DisconnectWatcher(call.receive, self._disconnect_checks):
            await call.send_response(await self._config.executor.execute(operation, context), headers)

    async def _run_subscription(self, call: "_Call[ContextT]", operation: Operation, request: HandshakeRequest) -> bool:
        """Run a subscription to its end. It returns False if the client disconnected before."""
        # A revocation may arrive after the connection is registered, but before the stream exists.
        stream: EventStream[ContextT] | None = None
        ended: list[tuple[int, str]] = []

        def end(code: int, why: str) -> None:
            ended.append((code, why))
            if stream is not None:
                stream.end(code, why)

        try:
            with self._config.connections.open(throttle_key(request.client.address), end) as connection:
                request_context = await call.request_context(request, connection)
                context = self._config.make_context(request_context)
                stream = EventStream(self._config, call.writer, operation, context)
                for early in ended:
                    stream.end(*early)
                await call.send_head([])
                identity = request_context.identity
                await stream.run(call.receive, expires_at=identity.expires_at if identity else None)
        except ConnectionRefused as refused:
            raise _connection_limit_error(refused) from None
        except PeerDisconnected:
            return False
        return True


class _Call(Generic[ContextT]):
    """One request and its response."""

    def __init__(
        self, config: SSEConfig[ContextT], receive: Receive, writer: SocketWriter, send: Send, request_id: str
    ) -> None:
        self._config = config
        self._request_id = request_id
        self._send = send
        self.receive = receive
        self.writer = writer

    async def request_context(self, request: HandshakeRequest, connection: ClientConnection | None) -> RequestContext:
        """Authenticate the request. If there is a *connection*, register it for the user.

        Raises:
            HTTPError: the database does not respond.
            ConnectionRefused: the user has too many connections.
        """
        identity: Identity | None = None
        auth_error: Unauthenticated | None = None
        try:
            if connection is None:
                identity = await self._config.authenticate(request.authorization)
            else:
                identity = await sign_in(connection, self._config.authenticate, request.authorization)
        except Unauthenticated as error:
            auth_error = error
        except Unavailable as error:
            raise unavailable(error) from None
        return replace(request.request_context(identity, self._request_id), auth_error=auth_error, transport="http")

    async def send_head(self, headers: list[Header]) -> None:
        """Send the status and the headers."""
        request_id = (b"x-request-id", self._request_id.encode("ascii"))
        await self._send({"type": "http.response.start", "status": 200, "headers": [*_HEAD, request_id, *headers]})

    async def send_response(self, response: Response, headers: list[Header]) -> None:
        """Send a stream with one result."""
        await self.send_head(headers)
        payload = response.to_json(request_id=self._request_id)
        await self._send({"type": "http.response.body", "body": frames.next_(payload, None) + frames.COMPLETE})


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns a body that was already read, before the messages of *receive*."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_with_body() -> Message:
        return pending.pop() if pending else await receive()

    return receive_with_body


def _connection_limit_error(refused: ConnectionRefused) -> HTTPError:
    after = (b"retry-after", b"%d" % RETRY_SECONDS)
    if isinstance(refused, TooManyConnections):
        return HTTPError(429, RateLimited(f"{refused.reason}.", retry_after=RETRY_SECONDS), after)
    return HTTPError(503, Unavailable(f"{refused.reason}."), after)


async def _send_error(error: HTTPError, send: Send, request_id: str) -> None:
    body = Response({"errors": [describe(error.error, request_id=request_id)]}).to_json(request_id=request_id)
    await HTTPResponse(error.status, body, headers=error.headers).send(send, request_id=request_id)
