"""HTTP and authentication errors, and the `WWW-Authenticate` header of a 401 (RFC 9110, 11.6.1; RFC 6750, 3)."""

from typing import Final

from asgi.request_context import Header
from domain.errors import BadRequest, DomainError, Unauthenticated, Unavailable


class MissingToken(Unauthenticated):
    """No token was sent."""

    def __init__(self) -> None:
        super().__init__(
            "Not authenticated: send the `accessToken` that `login` returns as `Authorization: Bearer …`, "
            "or on a WebSocket in the payload of `connection_init`."
        )


class InvalidToken(Unauthenticated):
    """The token is not an access token of this server, or is no longer accepted: the client needs another one."""

    def __init__(self) -> None:
        super().__init__(
            "Invalid token: this is not an access token of this server. "
            "Send the one that `login` returns as `Authorization: Bearer …`."
        )


class ExpiredToken(Unauthenticated):
    """The access token has expired: `refreshToken` returns a new one."""

    def __init__(self) -> None:
        super().__init__("Token has expired: get a new one with `refreshToken`, or sign in again.")


class RevokedToken(Unauthenticated):
    """The session of the access token has ended, or its user is disabled: the user must sign in again."""

    def __init__(self) -> None:
        super().__init__("Invalid token: its session has ended, or its user was disabled. Sign in again.")


BEARER: Final[Header] = (b"www-authenticate", b"Bearer")
_INVALID_TOKEN: Final[Header] = (b"www-authenticate", b'Bearer error="invalid_token"')


class HTTPError(Exception):
    """A request that is answered with *status* and *error*."""

    def __init__(self, status: int, error: DomainError, *headers: Header) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error
        self.headers = list(headers)


def bad_request(text: str, *, status: int = 400, headers: tuple[Header, ...] = ()) -> HTTPError:
    """The error for a malformed request; the text says how to correct it."""
    return HTTPError(status, BadRequest(text), *headers)


def unavailable(error: Unavailable) -> HTTPError:
    """The error while a dependency is unavailable; the same request may be sent again after a second."""
    return HTTPError(503, error, (b"retry-after", b"1"))


def challenge(error: Unauthenticated | None) -> Header:
    """The challenge for an authentication error; *error* is None if no token was sent.

    Without a token the challenge has no error code (RFC 6750, 3.1).
    """
    return BEARER if error is None or isinstance(error, MissingToken) else _INVALID_TOKEN
