"""The public keys of a provider (RFC 7517), with rotation."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from jwt import PyJWK
from jwt.exceptions import PyJWTError

from openid.errors import InvalidResponse, InvalidToken, ProviderUnavailable, SignInFailed
from openid.http import ProviderHTTP

MAX_AGE_SECONDS: Final = 3_600.0
"""Keys that were withdrawn are not accepted for longer."""
LEAST_PAUSE_SECONDS: Final = 30.0
"""Between two requests because of a key that is not known: otherwise forged tokens would cause many of them."""
RETRY_SECONDS: Final = 1.0
"""After a request that failed."""
MAX_KEYS: Final = 100
_KEY_TYPES: Final = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The type of the key, by the first letters of the algorithm."""


class ProviderKeys:
    """The keys of one provider. *clock* is in seconds, and *pause* replaces `LEAST_PAUSE_SECONDS`."""

    def __init__(
        self, http: ProviderHTTP, *, clock: Callable[[], float] = time.monotonic, pause: float = LEAST_PAUSE_SECONDS
    ) -> None:
        self._http = http
        self._clock = clock
        self._pause = pause
        self._keys: list[Mapping[str, Any]] = []
        self._read_at: float | None = None
        self._next_at = 0.0
        self._lock = asyncio.Lock()

    async def find(self, address: str, kid: object, algorithm: str) -> PyJWK:
        """The key with this id for this algorithm. Without an id there must be exactly one that fits.

        *address* is the provider's `jwks_uri`. A key that is not known is looked for there, at most once in
        `LEAST_PAUSE_SECONDS`.

        Raises:
            InvalidToken: there is no such key.
            ProviderUnavailable, InvalidResponse: the keys cannot be read.
        """
        found = self._matching(kid, algorithm)
        if self._is_old or not found:
            await self._read(address)
            found = self._matching(kid, algorithm)
        if len(found) != 1:
            raise InvalidToken(f"{len(found) or 'no'} keys of the provider fit the header of the token")
        try:
            return PyJWK(dict(found[0]), algorithm)
        except PyJWTError as error:
            raise InvalidToken(f"the key of the provider cannot be used: {type(error).__name__}") from error

    @property
    def _is_old(self) -> bool:
        return self._read_at is None or self._clock() - self._read_at > MAX_AGE_SECONDS

    async def _read(self, address: str) -> None:
        asked_at = self._clock()
        async with self._lock:
            if self._read_at is not None and self._read_at > asked_at:
                return  # another request has read them while this one waited
            if self._clock() < self._next_at:
                if self._is_old:
                    raise ProviderUnavailable("the keys of the provider could not be read a moment ago")
                return
            try:
                self._keys = _keys_of(await self._http.get(address))
            except SignInFailed:
                self._next_at = self._clock() + RETRY_SECONDS
                raise
            self._read_at = self._clock()
            self._next_at = self._read_at + self._pause

    def _matching(self, kid: object, algorithm: str) -> list[Mapping[str, Any]]:
        fitting = [key for key in self._keys if _fits(key, algorithm)]
        return fitting if kid is None else [key for key in fitting if key.get("kid") == kid]


def _keys_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    keys = document.get("keys")
    if not isinstance(keys, list):
        raise InvalidResponse("the keys of the provider are no list")
    return [key for key in keys[:MAX_KEYS] if isinstance(key, dict)]


def _fits(key: Mapping[str, Any], algorithm: str) -> bool:
    return (
        key.get("kty") == _KEY_TYPES.get(algorithm[:2])
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
    )
