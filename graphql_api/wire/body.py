"""The body of a request, read within its limits."""

from typing import Final

from starlette.types import Receive

from graphql_api.wire.alarms import Alarms, Within
from graphql_api.wire.exchange import Exchange
from graphql_api.wire.refusal import HTTPRefusal, bad_request

_CLOSE: Final = (b"connection", b"close")


class ClientGone(Exception):
    """The client went away before it had said what it wants."""


async def read_body(
    receive: Receive,
    headers: dict[bytes, bytes],
    *,
    most: int,
    alarms: Alarms,
    exchange: Exchange | None = None,
) -> bytes:
    """The whole body, at most *most* bytes, which must have come before an alarm rings.

    Raises:
        HTTPRefusal: 413 or 408; the connection is then closed, for the rest of the body is still on its way.
        ClientGone: it hung up.
    """
    if _declared(headers) > most:
        raise _too_large(most)
    if exchange is not None and (body := exchange.body()) is not None:
        if len(body) > most:
            raise _too_large(most)
        return body
    try:
        with Within(alarms):
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
            raise ClientGone
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


def _too_large(most: int) -> HTTPRefusal:
    return bad_request(f"The body is larger than {most:,} bytes.", status=413, headers=(_CLOSE,))
