"""A GraphQL client over HTTP.

Each request has its own connection. Requests are rare here, and a broken connection must be distinguishable from every
other failure.
"""

import asyncio
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import httpx2

from verification.client.failures import Away, Refused, Unreachable

TIMEOUT_SECONDS: Final = 10.0
_HEADERS: Final = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "Connection": "close",
    "User-Agent": "taskriver",
}
_UNAVAILABLE: Final = "UNAVAILABLE"
_UNAUTHENTICATED: Final = "UNAUTHENTICATED"
_NO_HEADER_VALUE: Final = (
    "The access token has characters that a header cannot have, such as a line break: sign in again."
)


@dataclass(frozen=True, slots=True)
class Api:
    """A GraphQL endpoint, `http://host:port/graphql` or https."""

    url: str
    timeout: float = TIMEOUT_SECONDS
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def socket_url(self) -> str:
        """The URL of the endpoint for WebSockets."""
        return self.url.replace("http", "ws", 1)

    async def ask(self, query: str, variables: dict[str, Any] | None = None, token: str | None = None) -> Any:
        """Send a query or mutation, and return the data of the response.

        Raises:
            Unreachable: there was no complete response.
            Away: the server is temporarily unavailable.
            Refused: the response is an error, or the token cannot be sent in a header.
        """
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        try:
            async with asyncio.timeout(self.timeout):
                answer = await self._post(body, token)
        except httpx2.LocalProtocolError:
            raise Refused(_UNAUTHENTICATED, _NO_HEADER_VALUE) from None  # the library's message contains the token
        except (httpx2.RequestError, httpx2.InvalidURL, TimeoutError) as error:
            raise Unreachable(_reason(error)) from error
        return _data(answer.status_code, answer.content)

    async def _post(self, body: bytes, token: str | None) -> httpx2.Response:
        headers = _HEADERS | self.headers
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        # Without `trust_env`, a proxy of the environment is not used: the server is often on this machine.
        async with httpx2.AsyncClient(verify=_tls(), timeout=None, trust_env=False) as client:
            return await client.post(self.url, content=body, headers=encoded)


@cache
def _tls() -> ssl.SSLContext:
    # Made once, because loading the certificates of the system takes 20 ms.
    return ssl.create_default_context()


def _reason(error: Exception) -> str:
    """Why there is no answer, as text for a user."""
    if isinstance(error, TimeoutError):
        return "timeout"
    causes = [cause for cause in _causes(error) if isinstance(cause, OSError)]
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return "connection refused"
    strerrors = (cause.strerror for cause in causes if cause.strerror)
    return next(strerrors, str(error)) or type(error).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):  # one for each address of the host
            yield from error.exceptions
        error = error.__cause__ or error.__context__


def _data(status: int, body: bytes) -> Any:
    try:
        answer = json.loads(body)
        errors, data = answer.get("errors"), answer.get("data")
    except (ValueError, AttributeError):
        kind = Away if status in (502, 503, 504) else Refused
        message = (
            f"the server answered with HTTP {status} and no GraphQL. Check that the URL is that of a Taskriver server."
        )
        raise kind(_UNAVAILABLE if kind is Away else str(status), message) from None
    if errors:
        code = str(errors[0].get("extensions", {}).get("code", status))
        raise (Away if code == _UNAVAILABLE else Refused)(code, str(errors[0].get("message", "")))
    return data
