"""The ASGI applications below `/auth/oidc`: start, callback, and the provider's notice that a user has signed out."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import orjson
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope

from asgi.client import Network, client_of
from asgi.request_body import read_body
from asgi.response import HTTPResponse
from asgi.timeouts import TimeoutQueue
from domain.errors import BadRequest, RateLimited
from graphql_api.auth.cookies import (
    AmbiguousCookie,
    clear_flow_cookie,
    flow_cookie,
    refresh_cookie,
    set_flow_cookie,
    set_refresh_cookie,
)
from graphql_api.auth.provider_sign_ins import CALLBACK, LOGOUT, START, ProviderSignIns
from observability.request_records import RequestRecords
from openid.errors import SignInFailed
from server.browser_endpoint import (
    FORM_SECONDS,
    BrowserEndpoint,
    failure_page,
    read_parameters,
    redirect,
    sign_in_log,
    status_and_message,
)

MAX_FORM: Final = 80 * 1024

_INVALID_REQUEST: Final = {"error": "invalid_request"}
_FAILED: Final = "a sign-in through the provider %s failed: %s (request %s)"

Answer = Callable[["ProviderEndpoint", Scope, Receive, str], Awaitable[HTTPResponse]]


class ProviderEndpoint(BrowserEndpoint):
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
        super().__init__(name, (method,), requests)
        self._method = method
        self._answer = answer
        self.sign_ins = sign_ins
        self.cookie_secure = cookie_secure
        self.trusted = trusted_proxies
        self.timeouts = TimeoutQueue(FORM_SECONDS)

    async def answer(self, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
        """What this endpoint does."""
        return await self._answer(self, scope, receive, request_id)

    def failure(self, scope: Scope, error: Exception, request_id: str) -> HTTPResponse:
        """A page; for the provider's own request the error of its protocol."""
        status, message = status_and_message(error, request_id)
        name = scope["path_params"]["provider"]
        if isinstance(error, SignInFailed):
            sign_in_log.warning(_FAILED, name, error.detail, request_id)
        headers = [(b"retry-after", b"%d" % error.retry_after)] if isinstance(error, RateLimited) else []
        if self._method == "POST":
            # RFC 6749, 5.2, as Back-Channel Logout 1.0, 2.8 wants it
            body = orjson.dumps(_INVALID_REQUEST | {"error_description": message})
            return HTTPResponse(status if status in (404, 429, 503) else 400, body, headers=headers)
        known = name in self.sign_ins.providers
        return failure_page(scope, status, message, START.format(name) if known else None, request_id, headers)


async def start(endpoint: ProviderEndpoint, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
    """Send the browser to the provider. `?return_to=/path` is where it comes back to; with `?link` it links."""
    parameters = read_parameters(scope["query_string"])
    links = "link" in parameters
    started = await endpoint.sign_ins.start(
        client_of(scope, endpoint.trusted),
        scope["path_params"]["provider"],
        return_to=parameters.get("return_to"),
        refresh_token=_refresh_token(scope) if links else None,
        links=links,
    )
    cookie = set_flow_cookie(started.kept, secure=endpoint.cookie_secure)
    return redirect(started.url, cookie)


async def callback(endpoint: ProviderEndpoint, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
    """Take the browser back from the provider."""
    parameters = read_parameters(scope["query_string"])
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
    return redirect(finished.return_to, *cookies)


async def log_out(endpoint: ProviderEndpoint, scope: Scope, receive: Receive, request_id: str) -> HTTPResponse:
    """End sessions because the provider says so (OpenID Connect Back-Channel Logout 1.0)."""
    body = await read_body(receive, dict(scope["headers"]), max_bytes=MAX_FORM, timeouts=endpoint.timeouts)
    token = read_parameters(body, at_most=MAX_FORM).get("logout_token")
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


def _refresh_token(scope: Scope) -> str | None:
    try:
        return refresh_cookie(scope["headers"])
    except AmbiguousCookie as error:
        raise BadRequest(error.message) from None
