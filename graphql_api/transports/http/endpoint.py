"""GraphQL over HTTP: one operation a request, by POST, or by GET for queries.

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
from graphql_api.transports.http.content_negotiation import JSON, media_type, retry_after, status_of, wants_page
from observability.request_records import RequestRecords

MAX_BODY: Final = 256 * 1024
BODY_SECONDS: Final = 10.0

Visit = Callable[[str, Mapping[bytes, bytes]], HTTPResponse]
MakeContext = Callable[[RequestContext], ContextT]

_ALLOW: Final = (b"allow", b"GET, HEAD, POST, OPTIONS")
_ALLOW_POST: Final = (b"allow", b"POST")
_CHARSET: Final = b"; charset=utf-8"


class GraphQLHTTP(Generic[ContextT]):
    """The ASGI application behind `/graphql` for `http` scopes.

    A bad token does not refuse the request, or nobody could sign in with a stale one: it is in the facts, and doors
    raise it. *page* answers a browser, given the address of the endpoint as the browser knows it, and its headers. A
    browser that comes with a query gets the answer, unless *page_opens_links*. *max_body* is in bytes.
    """

    def __init__(
        self,
        executor: Executor[ContextT],
        authenticate: Authenticate,
        make_context: MakeContext[ContextT],
        *,
        page: Visit,
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
        self._lookouts = TimeoutQueue(disconnect.DELAY_SECONDS)
        self._requests = requests or RequestRecords()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        asked = self._requests.begin("http", request_id)
        try:
            with asked:
                answer = await self._answer(scope, receive, headers, request_id)
            if answer is not None:
                await answer.send(
                    send,
                    request_id=request_id,
                    with_body=scope["method"] != "HEAD",
                    exchange=exchange_of(scope),
                    accept_encoding=headers.get(b"accept-encoding", b""),
                )
                asked.status = answer.status
        except ClientDisconnected:
            return
        finally:
            asked.end()

    async def _answer(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], request_id: str
    ) -> HTTPResponse | None:
        accept = headers.get(b"accept", b"").decode("latin-1")
        media = media_type(accept)
        try:
            if _is_visit(scope, accept) and (self._page_opens_links or not scope["query_string"]):
                return self._page(_own_url(scope, headers, self._trusted), headers)
            return await self._serve(scope, receive, headers, media, request_id)
        except HTTPError as refusal:
            return _refusal(refusal.status, refusal.error, refusal.headers, media, request_id)
        except ClientDisconnected:
            raise
        except Exception as bug:
            return _refusal(500, bug, [], media, request_id)

    async def _serve(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], media: str | None, request_id: str
    ) -> HTTPResponse | None:
        if scope["method"] == "OPTIONS":
            return HTTPResponse(204, headers=[_ALLOW])
        if scope["method"] not in ("GET", "HEAD", "POST"):
            raise bad_request("Use POST, or GET for queries.", status=405, headers=(_ALLOW,))
        if media is None:
            raise bad_request(f"The answer comes as {JSON} or application/graphql-response+json.", status=406)
        request = await self._request(scope, receive, headers)
        operation = self._executor.prepare(request, request_id=request_id)
        if isinstance(operation, Response):
            return _answer(operation, media, [], request_id)
        _check_method(operation, scope["method"])
        facts = await self._facts(scope, receive, headers, request_id)
        response = await self._run(operation, self._make_context(facts), receive)
        if response is None:
            return None
        answer = _answer(response, media, facts.response_headers, request_id)
        answer.compressible = not facts.carries_secret
        if answer.status == 401:
            answer.headers.append(challenge(facts.auth_error))
        return answer

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

    async def _facts(
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
        gone = http_disconnect(receive)
        return RequestContext(identity, auth_error, request_id, "http", scope, self._trusted, gone)

    async def _run(self, operation: Operation, context: ContextT, receive: Receive) -> Response | None:
        if operation.type is OperationType.MUTATION:
            # Once begun it runs to its end: whoever hung up will come back and look.
            return await self._executor.execute(operation, context)
        with DisconnectWatcher(receive, self._lookouts):
            return await self._executor.execute(operation, context)
        return None


def _is_visit(scope: Scope, accept: str) -> bool:
    return scope["method"] in ("GET", "HEAD") and wants_page(accept)


def _own_url(scope: Scope, headers: dict[bytes, bytes], trusted: Sequence[Network]) -> str:
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


def _answer(response: Response, media: str, headers: list[Header], request_id: str) -> HTTPResponse:
    wait = retry_after(response) if response.errors else None
    return HTTPResponse(
        status_of(response, media),
        response.to_json(request_id=request_id),
        media.encode("ascii") + _CHARSET,
        headers if wait is None else [*headers, (b"retry-after", b"%d" % wait)],
    )


def _refusal(status: int, error: Exception, headers: list[Header], media: str | None, request_id: str) -> HTTPResponse:
    response = Response({"errors": [describe(error, request_id=request_id)]})
    body = response.to_json(request_id=request_id)
    return HTTPResponse(status, body, (media or JSON).encode("ascii") + _CHARSET, headers)
