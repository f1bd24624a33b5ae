"""Access tokens: short-lived, signed, and told apart when they are garbage and when they are merely old."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import jwt

from asgi.errors import ExpiredToken, InvalidToken

MAX_TOKEN: Final = 4_096
"""Characters; ours have about 400."""

_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"
_CLAIMS: Final = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]

# Of each lifetime, at most this part is taken away at random.
_JITTER_PART: Final = 10


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A fresh access token, and the instant at which it expires (UTC, whole seconds)."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """What a valid access token says; whether the session still exists is not for a token to say."""

    user_id: UUID
    session_id: UUID
    token_id: UUID
    expires_at: datetime


class AccessTokens:
    """Issues and reads access tokens: JWTs after RFC 9068 without `client_id`, for there are no OAuth clients.

    The first key of the ring signs, each of them verifies, and a token names its key (`kid`): that is how keys
    are rotated without signing anybody out.
    """

    def __init__(self, key_ring: Mapping[str, bytes], issuer: str, audience: str, lifetime: timedelta) -> None:
        """Take the keys, the signing one first.

        Raises:
            ValueError: there is no key, or one is shorter than 32 bytes (RFC 7518, 3.2).
        """
        self._keys = dict(key_ring)
        self._issuer = issuer
        self._audience = audience
        self._lifetime = int(lifetime.total_seconds())
        # The clock is the caller's `now`, one for the whole request, so the library's own is left out of it.
        self._jwt = jwt.PyJWT(
            {
                "require": _CLAIMS,
                "strict_aud": True,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "enforce_minimum_key_length": True,
            }
        )
        self._check_keys()

    def issue(self, user_id: UUID, session_id: UUID, now: datetime) -> IssuedToken:
        """A new token for a session.

        It lives for the lifetime less up to a tenth at random: sockets opened in the same instant, after a
        restart for example, shall not all come back in the same instant again.
        """
        issued_at = int(now.timestamp())
        expires_at = issued_at + self._lifetime - secrets.randbelow(self._lifetime // _JITTER_PART + 1)
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": str(user_id),
            "sid": str(session_id),
            "jti": str(uuid4()),
            "iat": issued_at,
            "exp": expires_at,
        }
        return IssuedToken(self._sign(claims), datetime.fromtimestamp(expires_at, UTC))

    def read(self, token: str, now: datetime) -> Claims:
        """What a token says, if it is ours and its time is not over at *now*.

        Raises:
            ExpiredToken: it was ours in every respect, and its time is over.
            InvalidToken: anything else.
        """
        claims = _claims_of(self._verified(token))
        if claims.expires_at <= now:
            raise ExpiredToken
        return claims

    def _check_keys(self) -> None:
        if not self._keys:
            raise ValueError("There must be at least one key to sign access tokens with.")
        for kid, key in self._keys.items():
            try:
                self._jwt.encode({}, key, algorithm=_ALGORITHM)
            except jwt.InvalidKeyError as error:
                raise ValueError(f"The key {kid!r} cannot sign access tokens: {error}") from None

    def _sign(self, claims: dict[str, Any]) -> str:
        kid, key = next(iter(self._keys.items()))
        return self._jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": kid, "typ": _TYPE})

    def _verified(self, token: str) -> dict[str, Any]:
        """The payload of a token that one of our keys signed for us, whatever the time."""
        if len(token) > MAX_TOKEN or not token.isascii():
            raise InvalidToken
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ") != _TYPE or header.get("kid") not in self._keys:
                raise InvalidToken
            return self._jwt.decode(
                token,
                self._keys[header["kid"]],
                algorithms=[_ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
            )
        except jwt.PyJWTError:
            raise InvalidToken from None


def bearer(authorization: str | None) -> str | None:
    """The token of an `Authorization` header (RFC 6750, 2.1; the scheme in any case); None without one, or if it is
    empty, as many clients send it when nobody is signed in.

    Raises:
        InvalidToken: another scheme, or no token behind it.
    """
    if authorization is None or not authorization.strip():
        return None
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise InvalidToken
    return token.strip()


def _claims_of(payload: dict[str, Any]) -> Claims:
    return Claims(
        user_id=_uuid(payload["sub"]),
        session_id=_uuid(payload["sid"]),
        token_id=_uuid(payload["jti"]),
        expires_at=_instant(payload["exp"]),
    )


def _uuid(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError:
        raise InvalidToken from None


def _instant(value: object) -> datetime:
    # A bool is an int to Python, and a float here would be somebody else's making.
    if type(value) is not int:
        raise InvalidToken
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidToken from None
