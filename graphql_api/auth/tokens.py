"""Issues and verifies access tokens: short-lived, signed JWTs. Expired and invalid tokens raise different errors."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import jwt

from asgi.errors import ExpiredToken, InvalidToken

MAX_TOKEN: Final = 4_096
"""The maximum length in characters. Tokens of this server have about 400."""

_ALGORITHM: Final = "HS256"
_TYPE: Final = "at+jwt"
_CLAIMS: Final = ["iss", "aud", "sub", "sid", "jti", "iat", "exp"]

# A lifetime is shortened at random, by at most a tenth.
_JITTER_DIVISOR: Final = 10


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A new access token, and the time when it expires (UTC, whole seconds)."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of a valid access token. It does not say whether the session still exists."""

    user_id: UUID
    session_id: UUID
    token_id: UUID
    expires_at: datetime


class AccessTokens:
    """Issues and verifies access tokens: JWTs as in RFC 9068, without `client_id` because there are no OAuth clients.

    The first key of the key ring signs. All keys verify, and a token names its key (`kid`). So you can rotate keys
    without signing users out.
    """

    def __init__(self, key_ring: Mapping[str, bytes], issuer: str, audience: str, lifetime: timedelta) -> None:
        """*key_ring* contains the signing key first.

        Raises:
            ValueError: there is no key, or a key is shorter than 32 bytes (RFC 7518, section 3.2).
        """
        self._keys = dict(key_ring)
        self._issuer = issuer
        self._audience = audience
        self._lifetime = int(lifetime.total_seconds())
        # Times are checked with the `now` of the caller, one for the whole request, and not with the library's clock.
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
        """Issue a token for a session.

        The lifetime is shortened at random by up to a tenth. Otherwise connections that are opened at the same time,
        for example after a restart, would all expire and reconnect at the same time.
        """
        issued_at = int(now.timestamp())
        expires_at = issued_at + self._lifetime - secrets.randbelow(self._lifetime // _JITTER_DIVISOR + 1)
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
        """Verify a token and return its claims.

        Raises:
            ExpiredToken: the token is valid, but it has expired.
            InvalidToken: the token is not valid.
        """
        claims = _claims_of(self._verified(token))
        if claims.expires_at <= now:
            raise ExpiredToken
        return claims

    def _check_keys(self) -> None:
        if not self._keys:
            raise ValueError("At least one key is needed to sign access tokens.")
        for kid, key in self._keys.items():
            try:
                self._jwt.encode({}, key, algorithm=_ALGORITHM)
            except jwt.InvalidKeyError as error:
                raise ValueError(f"The key {kid!r} cannot sign access tokens: {error}") from None

    def _sign(self, claims: dict[str, Any]) -> str:
        kid, key = next(iter(self._keys.items()))
        return self._jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": kid, "typ": _TYPE})

    def _verified(self, token: str) -> dict[str, Any]:
        """The payload of a token that a key of this server signed for this audience. The times are not checked."""
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
    # In Python a bool is an int too. This server never issues floats.
    if type(value) is not int:
        raise InvalidToken
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise InvalidToken from None
