"""The ASGI application at `/api/v1`: finds the endpoint, reads the request, and turns exceptions into responses."""

from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from asgi.client import Identity, Network, is_secure
from asgi.errors import MissingToken, bad_request
from asgi.exchange import Exchange, exchange_of
from asgi.origins import ORIGIN_MISSING, ORIGIN_NOT_ALLOWED, AllowsOrigin, may_change
from asgi.request_body import ClientDisconnected, read_body
from asgi.request_context import RequestContext, http_disconnect
from asgi.request_id import request_id_of
from asgi.response import HTTPResponse
from asgi.timeouts import TimeoutQueue
from asgi.websocket_handshake import Authenticate
from observability.request_records import RequestRecords, record_operation
from rest_api import endpoints
from rest_api.backend import RestBackend
from rest_api.endpoints import Found
from rest_api.errors import refusal, response_for
from rest_api.operation import SAFE_METHODS, Call, RestOperation
from rest_api.request import read_form, read_json, read_params

MAX_BODY: Final = 256 * 1024
BODY_SECONDS: Final = 10.0

_NOT_FOUND: Final = f"Not Found: the endpoints below {endpoints.PREFIX} are {', '.join(endpoints.PATHS)}."


class RestAPI:
    """Serves the operations of `endpoints`; *max_body* is in bytes."""

    def __init__(
        self,
        backend: RestBackend,
        authenticate: Authenticate,
        allows_origin: AllowsOrigin,
        *,
        trusted_proxies: Sequence[Network] = (),
        max_body: int = MAX_BODY,
        body_seconds: float = BODY_SECONDS,
        requests: RequestRecords | None = None,
    ) -> None:
        self._backend = backend
        self._authenticate = authenticate
        self._allows_origin = allows_origin
        self._trusted = trusted_proxies
        self._max_body = max_body
        self._body_timeouts = TimeoutQueue(body_seconds)
        self._requests = requests or RequestRecords()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        record = self._requests.begin("rest", request_id)
        try:
            with record:
                answer = await self._answer(scope, receive, request_id)
            await answer.send(
                send,
                request_id=request_id,
                with_body=scope["method"] != "HEAD",
                exchange=exchange_of(scope),
                accept_encoding=headers.get(b"accept-encoding", b""),
            )
            record.status = answer.status
        except ClientDisconnected:
            return
        finally:
            record.end()

    async def _answer(self, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
        try:
            return await self._route(scope, receive, request_id)
        except ClientDisconnected:
            raise
        except Exception as error:
            return response_for(error, request_id=request_id)

    async def _route(self, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
        found = endpoints.find("/" + scope["path_params"].get("path", ""))
        if found is None:
            return refusal(404, _NOT_FOUND)
        if scope["method"] == "OPTIONS":
            return HTTPResponse(204, headers=[(b"allow", found.endpoint.allow)])
        operation = found.endpoint.operations.get(scope["method"])
        if operation is None:
            return _not_allowed(found.endpoint.allow)
        record_operation(operation.name, operation.methods[0], known=True)
        self._check_origin(scope)
        return await self._serve(operation, found, scope, receive, request_id)

    async def _serve(
        self, operation: RestOperation, found: Found, scope: Scope, receive: Receive, request_id: str
    ) -> HTTPResponse:
        headers = Headers(scope=scope)
        identity = await self._identity(headers) if operation.security.needs_bearer else None
        disconnected = http_disconnect(receive)
        request = RequestContext(identity, None, request_id, "http", scope, self._trusted, disconnected)
        operation.access.check(request)
        params = read_params(operation.params, found.params, scope["query_string"])
        body = await self._body(operation, headers, receive, exchange_of(scope))
        try:
            response = await operation.handler(Call(self._backend, request, params, body))
        except ClientDisconnected:
            raise
        except Exception as error:
            response = response_for(error, request_id=request_id)
        limits = self._backend.write_limits
        if limits is not None and identity is not None and scope["method"] not in SAFE_METHODS:
            response.headers.extend(limits.headers(limits.budgets(identity.actor)))
        return response

    def _check_origin(self, scope: Scope) -> None:
        """Refuse a write that a page of another site sends: browsers send forms without a CORS preflight."""
        if scope["method"] in SAFE_METHODS:
            return
        headers, secure = Headers(scope=scope), is_secure(scope, self._trusted)
        origin, site, host = (headers.get(name) for name in ("origin", "sec-fetch-site", "host"))
        if not may_change(self._allows_origin, origin, site, host=host, secure=secure):
            raise bad_request(ORIGIN_NOT_ALLOWED if origin is not None else ORIGIN_MISSING, status=403)

    async def _identity(self, headers: Headers) -> Identity:
        given = headers.get("authorization", "")
        # Another scheme counts as no token, as in the older server.
        identity = await self._authenticate(given) if given.partition(" ")[0].lower() == "bearer" else None
        if identity is None:
            raise MissingToken
        return identity

    async def _body(
        self, operation: RestOperation, headers: Headers, receive: Receive, exchange: Exchange | None
    ) -> BaseModel | None:
        if operation.body is None:
            return None
        raw = dict(headers.raw)
        body = await read_body(receive, raw, max_bytes=self._max_body, timeouts=self._body_timeouts, exchange=exchange)
        if operation.is_form:
            return await read_form(operation.body, body, headers)
        return read_json(operation.body, body, headers)


def _not_allowed(allow: bytes) -> HTTPResponse:
    return refusal(405, f"Method Not Allowed: this path supports {allow.decode('ascii')}.", (b"allow", allow))
