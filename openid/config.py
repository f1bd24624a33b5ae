"""What a provider is configured with."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

MAX_ISSUER: Final = 255
"""Characters, in the table of identities."""
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_NAME: Final = re.compile(r"[a-z][a-z0-9]{0,19}")


@dataclass(frozen=True, slots=True)
class ProviderConfig:
    """One provider. *redirect_uri* is registered there; each provider has its own (RFC 9700, 2.1 and 4.4.2.2).

    *logout_uri* is where the provider sends the browser after it has signed the user out.
    """

    name: str
    label: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    redirect_uri: str = ""
    logout_uri: str = ""


def is_provider_name(text: str) -> bool:
    """Whether a text can name a provider: 1 to 20 lower-case letters and digits, a letter first."""
    return _NAME.fullmatch(text) is not None


def issuer_problem(text: str) -> str | None:
    """Why a text is not an issuer (OpenID Connect Core 1.0, section 2); None if it is one."""
    parts = split(text)
    if parts is None or parts.scheme not in ("https", "http") or not parts.hostname:
        return "must be a URL such as https://login.example.org"
    if parts.query or parts.fragment or "?" in text or "#" in text or parts.username is not None:
        return "must have no user, no query and no fragment"
    if len(text) > MAX_ISSUER:
        return f"must have at most {MAX_ISSUER} characters"
    return None


def may_use(url: object, *, issuer: str) -> bool:
    """Whether an address of a provider's metadata is acceptable: https, or http if the issuer has http, too."""
    if not isinstance(url, str) or not url.isascii() or any(not each.isprintable() or each == " " for each in url):
        return False
    parts, own = split(url), split(issuer)
    if parts is None or own is None or not parts.hostname or parts.username is not None or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and own.scheme == "http")


def split(url: str) -> SplitResult | None:
    """The parts of a URL; None if it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises an error if it is not a number
    except ValueError:
        return None
    return parts
