"""The page `/auth/recover`, on which a user enters a recovery code. It has no script, and needs no other page."""

from collections.abc import Sequence
from typing import Final

from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope

from asgi.client import Network, client_of, is_secure
from asgi.origins import ORIGIN_NOT_ALLOWED, Origins, may_change
from asgi.request_body import read_body
from asgi.response import HTTPResponse
from asgi.static_files import HTML
from asgi.timeouts import TimeoutQueue
from domain.errors import BadRequest, Forbidden, RateLimited
from domain.recovery import PATH
from graphql_api.auth.cookies import set_refresh_cookie
from graphql_api.auth.recoveries import Recoveries
from observability.request_records import RequestRecords
from server.browser_endpoint import (
    FORM_SECONDS,
    BrowserEndpoint,
    failure_page,
    read_parameters,
    redirect,
    status_and_message,
)
from server.pages.html import document, headers_with

MAX_FORM: Final = 4 * 1024
_PAGE: Final = document(
    "Sign in with a recovery code – Taskriver",
    "<h1>Sign in with a recovery code</h1><p>The operator of this server creates a code with "
    "<code>taskriver user recover</code>. It is valid for ten minutes, once.</p>"
    f'<form method="post" action="{PATH}"><label>Recovery code <input name="code" autocomplete="one-time-code" '
    'autocapitalize="none" spellcheck="false" required></label><button>Sign in</button></form>',
)
_HEADERS: Final = headers_with(sends_forms=True)


class RecoveryEndpoint(BrowserEndpoint):
    """Shows the form, and signs in with the code that it sends."""

    def __init__(
        self,
        recoveries: Recoveries,
        *,
        next_path: str,
        cookie_secure: bool,
        trusted_proxies: Sequence[Network],
        requests: RequestRecords,
    ) -> None:
        """*next_path* is where the browser goes with the session."""
        super().__init__("recovery", ("GET", "POST"), requests)
        self._recoveries = recoveries
        self._next_path = next_path
        self._cookie_secure = cookie_secure
        self._trusted = trusted_proxies
        self._own_origin = Origins(())
        self._timeouts = TimeoutQueue(FORM_SECONDS)

    async def answer(self, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
        """The form; with a code, a session."""
        if scope["method"] == "GET":
            return HTTPResponse(200, _PAGE, HTML, [*_HEADERS])
        headers = dict(scope["headers"])
        self._check_origin(scope, headers)
        form = read_parameters(await read_body(receive, headers, max_bytes=MAX_FORM, timeouts=self._timeouts))
        if "code" not in form:
            raise BadRequest("The form has no code.")
        opened = await self._recoveries.use(client_of(scope, self._trusted), form["code"], request_id=request_id)
        return redirect(self._next_path, set_refresh_cookie(opened.refresh_token, secure=self._cookie_secure))

    def failure(self, scope: Scope, error: Exception, request_id: str) -> HTTPResponse:
        """A page with a link back to the form."""
        status, message = status_and_message(error, request_id)
        headers = [(b"retry-after", b"%d" % error.retry_after)] if isinstance(error, RateLimited) else []
        return failure_page(scope, status, message, PATH, request_id, headers)

    def _check_origin(self, scope: Scope, headers: dict[bytes, bytes]) -> None:
        """Another site could sign the browser in as another user, who then sees what is entered."""
        origin, site, host = (
            headers[name].decode("latin-1") if name in headers else None
            for name in (b"origin", b"sec-fetch-site", b"host")
        )
        secure = is_secure(scope, self._trusted)
        if not may_change(self._own_origin.allows, origin, site, host=host, secure=secure):
            raise Forbidden(ORIGIN_NOT_ALLOWED)


def route(
    recoveries: Recoveries,
    *,
    next_path: str,
    cookie_secure: bool,
    trusted_proxies: Sequence[Network],
    requests: RequestRecords,
) -> BaseRoute:
    """The route of the page."""
    endpoint = RecoveryEndpoint(
        recoveries,
        next_path=next_path,
        cookie_secure=cookie_secure,
        trusted_proxies=trusted_proxies,
        requests=requests,
    )
    return Route(PATH, endpoint)
