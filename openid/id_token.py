"""Verifies ID tokens (OpenID Connect Core 1.0, 3.1.3.7) and logout tokens (Back-Channel Logout 1.0, 2.6)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import jwt
from jwt.exceptions import PyJWTError

from openid.errors import InvalidToken
from openid.keys import ProviderKeys
from openid.metadata import Metadata

SKEW_SECONDS: Final = 60
"""By which the clocks of the provider and of this server may differ."""
MAX_AGE_SECONDS: Final = 600
"""Since a token was issued: it was requested a moment ago."""
MAX_TOKEN: Final = 64 * 1024
"""Characters."""
MAX_SUBJECT: Final = 255
"""Characters of `sub` (OpenID Connect Core 1.0, section 2)."""
MAX_SESSION: Final = 255
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"

_PRINTABLE: Final = re.compile(r"[\x20-\x7e]+")
_HASHES: Final = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512, "DSA": hashlib.sha512}
"""By the last three letters of the algorithm: EdDSA with Ed25519 uses SHA-512."""
_LOGOUT_TYPES: Final = frozenset({None, "jwt", "logout+jwt"})


@dataclass(frozen=True, slots=True)
class LogoutToken:
    """Whom the provider has signed out: a subject, one of its sessions, or both. `expires_at` is in Unix seconds."""

    jti: str
    subject: str | None
    session: str | None
    expires_at: float


class TokenVerifier:
    """Verifies the tokens that one provider issues for *client_id*."""

    def __init__(self, keys: ProviderKeys, client_id: str) -> None:
        self._keys = keys
        self._client_id = client_id
        # The times are checked here, with the limits of this module.
        self._jwt = jwt.PyJWT(
            {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "enforce_minimum_key_length": True}
        )

    async def id_token(
        self, token: object, metadata: Metadata, *, nonce: str, access_token: object, now: float
    ) -> Mapping[str, Any]:
        """The claims of an ID token that was sent directly by the token endpoint.

        Raises:
            InvalidToken: it is not valid, or not for this server and this sign-in.
            ProviderUnavailable, InvalidResponse: the keys cannot be read.
        """
        claims, algorithm = await self._verified(token, metadata, required=("iss", "sub", "aud", "exp", "iat"))
        self._check_audience(claims)
        _check_times(claims, now)
        sent = claims.get("nonce")
        if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(errors="replace"), nonce.encode()):
            raise InvalidToken("the nonce of the ID token is not that of this sign-in")
        if "at_hash" in claims and not _is_hash_of(claims["at_hash"], access_token, algorithm):
            raise InvalidToken("at_hash of the ID token does not fit the access token")
        _check_text(claims["sub"], "sub", MAX_SUBJECT)
        if claims.get("sid") is not None:
            _check_text(claims["sid"], "sid", MAX_SESSION)
        return claims

    async def logout_token(self, token: object, metadata: Metadata, *, now: float) -> LogoutToken:
        """Who is signed out. The caller refuses a `jti` that it has seen before.

        Raises:
            InvalidToken: it is not valid, or not for this server.
            ProviderUnavailable, InvalidResponse: the keys cannot be read.
        """
        claims, _ = await self._verified(token, metadata, required=("iss", "aud", "iat", "jti"), types=_LOGOUT_TYPES)
        self._check_audience(claims)
        _check_times(claims, now)
        events = claims.get("events")
        if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
            raise InvalidToken("the token is not a logout token")
        if "nonce" in claims:
            raise InvalidToken("the logout token has a nonce, so it is an ID token")
        for name in ("sub", "sid"):
            if claims.get(name) is not None:
                _check_text(claims[name], name, MAX_SUBJECT)
        if claims.get("sub") is None and claims.get("sid") is None:
            raise InvalidToken("the logout token has neither sub nor sid")
        _check_text(claims["jti"], "jti", 1_000)
        expires_at = claims["iat"] + MAX_AGE_SECONDS + SKEW_SECONDS
        return LogoutToken(claims["jti"], claims.get("sub"), claims.get("sid"), expires_at)

    async def _verified(
        self,
        token: object,
        metadata: Metadata,
        *,
        required: tuple[str, ...],
        types: frozenset[str | None] | None = None,
    ) -> tuple[Mapping[str, Any], str]:
        """The claims of a token with a valid signature of this issuer, and the algorithm."""
        if not isinstance(token, str) or not token.isascii() or len(token) > MAX_TOKEN:
            raise InvalidToken("the token is missing, too long, or no text")
        header = _header(token)
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in metadata.algorithms:
            raise InvalidToken("the signature of the token has an algorithm that is not accepted")
        if "crit" in header:
            raise InvalidToken("the token has critical headers, which are not supported")
        if types is not None and _type(header) not in types:
            raise InvalidToken("the token has the type of another kind of token")
        key = await self._keys.find(metadata.jwks_uri, header.get("kid"), algorithm)
        try:
            claims = self._jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._client_id,
                issuer=metadata.issuer,
                options={"require": list(required)},
            )
        except (PyJWTError, ValueError, TypeError) as error:
            raise InvalidToken(f"the token was refused: {type(error).__name__}") from error
        return claims, algorithm

    def _check_audience(self, claims: Mapping[str, Any]) -> None:
        """A token for several clients must say that this one has requested it."""
        audience, party = claims["aud"], claims.get("azp")
        if party is not None and party != self._client_id:
            raise InvalidToken("azp of the token is another client")
        if isinstance(audience, list) and len(set(map(str, audience))) > 1 and party is None:
            raise InvalidToken("the token is for several clients, and azp is missing")


def _header(token: str) -> Mapping[str, Any]:
    try:
        return jwt.get_unverified_header(token)
    except (PyJWTError, ValueError, TypeError) as error:
        raise InvalidToken("the token is no JWT") from error


def _type(header: Mapping[str, Any]) -> str | None:
    found = header.get("typ")
    return found.lower() if isinstance(found, str) else None


def _check_times(claims: Mapping[str, Any], now: float) -> None:
    issued, ends = claims["iat"], claims.get("exp")
    if not _is_time(issued) or (ends is not None and not _is_time(ends)):
        raise InvalidToken("a time of the token is no number")
    if issued > now + SKEW_SECONDS:
        raise InvalidToken(f"the token is issued {issued - now:,.0f} s in the future: compare the clocks (NTP)")
    if issued < now - MAX_AGE_SECONDS - SKEW_SECONDS:
        raise InvalidToken(f"the token is {now - issued:,.0f} s old: compare the clocks (NTP)")
    if ends is not None and ends <= now - SKEW_SECONDS:
        raise InvalidToken("the token has expired")
    if "nbf" in claims and (not _is_time(claims["nbf"]) or claims["nbf"] > now + SKEW_SECONDS):
        raise InvalidToken("the token is not valid yet")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e12


def _check_text(value: object, name: str, most: int) -> None:
    if not isinstance(value, str) or len(value) > most or not _PRINTABLE.fullmatch(value):
        raise InvalidToken(f"{name} of the token is not a text of 1 to {most} ASCII characters")


def _is_hash_of(at_hash: object, access_token: object, algorithm: str) -> bool:
    """Whether *at_hash* is the left half of the hash of the access token (OpenID Connect Core 1.0, 3.1.3.6)."""
    if not isinstance(at_hash, str) or not isinstance(access_token, str):
        return False
    digest = _HASHES[algorithm[-3:]](access_token.encode()).digest()
    expected = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    return hmac.compare_digest(expected, at_hash.rstrip("=").encode())
