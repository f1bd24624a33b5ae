"""What our HTTP server can do with a request and its answer at one stroke, where ASGI needs several messages."""

from typing import Final, Protocol

from starlette.types import Scope

EXCHANGE: Final = "taskriver.exchange"
"""The extension of an ASGI scope; other servers do without."""


class Exchange(Protocol):
    """One request and its answer."""

    more: bytes
    """Lines that whoever stands between adds to the head of the answer, each with its CRLF."""

    def body(self) -> bytes | None:
        """The whole body if it is here; None if it has to be received. To be asked once, before anything else is."""

    def answer(self, status: int, lines: bytes, body: bytes) -> bool:
        """Send a whole answer that has a body; False, and nothing is done, if it has to be sent by messages.

        *lines* is its head without the status, each line with its CRLF; nobody checks them any more.
        """


def without_exchange(scope: Scope) -> Scope:
    """The same for somebody who is handed a body that was received already."""
    extensions = {name: value for name, value in (scope.get("extensions") or {}).items() if name != EXCHANGE}
    return {**scope, "extensions": extensions}


def exchange_of(scope: Scope) -> Exchange | None:
    """The exchange, if the server knows of such."""
    found: Exchange | None = (scope.get("extensions") or {}).get(EXCHANGE)
    return found
