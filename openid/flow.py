"""One sign-in: what the browser keeps between the start and the callback (RFC 6749, 10.12; RFC 7636; RFC 9700, 4.7).

The browser keeps it in a cookie, as a signed text. So `state`, `nonce` and the PKCE verifier belong to this browser,
and no process keeps anything: the callback may reach another process than the start.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import jwt
from jwt.exceptions import PyJWTError

LIFETIME_SECONDS: Final = 600
"""In which the user signs in at the provider."""

_ALGORITHM: Final = "HS256"
_TYPE: Final = "sign-in+jwt"
_PURPOSE: Final = b"taskriver sign-in through a provider"


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in that was started. `expires_at` is in Unix seconds.

    *linking* is the session of a user who is signed in and links an identity; None signs a user in.
    """

    provider: str
    state: str
    nonce: str
    verifier: str
    return_to: str
    expires_at: int
    linking: UUID | None = None

    @classmethod
    def begin(cls, provider: str, return_to: str, *, now: float, linking: UUID | None = None) -> "Flow":
        """A new flow with random values: 256 bits each."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(provider, state, nonce, verifier, return_to, int(now) + LIFETIME_SECONDS, linking)

    @property
    def challenge(self) -> str:
        """The challenge of the verifier with S256 (RFC 7636, 4.2)."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

    @property
    def use(self) -> bytes:
        """The hash that says that the flow was used, 32 bytes."""
        return hashlib.sha256(b"flow:" + self.state.encode("ascii")).digest()


class FlowSealer:
    """Signs flows for their cookies. The keys are derived from the key ring, so no other token is a flow."""

    def __init__(self, key_ring: Mapping[str, bytes]) -> None:
        self._keys = {kid: hmac.digest(key, _PURPOSE, "sha256") for kid, key in key_ring.items()}

    def seal(self, flow: Flow) -> str:
        """The text of a flow."""
        kid = next(iter(self._keys))
        claims = {
            "provider": flow.provider,
            "state": flow.state,
            "nonce": flow.nonce,
            "verifier": flow.verifier,
            "return_to": flow.return_to,
            "linking": str(flow.linking) if flow.linking is not None else None,
            "exp": flow.expires_at,
        }
        return jwt.encode(claims, self._keys[kid], _ALGORITHM, {"kid": kid, "typ": _TYPE})

    def open(self, text: str, *, now: float) -> Flow | None:
        """The flow of a text; None if this server has not sealed it, or not in time."""
        try:
            header = jwt.get_unverified_header(text)
            key = self._keys.get(str(header.get("kid")))
            if key is None or header.get("typ") != _TYPE:
                return None
            claims = jwt.decode(text, key, [_ALGORITHM], options={"require": ["exp"], "verify_exp": False})
        except (PyJWTError, ValueError, TypeError):
            return None
        flow = _flow(claims)
        return flow if flow.expires_at > now else None


def _flow(claims: Mapping[str, Any]) -> Flow:
    linking = claims["linking"]
    return Flow(
        provider=claims["provider"],
        state=claims["state"],
        nonce=claims["nonce"],
        verifier=claims["verifier"],
        return_to=claims["return_to"],
        expires_at=claims["exp"],
        linking=UUID(linking) if linking is not None else None,
    )
