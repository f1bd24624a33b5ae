"""HTTP and authentication errors, and the `WWW-Authenticate` header of a 401 (RFC 9110, 11.6.1; RFC 6750, 3)."""

from typing import Final

from asgi.request_context import Header
from domain.access_token import MissingScope, Scope
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

    def __init__(
        self,
        message: str = "Invalid token: this is not an access token of this server. "
        "Send the one that `login` returns as `Authorization: Bearer …`.",
    ) -> None:
        super().__init__(message)


class ExpiredToken(Unauthenticated):
    """The access token has expired: `refreshToken` returns a new one."""

    def __init__(
        self, message: str = "Token has expired: get a new one with `refreshToken`, or sign in again."
    ) -> None:
        super().__init__(message)


class RevokedToken(Unauthenticated):
    """The session of the access token has ended, or its user is disabled: the user must sign in again."""

    def __init__(
        self, message: str = "Invalid token: its session has ended, or its user was disabled. Sign in again."
    ) -> None:
        super().__init__(message)


class DamagedAccessToken(InvalidToken):
    """The text begins like a personal access token, but its length, characters or checksum are wrong."""

    def __init__(self) -> None:
        super().__init__("Invalid token: this personal access token is damaged. Copy the whole token again.")


class ExpiredAccessToken(ExpiredToken):
    """The personal access token has expired: the user must create another one."""

    def __init__(self) -> None:
        super().__init__("Token has expired: create a new personal access token with `createAccessToken`.")


class RevokedAccessToken(RevokedToken):
    """The personal access token was revoked, its user was disabled, or it never existed."""

    def __init__(self) -> None:
        super().__init__("Invalid token: this personal access token was revoked, or is not of this server.")


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


def insufficient_scope(error: MissingScope) -> Header:
    """The challenge for a token that lacks a scope (RFC 6750, 3); it names the scopes of which the token needs one."""
    scopes = " ".join(scope.value for scope in Scope if scope in error.needed)
    needed = f', scope="{scopes}"' if scopes else ""
    return (b"www-authenticate", f'Bearer error="insufficient_scope"{needed}'.encode("ascii"))


def challenge(error: Unauthenticated | None) -> Header:
    """The challenge for an authentication error; *error* is None if no token was sent.

    Without a token the challenge has no error code (RFC 6750, 3.1).
    """
    return BEARER if error is None or isinstance(error, MissingToken) else _INVALID_TOKEN
