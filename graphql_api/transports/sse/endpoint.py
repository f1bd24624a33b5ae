"""GraphQL over Server-Sent Events: the response to a request is a stream of events."""

from collections.abc import Awaitable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any, Final, Generic

from graphql import OperationType
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from asgi import disconnect
from asgi.client import Network, actor_of
from asgi.disconnect import DisconnectWatcher
from asgi.errors import HTTPError, bad_request
from asgi.exchange import without_exchange
from asgi.origins import AllowsOrigin
from asgi.request_body import ClientDisconnected, read_body
from asgi.request_context import Header, RequestContext, http_disconnect
from asgi.request_id import request_id_of
from asgi.response import HTTPResponse
from asgi.timeouts import TimeoutQueue
from asgi.websocket_handshake import STREAM_ORIGIN_NOT_ALLOWED, HandshakeRequest
from domain.errors import BadRequest, PermissionDenied
from graphql_api.errors import describe
from graphql_api.execution.executor import ContextT, Operation
from graphql_api.execution.request import parse_request
from graphql_api.execution.response import Response
from graphql_api.transports.http.body import check_content_type, decode_json, decode_query_string
from graphql_api.transports.http.content_negotiation import wants_events
from graphql_api.transports.http.endpoint import BODY_SECONDS, MAX_BODY
from graphql_api.transports.sse import frames
from graphql_api.transports.sse.config import SSEConfig
from graphql_api.transports.sse.event_stream import EventStream, request_context, response_start
from observability.request_records import RequestRecord, RequestRecords

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
        facts = await request_context(request, self._config.session.authenticate, request_id)
        operation = await self._operation(scope, body, facts)
        if not only_events and (isinstance(operation, Response) or operation.type is not OperationType.SUBSCRIPTION):
            await self._otherwise(without_exchange(scope), _replay(body, receive), send)
            return False
        if not request.is_allowed(self._allows_origin):
            raise HTTPError(403, PermissionDenied(STREAM_ORIGIN_NOT_ALLOWED))
        if isinstance(operation, Response):
            await _send_response(send, operation, request_id, [])
        elif operation.type is OperationType.SUBSCRIPTION:
            await EventStream(self._config, operation, request, record, receive, send).run()
            return True
        else:
            await self._run_once(operation, facts, receive, send)
        record.status = 200
        return True

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        if scope["method"] != "POST":
            return b""
        check_content_type(scope["headers"])
        return await read_body(receive, dict(scope["headers"]), max_bytes=MAX_BODY, timeouts=self._waiting_for_bodies)

    async def _operation(self, scope: Scope, body: bytes, facts: RequestContext) -> Operation | Response:
        try:
            value: Any = decode_json(body) if scope["method"] == "POST" else decode_query_string(scope["query_string"])
            headers = dict(scope["headers"])
            operation = await self._config.executor.prepare(
                parse_request(value), request_id=facts.request_id, headers=headers, actor=actor_of(facts.identity)
            )
        except BadRequest as refused:
            raise HTTPError(400, refused) from None
        if isinstance(operation, Operation) and operation.type is OperationType.MUTATION and scope["method"] != "POST":
            raise bad_request(
                "A mutation needs POST: a link must not change anything.", status=405, headers=(_ALLOW_POST,)
            )
        return operation

    async def _run_once(self, operation: Operation, facts: RequestContext, receive: Receive, send: Send) -> None:
        """Run a query or a mutation and send its result. A query stops when the client disconnects."""
        context = self._config.make_context(replace(facts, disconnected=http_disconnect(receive)))
        is_query = operation.type is OperationType.QUERY
        with DisconnectWatcher(receive, self._disconnect_checks) if is_query else nullcontext():
            response = await self._config.executor.execute(operation, context)
            await _send_response(send, response, facts.request_id, facts.response_headers)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns a body that was already read, before the messages of *receive*."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_with_body() -> Message:
        return pending.pop() if pending else await receive()

    return receive_with_body


async def _send_response(send: Send, response: Response, request_id: str, headers: list[Header]) -> None:
    """Send a stream with one result."""
    await send(response_start(request_id, headers))
    payload = response.to_json(request_id=request_id)
    await send({"type": "http.response.body", "body": frames.next_(payload, None) + frames.COMPLETE})


async def _send_error(error: HTTPError, send: Send, request_id: str) -> None:
    body = Response({"errors": [describe(error.error, request_id=request_id)]}).to_json(request_id=request_id)
    await HTTPResponse(error.status, body, headers=error.headers).send(send, request_id=request_id)
