"""How a client should prove who it is: the header of every 401 (RFC 9110, 11.6.1; RFC 6750, 3)."""

from typing import Final

from domain.errors import Unauthenticated
from graphql_api.auth.facts import Header
from graphql_api.auth.tokens import MissingToken

BEARER: Final[Header] = (b"www-authenticate", b"Bearer")
_INVALID_TOKEN: Final[Header] = (b"www-authenticate", b'Bearer error="invalid_token"')


def challenge(error: Unauthenticated | None) -> Header:
    """The challenge; *error* is what was wrong with the token that came, and None if there was none.

    A request without a token is told no error code (RFC 6750, 3.1).
    """
    return BEARER if error is None or isinstance(error, MissingToken) else _INVALID_TOKEN
