"""GraphQL over HTTP: one operation per request, with POST, or with GET for queries.

https://graphql.github.io/graphql-over-http/draft/
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final, Generic

from graphql import OperationType
from starlette.types import Receive, Scope, Send

from asgi import disconnect
from asgi.client import Identity, Network, actor_of, is_secure
from asgi.direct_request import DirectRequest
from asgi.disconnect import DisconnectWatcher
from asgi.errors import HTTPError, bad_request, challenge, unavailable
from asgi.exchange import ResponseWriter, exchange_of
from asgi.request_body import ClientDisconnected, read_body
from asgi.request_context import Header, RequestContext, http_disconnect
from asgi.request_id import request_id_of
from asgi.response import HTTPResponse
from asgi.timeouts import TimeoutQueue
from asgi.websocket_handshake import Authenticate
from domain.errors import BadRequest, Unauthenticated, Unavailable
from graphql_api.errors import describe
from graphql_api.execution.executor import ContextT, Executor, Operation
from graphql_api.execution.request import OperationRequest, parse_request
from graphql_api.execution.response import Response
from graphql_api.transports.http.body import check_content_type, decode_json, decode_query_string
from graphql_api.transports.http.content_negotiation import (
    GRAPHQL,
    JSON,
    media_type,
    retry_after,
    status_of,
    wants_page,
)
from observability.request_records import RequestRecords, record_user

MAX_BODY: Final = 256 * 1024
BODY_SECONDS: Final = 10.0

RenderPage = Callable[[str, Mapping[bytes, bytes]], HTTPResponse]
MakeContext = Callable[[RequestContext], ContextT]

_PAGE_METHODS: Final = ("GET", "HEAD")
_Watcher = AbstractContextManager[object, bool]
_NO_WATCHER: Final[_Watcher] = nullcontext()  # type: ignore[assignment]  # its result None means false
_ALLOW: Final = (b"allow", b"GET, HEAD, POST, OPTIONS")
_ALLOW_POST: Final = (b"allow", b"POST")
_CHARSET: Final = b"; charset=utf-8"


class GraphQLHTTP(Generic[ContextT]):
    """The ASGI application for `/graphql` and `http` scopes.

    A request with an invalid token is not refused at once, because a client with an expired token must be able to sign
    in. The error is part of the request context, and permissions raise it. *page* makes the HTML page for browsers from
    the URL of the endpoint and the request headers. A browser that sends a query gets the response to the query, unless
    *page_opens_links* is set. *max_body* is in bytes.
    """

    def __init__(
        self,
        executor: Executor[ContextT],
        authenticate: Authenticate,
        make_context: MakeContext[ContextT],
        *,
        page: RenderPage,
        page_opens_links: bool = False,
        trusted_proxies: Sequence[Network] = (),
        max_body: int = MAX_BODY,
        body_seconds: float = BODY_SECONDS,
        requests: RequestRecords | None = None,
    ) -> None:
        self._executor = executor
        self._authenticate = authenticate
        self._make_context = make_context
        self._page = page
        self._page_opens_links = page_opens_links
        self._trusted = trusted_proxies
        self._max_body = max_body
        self._waiting_for_bodies = TimeoutQueue(body_seconds)
        self._disconnect_checks = TimeoutQueue(disconnect.DELAY_SECONDS)
        self._requests = requests or RequestRecords()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Serve one request."""
        headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        media = media_type(headers.get(b"accept", b"").decode("latin-1"))
        serving = self._serve(scope, receive, headers, media, request_id)
        return self._respond(serving, scope["method"], send, headers, media, request_id, exchange_of(scope))

    def serve_known(
        self,
        direct: DirectRequest,
        request: OperationRequest,
        identity: Identity,
        media: str,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> Awaitable[None]:
        """Serve a request whose operation and identity are known already."""
        headers = direct.headers
        request_id = request_id_of(headers)
        context = self._request_context(scope, receive, identity, None, request_id)
        serving = self._serve_known(receive, request, context, media, headers)
        return self._respond(serving, "POST", send, headers, media, request_id, direct)

    async def _respond(
        self,
        serving: Awaitable[HTTPResponse | None],
        method: str,
        send: Send,
        headers: dict[bytes, bytes],
        media: str | None,
        request_id: str,
        writer: ResponseWriter | None,
    ) -> None:
        """Record the request, and send what *serving* returns."""
        record = self._requests.begin("http", request_id)
        try:
            with record:
                try:
                    response = await serving
                except ClientDisconnected:
                    raise
                except Exception as error:
                    response = _error_response(error, media, request_id)
            if response is not None:
                await response.send(
                    send,
                    request_id=request_id,
                    with_body=method != "HEAD",
                    exchange=writer,
                    accept_encoding=headers.get(b"accept-encoding", b""),
                )
                record.status = response.status
        except ClientDisconnected:
            return
        finally:
            record.end()

    async def _serve(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], media: str | None, request_id: str
    ) -> HTTPResponse | None:
        method = scope["method"]
        if method in _PAGE_METHODS and self._opens_page(scope, headers):
            return self._page(_endpoint_url(scope, headers, self._trusted), headers)
        if method == "OPTIONS":
            return HTTPResponse(204, headers=[_ALLOW])
        if method not in ("GET", "HEAD", "POST"):
            raise bad_request("Use POST, or GET for queries.", status=405, headers=(_ALLOW,))
        if media is None:
            raise bad_request(f"Accept {JSON} or {GRAPHQL}: the response has no other media type.", status=406)
        request = await self._request(scope, receive, headers)
        identity, error = await self._identity(headers)
        operation = await self._executor.prepare(
            request, request_id=request_id, headers=headers, actor=actor_of(identity)
        )
        if isinstance(error, Unavailable):
            raise unavailable(error)
        if isinstance(operation, Response):
            return _http_response(operation, media, [], request_id)
        _check_method(operation, method)
        context = self._request_context(scope, receive, identity, error, request_id)
        return await self._execute(operation, context, receive, media)

    async def _serve_known(
        self,
        receive: Receive,
        request: OperationRequest,
        context: RequestContext,
        media: str,
        headers: dict[bytes, bytes],
    ) -> HTTPResponse | None:
        if context.identity is not None:
            record_user(context.identity.actor.user_id)
        operation = await self._executor.prepare(
            request, request_id=context.request_id, headers=headers, actor=actor_of(context.identity)
        )
        if isinstance(operation, Response):
            return _http_response(operation, media, [], context.request_id)
        _check_method(operation, "POST")
        return await self._execute(operation, context, receive, media)

    async def _execute(
        self, operation: Operation, context: RequestContext, receive: Receive, media: str
    ) -> HTTPResponse | None:
        response: Response | None = None
        # A mutation runs to its end, even if the client disconnects.
        is_query = operation.type is OperationType.QUERY
        watcher: _Watcher = DisconnectWatcher(receive, self._disconnect_checks) if is_query else _NO_WATCHER
        with watcher:
            response = await self._executor.execute(operation, self._make_context(context))
        if response is None:
            return None
        http_response = _http_response(response, media, context.response_headers, context.request_id)
        http_response.compressible = not context.carries_secret
        if http_response.status == 401:
            http_response.headers.append(challenge(context.auth_error))
        return http_response

    def _opens_page(self, scope: Scope, headers: dict[bytes, bytes]) -> bool:
        is_wanted = wants_page(headers.get(b"accept", b"").decode("latin-1"))
        return is_wanted and (self._page_opens_links or not scope["query_string"])

    async def _request(self, scope: Scope, receive: Receive, headers: dict[bytes, bytes]) -> OperationRequest:
        if scope["method"] == "POST":
            check_content_type(scope["headers"])
            exchange = exchange_of(scope)
            body = await read_body(
                receive, headers, max_bytes=self._max_body, timeouts=self._waiting_for_bodies, exchange=exchange
            )
            value: Any = decode_json(body)
        else:
            value = decode_query_string(scope["query_string"])
        try:
            return parse_request(value)
        except BadRequest as refused:
            raise HTTPError(400, refused) from None

    async def _identity(
        self, headers: dict[bytes, bytes]
    ) -> tuple[Identity | None, Unauthenticated | Unavailable | None]:
        """The identity, or why there is none; that the database is unavailable is for the caller to raise."""
        given = headers.get(b"authorization")
        try:
            return await self._authenticate(None if given is None else given.decode("latin-1")), None
        except (Unauthenticated, Unavailable) as error:
            return None, error

    def _request_context(
        self,
        scope: Scope,
        receive: Receive,
        identity: Identity | None,
        auth_error: Unauthenticated | None,
        request_id: str,
    ) -> RequestContext:
        disconnected = http_disconnect(receive)
        return RequestContext(identity, auth_error, request_id, "http", scope, self._trusted, disconnected)


def _endpoint_url(scope: Scope, headers: dict[bytes, bytes], trusted: Sequence[Network]) -> str:
    scheme = "https" if is_secure(scope, trusted) else "http"
    return f"{scheme}://{headers.get(b'host', b'localhost').decode('latin-1')}{scope['path']}"


def _check_method(operation: Operation, method: str) -> None:
    if operation.type is OperationType.SUBSCRIPTION:
        raise bad_request(
            "A subscription needs the WebSocket at this address, with the subprotocol graphql-transport-ws, "
            "or `Accept: text/event-stream`."
        )
    if operation.type is OperationType.MUTATION and method != "POST":
        raise bad_request("A mutation needs POST: a link must not change anything.", status=405, headers=(_ALLOW_POST,))


def _http_response(response: Response, media: str, headers: list[Header], request_id: str) -> HTTPResponse:
    wait = retry_after(response) if response.errors else None
    return HTTPResponse(
        status_of(response, media),
        response.to_json(request_id=request_id),
        media.encode("ascii") + _CHARSET,
        headers if wait is None else [*headers, (b"retry-after", b"%d" % wait)],
    )


def _error_response(error: Exception, media: str | None, request_id: str) -> HTTPResponse:
    """The response to a request that was refused, or that met a bug."""
    status, reason, headers = 500, error, list[Header]()
    if isinstance(error, HTTPError):
        status, reason, headers = error.status, error.error, error.headers
    response = Response({"errors": [describe(reason, request_id=request_id)]})
    body = response.to_json(request_id=request_id)
    return HTTPResponse(status, body, (media or JSON).encode("ascii") + _CHARSET, headers)
