"""Reads a request's body within its limits, and checks its content coding (RFC 9110, 8.4)."""

from collections.abc import Sequence
from typing import Final

from starlette.types import Receive

from asgi.errors import HTTPError, bad_request
from asgi.exchange import Exchange
from asgi.request_context import Header
from asgi.timeouts import TimeLimit, TimeoutQueue

_NONE: Final = {b"", b"identity"}
_UNDERSTOOD: Final = (b"accept-encoding", b"identity")
_MAX_FIELD: Final = 200

_CLOSE: Final = (b"connection", b"close")


def check_coding(headers: Sequence[Header]) -> None:
    """Accept a body as it is; `identity` says just that.

    Raises:
        HTTPRefusal: 415, with what is understood instead, as RFC 9110, 15.5.16, wants it.
    """
    field = b",".join(value for name, value in headers if name == b"content-encoding")
    if len(field) > _MAX_FIELD or not {coding.strip().lower() for coding in field.split(b",")} <= _NONE:
        raise bad_request(
            "Send the body as it is: no Content-Encoding is understood.", status=415, headers=(_UNDERSTOOD,)
        )


class ClientDisconnected(Exception):
    """The client went away before it had said what it wants."""


async def read_body(
    receive: Receive,
    headers: dict[bytes, bytes],
    *,
    most: int,
    alarms: TimeoutQueue,
    exchange: Exchange | None = None,
) -> bytes:
    """The whole body, at most *most* bytes, which must have come before an alarm rings.

    Raises:
        HTTPError: 413 or 408; the connection is then closed, for the rest of the body is still on its way.
        ClientDisconnected: it hung up.
    """
    if _declared(headers) > most:
        raise _too_large(most)
    if exchange is not None and (body := exchange.body()) is not None:
        if len(body) > most:
            raise _too_large(most)
        return body
    try:
        with TimeLimit(alarms):
            return await _collect(receive, most)
    except TimeoutError:
        text = f"The body did not come within {alarms.seconds:g} s."
        raise bad_request(text, status=408, headers=(_CLOSE,)) from None


async def _collect(receive: Receive, most: int) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected
        chunk: bytes = message.get("body", b"")
        size += len(chunk)
        if size > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            return b"".join((*chunks, chunk)) if chunks else chunk
        chunks.append(chunk)


def _declared(headers: dict[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() and len(length) < 20 else 0


def _too_large(most: int) -> HTTPError:
    return bad_request(f"The body is larger than {most:,} bytes.", status=413, headers=(_CLOSE,))
