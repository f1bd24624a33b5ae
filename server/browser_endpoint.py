"""What the endpoints to which browsers are sent have in common: forms in, redirects and pages out."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive, Scope, Send

from asgi.errors import HTTPError
from asgi.request_body import ClientDisconnected
from asgi.request_context import Header
from asgi.request_id import request_id_of
from asgi.response import HTTPResponse
from asgi.static_files import HTML
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
from graphql_api.transports.http.content_negotiation import wants_page
from observability.request_records import RequestRecords, log_bug, record_error, record_operation
from openid.errors import Fault, SignInFailed
from server.pages.html import HEADERS, document

MAX_QUERY: Final = 16 * 1024
MAX_PARAMETERS: Final = 50
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

sign_in_log: Final = logging.getLogger("taskriver.sign_in")


class BrowserEndpoint(ABC):
    """One path: serves *methods*, and turns exceptions into pages, or into JSON for programs."""

    def __init__(self, name: str, methods: tuple[str, ...], requests: RequestRecords) -> None:
        self._name = name
        self._methods = methods
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        request_id = request_id_of(dict(scope["headers"]))
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

    @abstractmethod
    async def answer(self, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
        """The answer to a request with one of the methods."""

    @abstractmethod
    def failure(self, scope: Scope, error: Exception, request_id: str) -> HTTPResponse:
        """The answer to a request that has failed."""

    async def _response(self, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
        if scope["method"] not in self._methods:
            allowed = ", ".join(self._methods).encode("ascii")
            return HTTPResponse(405, b"Method Not Allowed", b"text/plain", [(b"allow", allowed)])
        record_operation(self._name, scope["method"], known=True)
        try:
            return await self.answer(scope, receive, request_id)
        except ClientDisconnected:
            raise
        except Exception as error:
            return self.failure(scope, error, request_id)


def read_parameters(text: bytes, *, at_most: int = MAX_QUERY) -> Mapping[str, str]:
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


def redirect(url: str, *cookies: str) -> HTTPResponse:
    """Send the browser there with a GET, and set cookies."""
    headers = [(b"location", url.encode("ascii")), NO_REFERRER]
    headers += [(b"set-cookie", cookie.encode("latin-1")) for cookie in cookies]
    return HTTPResponse(303, headers=headers)


def status_and_message(error: Exception, request_id: str) -> tuple[int, str]:
    """How an error is answered. One that is none of ours is logged as a bug."""
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


def failure_page(
    scope: Scope, status: int, message: str, again: str | None, request_id: str, headers: list[Header]
) -> HTTPResponse:
    """A page that says why the user is not signed in, with a link to *again*; JSON for programs."""
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"").decode("latin-1")
    if not wants_page(accept):
        return HTTPResponse(status, orjson.dumps({"detail": message}), headers=[*headers, NO_REFERRER])
    link = f'<a href="{escape(again)}">Try again</a>, or go to the ' if again is not None else "Go to the "
    body = (
        f"<h1>You are not signed in</h1><p>{escape(message)}</p>"
        f'<p>{link}<a href="/">start page</a>.</p><p>Request id: <code>{escape(request_id)}</code></p>'
    )
    return HTTPResponse(status, document("Sign-in failed – Taskriver", body), HTML, [*HEADERS, *headers])
