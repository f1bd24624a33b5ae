"""Requests to providers: limited in time and size, without redirects."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2
import orjson

from openid.errors import InvalidResponse, ProviderUnavailable

SECONDS: Final = 8.0
"""For a whole request, with the connection and the body."""
MAX_BYTES: Final = 256 * 1024
"""Of a body. Metadata and keys have some kilobytes; a token response with many groups has some tens of them."""
MAX_CONNECTIONS: Final = 20
"""At the same time, to all providers, per process."""

_HEADERS: Final = {
    "accept": "application/json",
    "accept-encoding": "identity",  # so that the size of what is received is the size of what is decoded
    "user-agent": "Taskriver",
}
_IDENTITY: Final = frozenset({"", "identity"})

_log: Final = logging.getLogger("taskriver.sign_in")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the JSON object of the body; other bodies are None."""

    status: int
    body: Mapping[str, Any] | None


class ProviderHTTP:
    """Sends requests to providers.

    Redirects are not followed: a provider that redirects could make this server send a secret, or a request into its
    own network, elsewhere. A request has *seconds* in all, so a response that never ends holds nothing for longer.
    """

    def __init__(self, *, seconds: float = SECONDS, max_bytes: int = MAX_BYTES) -> None:
        self._seconds = seconds
        self._max_bytes = max_bytes
        self._client: httpx2.AsyncClient | None = None

    async def get(self, url: str, *, bearer: str | None = None) -> Mapping[str, Any]:
        """The JSON object at this address; *bearer* is an access token to send.

        Raises:
            ProviderUnavailable: there is no answer with status 200 in time.
            InvalidResponse: it is not a JSON object, it is too large, or it is a redirect.
        """
        headers = {"authorization": f"Bearer {bearer}"} if bearer is not None else {}
        answer = await self._send("GET", url, headers=headers)
        if answer.status != 200:
            raise ProviderUnavailable(f"GET {_shown(url)} was answered with status {answer.status}")
        if answer.body is None:
            raise InvalidResponse(f"GET {_shown(url)} was not answered with a JSON object")
        return answer.body

    async def post(self, url: str, form: Mapping[str, str], *, credentials: tuple[str, str] | None = None) -> Answer:
        """Send a form; *credentials* are for HTTP Basic.

        Raises:
            ProviderUnavailable: there is no answer in time, or one of the statuses from 500 on.
            InvalidResponse: it is too large, or it is a redirect.
        """
        answer = await self._send("POST", url, data=dict(form), auth=credentials)
        if answer.status >= 500:
            raise ProviderUnavailable(f"POST {_shown(url)} was answered with status {answer.status}")
        return answer

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _send(self, method: str, url: str, **options: Any) -> Answer:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._receive(method, url, **options)
        except TimeoutError as error:
            raise ProviderUnavailable(f"{method} {_shown(url)} was not answered within {self._seconds:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            raise ProviderUnavailable(f"{method} {_shown(url)} failed: {type(error).__name__}") from error

    async def _receive(self, method: str, url: str, **options: Any) -> Answer:
        headers = _HEADERS | dict(options.pop("headers", {}))
        async with self._opened().stream(method, url, headers=headers, **options) as response:
            if 300 <= response.status_code < 400:
                raise InvalidResponse(f"{method} {_shown(url)} was answered with a redirect, which is not followed")
            if response.headers.get("content-encoding", "").strip().lower() not in _IDENTITY:
                raise InvalidResponse(f"{method} {_shown(url)} was answered with a compressed body")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > self._max_bytes:
                    raise InvalidResponse(
                        f"{method} {_shown(url)} was answered with more than {self._max_bytes:,} bytes"
                    )
        return Answer(response.status_code, _json_object(bytes(body)))

    def _opened(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(
                follow_redirects=False,
                timeout=self._seconds,
                limits=httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=4),
            )
        return self._client


def _json_object(body: bytes) -> Mapping[str, Any] | None:
    try:
        value = orjson.loads(body)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _shown(url: str) -> str:
    """The address without a query, which may have a secret."""
    return url.partition("?")[0][:200]
