"""HTTP and authentication errors, and the `WWW-Authenticate` header of a 401 (RFC 9110, 11.6.1; RFC 6750, 3)."""

from typing import Final

from asgi.request_context import Header
from domain.errors import BadRequest, DomainError, Unauthenticated, Unavailable


class MissingToken(Unauthenticated):
    """Nothing was presented."""

    def __init__(self) -> None:
        super().__init__(
            "Not authenticated: send the `accessToken` that `login` gives, as `Authorization: Bearer …`, "
            "on a socket in the payload of `connection_init`."
        )


class InvalidToken(Unauthenticated):
    """What was presented was never one of our access tokens, or is not one any more: another token is needed."""

    def __init__(self) -> None:
        super().__init__(
            "Invalid token: this is no access token of this server. "
            "Send the one that `login` gives, as `Authorization: Bearer …`."
        )


class ExpiredToken(Unauthenticated):
    """It was one of our access tokens, and its time is over: a refresh gives another."""

    def __init__(self) -> None:
        super().__init__("Token has expired: get another one with `refreshToken`, or sign in again.")


class RevokedToken(Unauthenticated):
    """A token of ours, in its time, whose session is over or whose user was disabled: only signing in helps."""

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
    """The request is malformed, and the text says how to mend it."""
    return HTTPError(status, BadRequest(text), *headers)


def unavailable(error: Unavailable) -> HTTPError:
    """A part is down; the same request may be sent again in a second."""
    return HTTPError(503, error, (b"retry-after", b"1"))


def challenge(error: Unauthenticated | None) -> Header:
    """The challenge; *error* is what was wrong with the token that came, and None if there was none.

    A request without a token is told no error code (RFC 6750, 3.1).
    """
    return BEARER if error is None or isinstance(error, MissingToken) else _INVALID_TOKEN
