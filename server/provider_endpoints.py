"""The ASGI applications below `/auth/oidc`: start, callback, and the provider's notice that a user has signed out."""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from html import escape
from typing import Final
from urllib.parse import parse_qsl

import orjson
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from asgi.client import Network, client_of
from asgi.errors import HTTPError
from asgi.request_body import ClientDisconnected, read_body
from asgi.request_context import Header
from asgi.request_id import request_id_of
from asgi.response import HTTPResponse
from asgi.static_files import HTML
from asgi.timeouts import TimeoutQueue
from domain.errors import (
    AlreadyExists,
    BadRequest,
    DomainError,
    Forbidden,
    InvalidCredentials,
    NotFound,
    RateLimited,
    Unavailable,
)
from graphql_api.auth.cookies import (
    AmbiguousCookie,
    clear_flow_cookie,
    flow_cookie,
    refresh_cookie,
    set_flow_cookie,
    set_refresh_cookie,
)
from graphql_api.auth.provider_sign_ins import CALLBACK, LOGOUT, START, ProviderSignIns
from graphql_api.transports.http.content_negotiation import wants_page
from observability.request_records import RequestRecords, log_bug, record_error, record_operation
from openid.errors import Fault, SignInFailed
from server.pages.html import HEADERS, document

MAX_QUERY: Final = 16 * 1024
MAX_PARAMETERS: Final = 50
MAX_FORM: Final = 80 * 1024
FORM_SECONDS: Final = 10.0
NO_REFERRER: Final[Header] = (b"referrer-policy", b"no-referrer")

_STATUS: Final[dict[type[DomainError] | Fault, int]] = {
    BadRequest: 400,
    InvalidCredentials: 401,
    Forbidden: 403,
    NotFound: 404,
    AlreadyExists: 409,
    RateLimited: 429,
    Unavailable: 503,
    Fault.USER: 400,
    Fault.PROVIDER: 502,
}
_BUG: Final = "Something went wrong on our side. Please report request id {}."
_INVALID_REQUEST: Final = {"error": "invalid_request"}

_log: Final = logging.getLogger("taskriver.sign_in")

Answer = Callable[["ProviderEndpoint", Scope, Receive, str], Awaitable[HTTPResponse]]


class ProviderEndpoint:
    """One endpoint: serves *method* with *answer*, and turns exceptions into pages, or into JSON for programs."""

    def __init__(
        self,
        name: str,
        method: str,
        answer: Answer,
        sign_ins: ProviderSignIns,
        *,
        cookie_secure: bool,
        trusted_proxies: Sequence[Network],
        requests: RequestRecords,
    ) -> None:
        self._name = name
        self._method = method
        self._answer = answer
        self._requests = requests
        self.sign_ins = sign_ins
        self.cookie_secure = cookie_secure
        self.trusted = trusted_proxies
        self.timeouts = TimeoutQueue(FORM_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        headers = dict(scope["headers"])
        request_id = request_id_of(headers)
        record = self._requests.begin("rest", request_id)
        try:
            with record:
                response = await self._response(scope, receive, request_id)
            await response.send(send, request_id=request_id, with_body=scope["method"] != "HEAD")
            record.status = response.status
        except ClientDisconnected:
            return
        finally:
            record.end()

    async def _response(self, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
        if scope["method"] != self._method:
            return HTTPResponse(405, b"Method Not Allowed", b"text/plain", [(b"allow", self._method.encode("ascii"))])
        record_operation(self._name, self._method, known=True)
        try:
            return await self._answer(self, scope, receive, request_id)
        except ClientDisconnected:
            raise
        except Exception as error:
            return self._failure(scope, error, request_id)

    def _failure(self, scope: Scope, error: Exception, request_id: str) -> HTTPResponse:
        status, message = _status_and_message(error, request_id)
        name = scope["path_params"]["provider"]
        if isinstance(error, SignInFailed):
            _log.warning("a sign-in through the provider %s failed: %s (request %s)", name, error.detail, request_id)
        headers = [(b"retry-after", b"%d" % error.retry_after)] if isinstance(error, RateLimited) else []
        if self._method == "POST":
            # RFC 6749, 5.2, as Back-Channel Logout 1.0, 2.8 wants it
            body = orjson.dumps(_INVALID_REQUEST | {"error_description": message})
            return HTTPResponse(status if status in (404, 429, 503) else 400, body, headers=headers)
        known = name in self.sign_ins.providers
        return _failure_page(scope, status, message, START.format(name) if known else None, request_id, headers)


async def start(endpoint: ProviderEndpoint, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
    """Send the browser to the provider. `?return_to=/path` is where it comes back to; with `?link` it links."""
    parameters = _parameters(scope["query_string"])
    links = "link" in parameters
    started = await endpoint.sign_ins.start(
        client_of(scope, endpoint.trusted),
        scope["path_params"]["provider"],
        return_to=parameters.get("return_to"),
        refresh_token=_refresh_token(scope) if links else None,
        links=links,
    )
    cookie = set_flow_cookie(started.kept, secure=endpoint.cookie_secure)
    return _redirect(started.url, cookie)


async def callback(endpoint: ProviderEndpoint, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
    """Take the browser back from the provider."""
    parameters = _parameters(scope["query_string"])
    finished = await endpoint.sign_ins.finish(
        client_of(scope, endpoint.trusted),
        scope["path_params"]["provider"],
        parameters,
        kept=flow_cookie(scope["headers"], secure=endpoint.cookie_secure),
        request_id=request_id,
    )
    cookies = [clear_flow_cookie(secure=endpoint.cookie_secure)]
    if finished.refresh_token is not None:
        cookies.append(set_refresh_cookie(finished.refresh_token, secure=endpoint.cookie_secure))
    return _redirect(finished.return_to, *cookies)


async def log_out(endpoint: ProviderEndpoint, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
    """End sessions because the provider says so (OpenID Connect Back-Channel Logout 1.0)."""
    body = await read_body(receive, dict(scope["headers"]), max_bytes=MAX_FORM, timeouts=endpoint.timeouts)
    token = _parameters(body, at_most=MAX_FORM).get("logout_token")
    if token is None:
        raise BadRequest("The form has no logout_token.")
    client, name = client_of(scope, endpoint.trusted), scope["path_params"]["provider"]
    await endpoint.sign_ins.log_out(client, name, token, request_id=request_id)
    return HTTPResponse(200, b"{}")


_ENDPOINTS: Final[tuple[tuple[str, str, str, Answer], ...]] = (
    (START, "provider_start", "GET", start),
    (CALLBACK, "provider_callback", "GET", callback),
    (LOGOUT, "provider_logout", "POST", log_out),
)


def routes(
    sign_ins: ProviderSignIns,
    *,
    cookie_secure: bool,
    trusted_proxies: Sequence[Network],
    requests: RequestRecords,
) -> list[BaseRoute]:
    """The routes; none without providers."""
    if not sign_ins.providers:
        return []
    return [
        Route(
            path.format("{provider}"),
            ProviderEndpoint(
                name,
                method,
                answer,
                sign_ins,
                cookie_secure=cookie_secure,
                trusted_proxies=trusted_proxies,
                requests=requests,
            ),
        )
        for path, name, method, answer in _ENDPOINTS
    ]


def _parameters(text: bytes, *, at_most: int = MAX_QUERY) -> Mapping[str, str]:
    """The parameters of a query or a form. One that is sent twice is refused (RFC 6749, 3.1)."""
    if len(text) > at_most:
        raise BadRequest("The parameters are too long.")
    try:
        pairs = parse_qsl(text.decode("ascii"), keep_blank_values=True, max_num_fields=MAX_PARAMETERS, errors="strict")
    except ValueError:
        raise BadRequest("The parameters are malformed.") from None
    found = dict(pairs)
    if len(found) < len(pairs):
        raise BadRequest("A parameter was sent twice.")
    return found


def _refresh_token(scope: Scope) -> str | None:
    try:
        return refresh_cookie(scope["headers"])
    except AmbiguousCookie as error:
        raise BadRequest(error.message) from None


def _redirect(url: str, *cookies: str) -> HTTPResponse:
    headers = [(b"location", url.encode("ascii")), NO_REFERRER]
    headers += [(b"set-cookie", cookie.encode("latin-1")) for cookie in cookies]
    return HTTPResponse(303, headers=headers)


def _status_and_message(error: Exception, request_id: str) -> tuple[int, str]:
    match error:
        case SignInFailed():
            record_error("INVALID_CREDENTIALS")
            return _STATUS[error.fault], error.message
        case HTTPError():
            return error.status, error.error.message
        case DomainError():
            record_error(getattr(error, "code", "BAD_REQUEST"))
            return _status(error), error.message
    record_error("INTERNAL")
    log_bug("a sign-in through a provider", error, request_id=request_id)
    return 500, _BUG.format(request_id)


def _status(error: DomainError) -> int:
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 400)


def _failure_page(
    scope: Scope, status: int, message: str, again: str | None, request_id: str, headers: list[Header]
) -> HTTPResponse:
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"").decode("latin-1")
    if not wants_page(accept):
        return HTTPResponse(status, orjson.dumps({"detail": message}), headers=[*headers, NO_REFERRER])
    link = f'<a href="{escape(again)}">Try again</a>, or go to the ' if again is not None else "Go to the "
    body = (
        f"<h1>You are not signed in</h1><p>{escape(message)}</p>"
        f'<p>{link}<a href="/">start page</a>.</p><p>Request id: <code>{escape(request_id)}</code></p>'
    )
    return HTTPResponse(status, document("Sign-in failed – Taskriver", body), HTML, [*HEADERS, *headers])
