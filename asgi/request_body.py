"""Reads a request's body within limits, and checks its content coding (RFC 9110, 8.4)."""

from collections.abc import Sequence
from typing import Final

from starlette.types import Receive

from asgi.errors import HTTPError, bad_request
from asgi.exchange import Exchange
from asgi.request_context import Header
from asgi.timeouts import TimeLimit, TimeoutQueue

_IDENTITY: Final = {b"", b"identity"}
_ACCEPT_ENCODING: Final = (b"accept-encoding", b"identity")
_MAX_FIELD: Final = 200

_CLOSE: Final = (b"connection", b"close")


def check_coding(headers: Sequence[Header]) -> None:
    """Accept a body without content coding; `identity` means the same.

    Raises:
        HTTPError: 415 with the accepted coding (RFC 9110, 15.5.16).
    """
    field = b",".join(value for name, value in headers if name == b"content-encoding")
    if len(field) > _MAX_FIELD or not {coding.strip().lower() for coding in field.split(b",")} <= _IDENTITY:
        raise bad_request(
            "Send the body uncompressed: Content-Encoding is not supported.",
            status=415,
            headers=(_ACCEPT_ENCODING,),
        )


class ClientDisconnected(Exception):
    """The client disconnected before its request was complete."""


async def read_body(
    receive: Receive,
    headers: dict[bytes, bytes],
    *,
    max_bytes: int,
    timeouts: TimeoutQueue,
    exchange: Exchange | None = None,
) -> bytes:
    """The whole body, at most *max_bytes*, received within the time limit.

    Raises:
        HTTPError: 413 or 408; the connection is then closed, because the rest of the body is still being sent.
        ClientDisconnected: the client disconnected.
    """
    if _declared_length(headers) > max_bytes:
        raise _too_large(max_bytes)
    if exchange is not None and (body := exchange.body()) is not None:
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
        return body
    try:
        with TimeLimit(timeouts):
            return await _collect(receive, max_bytes)
    except TimeoutError:
        text = f"The body did not arrive within {timeouts.seconds:g} s."
        raise bad_request(text, status=408, headers=(_CLOSE,)) from None


async def _collect(receive: Receive, max_bytes: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > max_bytes:
            raise _too_large(max_bytes)
        if not message.get("more_body", False):
            return b"".join((*chunks, chunk)) if chunks else chunk
        chunks.append(chunk)


def _declared_length(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() and len(length) < 20 else 0


def _too_large(max_bytes: int) -> HTTPError:
    return bad_request(f"The body is larger than {max_bytes:,} bytes.", status=413, headers=(_CLOSE,))
