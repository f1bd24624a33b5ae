"""GraphQL over Server-Sent Events: a request that is answered by a stream of events."""

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
from streaming.connections import Connection, ConnectionRefused, TooManyConnections

RETRY_SECONDS: Final = 5
_HEAD: Final[list[Header]] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-accel-buffering", b"no"),  # a proxy that collects events tells nothing
]
_ALLOW_POST: Final = (b"allow", b"POST")
_COMMON: Final = frozenset({b"", b"*/*", b"application/json", b"application/graphql-response+json"})


class GraphQLEvents(Generic[ContextT]):
    """Answers requests that want `text/event-stream`, and leaves all others to *otherwise*.

    Who would take JSON as well gets events for subscriptions only. What is wrong with the request itself is answered
    by HTTP; what is wrong with its document, and whatever happens later, is told in the stream, as the protocol
    wants.
    """

    def __init__(
        self,
        setup: SSEConfig[ContextT],
        otherwise: ASGIApp,
        allows_origin: AllowsOrigin,
        *,
        trusted_proxies: Sequence[Network] = (),
        requests: RequestRecords | None = None,
    ) -> None:
        self._requests = requests or RequestRecords()
        self._setup = setup
        self._otherwise = otherwise
        self._allows_origin = allows_origin
        self._trusted = trusted_proxies
        self._waiting_for_bodies = TimeoutQueue(BODY_SECONDS)
        self._lookouts = TimeoutQueue(disconnect.DELAY_SECONDS)
        self._sending = TimeoutQueue(setup.timing.send)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Answer one request, or have it answered."""
        headers = dict(scope["headers"])
        accept = headers.get(b"accept", b"")
        wanted = wants_events(accept.decode("latin-1")) if accept not in _COMMON else None
        if wanted is None or scope["method"] not in ("GET", "POST"):
            return self._otherwise(scope, receive, send)
        return self._tell(scope, receive, send, request_id_of(headers), only=wanted)

    async def _tell(self, scope: Scope, receive: Receive, send: Send, request_id: str, *, only: bool) -> None:
        asked = self._requests.begin("sse", request_id)
        mine = True
        try:
            with asked:
                mine = await self._serve(scope, receive, send, asked, only=only)
        except HTTPError as refusal:
            with asked:
                await _refuse(refusal, send, request_id)
            asked.status = refusal.status
        except ClientDisconnected:
            return
        finally:
            if mine:
                asked.end()

    async def _serve(self, scope: Scope, receive: Receive, send: Send, asked: RequestRecord, *, only: bool) -> bool:
        """Serve it, unless it is for others; whether it was not."""
        request_id = asked.request_id
        request = HandshakeRequest.of(scope, self._trusted)
        body = await self._body(scope, receive)
        operation = self._operation(scope, body, request_id)
        if not only and (isinstance(operation, Response) or operation.type is not OperationType.SUBSCRIPTION):
            await self._otherwise(without_exchange(scope), _again(body, receive), send)
            return False
        if not request.is_allowed(self._allows_origin):
            raise HTTPError(403, PermissionDenied(STREAM_ORIGIN_NOT_ALLOWED))
        call = _Call(self._setup, receive, self._writer(scope, send), send, request_id)
        if isinstance(operation, Response):
            await call.answer(operation, [])
        elif operation.type is not OperationType.SUBSCRIPTION:
            await self._ask(call, operation, request)
        elif not await self._listen(call, operation, request):
            return True
        asked.status = 200
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
            operation = self._setup.executor.prepare(parse_request(value), request_id=request_id)
        except BadRequest as refused:
            raise HTTPError(400, refused) from None
        if isinstance(operation, Operation) and operation.type is OperationType.MUTATION and scope["method"] != "POST":
            raise bad_request(
                "A mutation needs POST: a link must not change anything.", status=405, headers=(_ALLOW_POST,)
            )
        return operation

    async def _ask(self, call: "_Call[ContextT]", operation: Operation, request: HandshakeRequest) -> None:
        """A query or a mutation: one result."""
        facts = replace(await call.facts(request, None), disconnected=http_disconnect(call.receive))
        context = self._setup.make_context(facts)
        if operation.type is OperationType.MUTATION:
            await call.answer(await self._setup.executor.execute(operation, context), facts.response_headers)
            return
        with DisconnectWatcher(call.receive, self._lookouts):
            await call.answer(await self._setup.executor.execute(operation, context), facts.response_headers)

    async def _listen(self, call: "_Call[ContextT]", operation: Operation, request: HandshakeRequest) -> bool:
        """Tell until it is over; whether the client was there until then."""
        # A revocation may come as soon as we are registered, and before there is a stream to end.
        stream: EventStream[ContextT] | None = None
        ended: list[tuple[int, str]] = []

        def end(code: int, why: str) -> None:
            ended.append((code, why))
            if stream is not None:
                stream.end(code, why)

        try:
            with self._setup.connections.open(throttle_key(request.client.address), end) as connection:
                facts = await call.facts(request, connection)
                stream = EventStream(self._setup, call.writer, operation, self._setup.make_context(facts))
                for early in ended:
                    stream.end(*early)
                await call.begin([])
                await stream.run(call.receive, expires_at=facts.identity.expires_at if facts.identity else None)
        except ConnectionRefused as refused:
            raise _no_room(refused) from None
        except PeerDisconnected:
            return False
        return True


class _Call(Generic[ContextT]):
    """One request, and the way back to whoever sent it."""

    def __init__(
        self, setup: SSEConfig[ContextT], receive: Receive, writer: SocketWriter, send: Send, request_id: str
    ) -> None:
        self._setup = setup
        self._request_id = request_id
        self._send = send
        self.receive = receive
        self.writer = writer

    async def facts(self, request: HandshakeRequest, connection: Connection | None) -> RequestContext:
        """What is known of the request; with a *connection*, it is registered as theirs.

        Raises:
            HTTPError: nobody can say who this is.
            ConnectionRefused: the user has too many.
        """
        identity: Identity | None = None
        auth_error: Unauthenticated | None = None
        try:
            if connection is None:
                identity = await self._setup.authenticate(request.authorization)
            else:
                identity = await sign_in(connection, self._setup.authenticate, request.authorization)
        except Unauthenticated as error:
            auth_error = error
        except Unavailable as error:
            raise unavailable(error) from None
        return replace(request.request_context(identity, self._request_id), auth_error=auth_error, transport="http")

    async def begin(self, headers: list[Header]) -> None:
        """Send the head."""
        named = (b"x-request-id", self._request_id.encode("ascii"))
        await self._send({"type": "http.response.start", "status": 200, "headers": [*_HEAD, named, *headers]})

    async def answer(self, response: Response, headers: list[Header]) -> None:
        """Send a stream of one result."""
        await self.begin(headers)
        payload = response.to_json(request_id=self._request_id)
        await self._send({"type": "http.response.body", "body": frames.next_(payload, None) + frames.COMPLETE})


def _again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that begins with a body which has been read already."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return waiting.pop() if waiting else await receive()

    return receive_again


def _no_room(refused: ConnectionRefused) -> HTTPError:
    after = (b"retry-after", b"%d" % RETRY_SECONDS)
    if isinstance(refused, TooManyConnections):
        return HTTPError(429, RateLimited(f"{refused.reason}.", retry_after=RETRY_SECONDS), after)
    return HTTPError(503, Unavailable(f"{refused.reason}."), after)


async def _refuse(refusal: HTTPError, send: Send, request_id: str) -> None:
    body = Response({"errors": [describe(refusal.error, request_id=request_id)]}).to_json(request_id=request_id)
    await HTTPResponse(refusal.status, body, headers=refusal.headers).send(send, request_id=request_id)
