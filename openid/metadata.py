"""The metadata of a provider (OpenID Connect Discovery 1.0, section 3; RFC 8414; RFC 9207, section 3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from openid.config import may_use
from openid.errors import InvalidResponse

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Signatures that are accepted: all need a private key of the provider.

`none` has no signature. HS256 and its like use one secret for both sides, so a public key could be taken for it.
"""
_DEFAULT_ALGORITHM: Final = "RS256"
_BASIC: Final = "client_secret_basic"
_POST: Final = "client_secret_post"
_S256: Final = "S256"


@dataclass(frozen=True, slots=True)
class Metadata:
    """What this server needs of it. `algorithms` are those of ID tokens, without the ones that are never accepted.

    `sends_issuer`: every response of the authorization endpoint has the parameter `iss`.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    end_session_endpoint: str | None
    sends_issuer: bool
    algorithms: frozenset[str]
    secret_in_form: bool

    @classmethod
    def of(cls, document: Mapping[str, Any], issuer: str) -> "Metadata":
        """Check a document of this issuer.

        Raises:
            InvalidResponse: it is that of another issuer, an address is missing or not acceptable, or the provider
                supports no signature that is accepted.
        """
        if document.get("issuer") != issuer:
            raise InvalidResponse(f"the metadata of {issuer} name another issuer")
        algorithms = _names(document, "id_token_signing_alg_values_supported", (_DEFAULT_ALGORITHM,)) & ALGORITHMS
        if not algorithms:
            raise InvalidResponse(f"the provider {issuer} supports none of the accepted signatures of ID tokens")
        challenges = _names(document, "code_challenge_methods_supported", (_S256,))
        if _S256 not in challenges:
            raise InvalidResponse(f"the provider {issuer} does not support PKCE with S256")
        methods = _names(document, "token_endpoint_auth_methods_supported", (_BASIC,))
        return cls(
            issuer=issuer,
            authorization_endpoint=_address(document, "authorization_endpoint", issuer),
            token_endpoint=_address(document, "token_endpoint", issuer),
            jwks_uri=_address(document, "jwks_uri", issuer),
            userinfo_endpoint=_optional_address(document, "userinfo_endpoint", issuer),
            end_session_endpoint=_optional_address(document, "end_session_endpoint", issuer),
            sends_issuer=document.get("authorization_response_iss_parameter_supported") is True,
            algorithms=algorithms,
            secret_in_form=_BASIC not in methods and _POST in methods,
        )


def _names(document: Mapping[str, Any], key: str, default: tuple[str, ...]) -> frozenset[str]:
    value = document.get(key, default)
    if not isinstance(value, list | tuple):
        return frozenset()
    return frozenset(each for each in value if isinstance(each, str))


def _address(document: Mapping[str, Any], key: str, issuer: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not may_use(value, issuer=issuer):
        raise InvalidResponse(f"{key} of the provider {issuer} is missing, or is no address with https")
    return value


def _optional_address(document: Mapping[str, Any], key: str, issuer: str) -> str | None:
    return _address(document, key, issuer) if document.get(key) is not None else None
