"""An extension of this project's HTTP server: read a body or send a response in one call, without ASGI messages."""

from typing import Final, Protocol

from starlette.types import Scope

EXCHANGE: Final = "taskriver.exchange"
"""The extension of the ASGI scope; other servers do not have it."""


class Exchange(Protocol):
    """One request and its response."""

    extra_lines: bytes
    """Header lines that middleware adds to the response, each with its CRLF."""

    def body(self) -> bytes | None:
        """The whole body if it has arrived; None if it must be received. Call it once, before anything is received."""

    def respond(self, status: int, lines: bytes, body: bytes) -> bool:
        """Send a complete response with a body. False, without effect, if it must be sent as ASGI messages.

        *lines* are its header lines, each with its CRLF; they are not validated.
        """


def without_exchange(scope: Scope) -> Scope:
    """The scope without the extension, for an application that gets a body that was received already."""
    extensions = {name: value for name, value in (scope.get("extensions") or {}).items() if name != EXCHANGE}
    return {**scope, "extensions": extensions}


def exchange_of(scope: Scope) -> Exchange | None:
    """The exchange, if the server has the extension."""
    found: Exchange | None = (scope.get("extensions") or {}).get(EXCHANGE)
    return found
