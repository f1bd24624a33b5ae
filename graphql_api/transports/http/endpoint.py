"""GraphQL over HTTP: one operation per request, with POST, or with GET for queries.

https://graphql.github.io/graphql-over-http/draft/
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic

from graphql import OperationType
from starlette.types import Receive, Scope, Send

from asgi import disconnect
from asgi.client import Network, is_secure
from asgi.disconnect import DisconnectWatcher
from asgi.errors import HTTPError, bad_request, challenge, unavailable
from asgi.exchange import exchange_of
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
from observability.request_records import RequestRecords

MAX_BODY: Final = 256 * 1024
BODY_SECONDS: Final = 10.0

RenderPage = Callable[[str, Mapping[bytes, bytes]], HTTPResponse]
MakeContext = Callable[[RequestContext], ContextT]

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        record = self._requests.begin("http", request_id)
        try:
            with record:
                response = await self._respond(scope, receive, headers, request_id)
            if response is not None:
                await response.send(
                    send,
                    request_id=request_id,
                    with_body=scope["method"] != "HEAD",
                    exchange=exchange_of(scope),
                    accept_encoding=headers.get(b"accept-encoding", b""),
                )
                record.status = response.status
        except ClientDisconnected:
            return
        finally:
            record.end()

    async def _respond(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], request_id: str
    ) -> HTTPResponse | None:
        accept = headers.get(b"accept", b"").decode("latin-1")
        media = media_type(accept)
        try:
            if _wants_html(scope, accept) and (self._page_opens_links or not scope["query_string"]):
                return self._page(_endpoint_url(scope, headers, self._trusted), headers)
            return await self._serve(scope, receive, headers, media, request_id)
        except HTTPError as error:
            return _error_response(error.status, error.error, error.headers, media, request_id)
        except ClientDisconnected:
            raise
        except Exception as bug:
            return _error_response(500, bug, [], media, request_id)

    async def _serve(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], media: str | None, request_id: str
    ) -> HTTPResponse | None:
        if scope["method"] == "OPTIONS":
            return HTTPResponse(204, headers=[_ALLOW])
        if scope["method"] not in ("GET", "HEAD", "POST"):
            raise bad_request("Use POST, or GET for queries.", status=405, headers=(_ALLOW,))
        if media is None:
            raise bad_request(f"Accept {JSON} or {GRAPHQL}: the response has no other media type.", status=406)
        request = await self._request(scope, receive, headers)
        operation = self._executor.prepare(request, request_id=request_id)
        if isinstance(operation, Response):
            return _http_response(operation, media, [], request_id)
        _check_method(operation, scope["method"])
        request_context = await self._request_context(scope, receive, headers, request_id)
        response = await self._run(operation, self._make_context(request_context), receive)
        if response is None:
            return None
        http_response = _http_response(response, media, request_context.response_headers, request_id)
        http_response.compressible = not request_context.carries_secret
        if http_response.status == 401:
            http_response.headers.append(challenge(request_context.auth_error))
        return http_response

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

    async def _request_context(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], request_id: str
    ) -> RequestContext:
        identity, auth_error = None, None
        given = headers.get(b"authorization")
        try:
            identity = await self._authenticate(None if given is None else given.decode("latin-1"))
        except Unauthenticated as error:
            auth_error = error
        except Unavailable as error:
            raise unavailable(error) from None
        disconnected = http_disconnect(receive)
        return RequestContext(identity, auth_error, request_id, "http", scope, self._trusted, disconnected)

    async def _run(self, operation: Operation, context: ContextT, receive: Receive) -> Response | None:
        if operation.type is OperationType.MUTATION:
            # A mutation runs to its end, even if the client disconnects.
            return await self._executor.execute(operation, context)
        with DisconnectWatcher(receive, self._disconnect_checks):
            return await self._executor.execute(operation, context)
        return None


def _wants_html(scope: Scope, accept: str) -> bool:
    return scope["method"] in ("GET", "HEAD") and wants_page(accept)


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


def _error_response(
    status: int, error: Exception, headers: list[Header], media: str | None, request_id: str
) -> HTTPResponse:
    response = Response({"errors": [describe(error, request_id=request_id)]})
    body = response.to_json(request_id=request_id)
    return HTTPResponse(status, body, (media or JSON).encode("ascii") + _CHARSET, headers)
