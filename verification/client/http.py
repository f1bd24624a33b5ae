"""A GraphQL client over HTTP/1.1.

Each request has its own connection. Requests are rare here, and a broken connection must be distinguishable from every
other failure.
"""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import httptools

from verification.client.failures import Away, Refused, Unreachable

TIMEOUT_SECONDS: Final = 10.0
_CHUNK: Final = 64 * 1024
_UNAVAILABLE: Final = "UNAVAILABLE"


class _Response:
    """The callbacks of httptools' parser: the body, and whether it is complete."""

    def __init__(self) -> None:
        self.body = b""
        self.complete = False

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete = True


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
            Refused: the response is an error.
        """
        body = json.dumps({"query": query, "variables": variables or {}}).encode()
        try:
            async with asyncio.timeout(self.timeout):
                status, answer = await self._post(body, token)
        except (OSError, TimeoutError, httptools.HttpParserError, asyncio.IncompleteReadError) as error:
            raise Unreachable(_reason(error)) from error
        return _data(status, answer)

    async def _post(self, body: bytes, token: str | None) -> tuple[int, bytes]:
        parts = urlsplit(self.url)
        secure = parts.scheme == "https"
        reader, writer = await asyncio.open_connection(
            parts.hostname, parts.port or (443 if secure else 80), ssl=secure or None
        )
        try:
            writer.write(self._head(parts.netloc, parts.path, len(body), token) + body)
            return await _read(reader)
        finally:
            writer.transport.abort()  # the response is complete, or the connection is broken

    def _head(self, host: str, path: str, length: int, token: str | None) -> bytes:
        headers = {
            "Host": host,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Content-Length": str(length),
            "Connection": "close",
        }
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        lines = [f"{name}: {value}" for name, value in (headers | self.headers).items()]
        return "\r\n".join([f"POST {path or '/'} HTTP/1.1", *lines, "", ""]).encode()


def _reason(error: Exception) -> str:
    """Why there is no answer, as text for a user."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "timeout"
    return (error.strerror if isinstance(error, OSError) else str(error)) or type(error).__name__


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    answer = _Response()
    parser = httptools.HttpResponseParser(answer)
    while not answer.complete:
        data = await reader.read(_CHUNK)
        if not data:
            raise ConnectionResetError("The connection was closed before the answer was complete.")
        parser.feed_data(data)
    return parser.get_status_code(), answer.body


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
