"""The rules for personal access tokens: their form, their scopes, and how long they last."""

import hashlib
import secrets
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from domain.errors import Invalid, PermissionDenied
from domain.text import check_text
from domain.user import Role

PREFIX: Final = "trv_pat_"
"""The beginning of every token. Scanners for secrets find tokens by it, and by the checksum."""
MAX_NAME: Final = 100
MAX_TOKENS: Final = 100
"""The tokens of a user."""
DEFAULT_LIFETIME: Final = timedelta(days=90)
MAX_LIFETIME: Final = timedelta(days=366)
"""How long a token lasts at most, if nothing else is set."""
KEPT_AFTER_EXPIRY: Final = timedelta(days=30)
"""How long an expired token is listed, so that its user sees why it is refused."""

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_RANDOM_LENGTH: Final = 30
_CHECKSUM_LENGTH: Final = 6
_LENGTH: Final = len(PREFIX) + _RANDOM_LENGTH + _CHECKSUM_LENGTH


class Scope(StrEnum):
    """What a token may be used for. A token never has more rights than its user."""

    TASKS_READ = "tasks:read"
    TASKS_WRITE = "tasks:write"
    PROJECTS_MANAGE = "projects:manage"
    ACCOUNT = "account"
    ADMIN = "admin"


ANY_SCOPE: Final = frozenset(Scope)
"""What every token may do, whatever its scopes."""
IN_PROJECT: Final = frozenset({Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.PROJECTS_MANAGE})
"""The scopes that a token for one project may have."""
NO_TOKEN: Final[frozenset[Scope]] = frozenset()
"""What no token may do."""

INCLUDED: Final[Mapping[Scope, frozenset[Scope]]] = {
    Scope.TASKS_WRITE: frozenset({Scope.TASKS_READ}),
    Scope.PROJECTS_MANAGE: frozenset({Scope.TASKS_READ}),
}
"""The scopes that another one includes: who changes an object has to read it."""

_BY_VALUE: Final = {scope.value: scope for scope in Scope}


class MissingScope(PermissionDenied):
    """The token of the request lacks the scope; *needed* are the scopes of which it needs one."""

    def __init__(self, needed: frozenset[Scope]) -> None:
        super().__init__(missing_scope(needed))
        self.needed = needed


def missing_scope(needed: frozenset[Scope]) -> str:
    """The message for a token that has none of the needed scopes."""
    if not needed:
        return (
            "A personal access token cannot do this: sign in. "
            "So a token that others know cannot outlive its revocation."
        )
    names = " or ".join(scope.value for scope in Scope if scope in needed)
    return f"This token lacks the scope {names}: create a token that has it."


def new_token() -> str:
    """A new token: the prefix, 30 random characters (178 bits), and 6 characters of their CRC-32, in base 62."""
    random = "".join(secrets.choice(_ALPHABET) for _ in range(_RANDOM_LENGTH))
    return PREFIX + random + _checksum(random)


def is_token(text: str) -> bool:
    """Whether the text has the prefix of a personal access token. It may be damaged, see `is_intact`."""
    return text.startswith(PREFIX)


def is_intact(token: str) -> bool:
    """Whether the token has the right length, characters and checksum."""
    if len(token) != _LENGTH or not is_token(token):
        return False
    random, checksum = token[len(PREFIX) : -_CHECKSUM_LENGTH], token[-_CHECKSUM_LENGTH:]
    return random.isascii() and random.isalnum() and _checksum(random) == checksum


def token_hash(token: str) -> bytes:
    """The stored hash of an intact token: SHA-256, 32 bytes. The token is random, so it needs no salt."""
    return hashlib.sha256(token.encode("ascii")).digest()


def effective(scopes: Iterable[str], *, in_project: bool = False) -> frozenset[Scope]:
    """The scopes by their names, with those that they include. A scope of a newer version permits nothing here.

    With *in_project* it is a token for one project, which has none of the other scopes.
    """
    known = IN_PROJECT if in_project else ANY_SCOPE
    given = [_BY_VALUE[name] for name in scopes if name in _BY_VALUE and _BY_VALUE[name] in known]
    return frozenset(given).union(*(INCLUDED.get(scope, frozenset()) for scope in given))


def role_with(role: Role, scopes: frozenset[Scope]) -> Role:
    """The role as which a token acts: that of its user with the scope `admin`, else USER."""
    return role if Scope.ADMIN in scopes else Role.USER


def check_name(name: str) -> str:
    """The name, stripped: 1 to 100 characters.

    Raises:
        Invalid: outside these limits.
    """
    return check_text(name, field="name", at_least=1, at_most=MAX_NAME)


def check_scopes(scopes: Iterable[Scope], role: Role, *, in_project: bool = False) -> list[Scope]:
    """The scopes of a new token of a user with this role: each once, in the order of the enum.

    With *in_project* the token is for one project.

    Raises:
        Invalid: there are none, or one permits nothing: `admin` with this role, or outside the project.
    """
    given = set(scopes)
    if not given:
        raise Invalid("A token needs at least one scope.", path=("scopes",))
    if in_project and not given <= IN_PROJECT:
        names = ", ".join(scope.value for scope in Scope if scope in IN_PROJECT)
        raise Invalid(f"A token for one project may have the scopes {names} only.", path=("scopes",))
    if Scope.ADMIN in given and role is Role.USER:
        raise Invalid(
            "The scope admin is for moderators and admins: it permits what these roles add. Leave it out.",
            path=("scopes",),
        )
    return [scope for scope in Scope if scope in given]


def check_expiry(expires_at: datetime | None, now: datetime, max_lifetime: timedelta) -> datetime:
    """When a new token expires; the default is in 90 days, or at the end of *max_lifetime* if that is earlier.

    Raises:
        Invalid: it is in the past, or after the end of *max_lifetime*.
    """
    if expires_at is None:
        return now + min(DEFAULT_LIFETIME, max_lifetime)
    if expires_at <= now:
        raise Invalid("expiresAt must be in the future.", path=("expiresAt",))
    if expires_at > now + max_lifetime:
        raise Invalid(
            f"A token lasts at most {max_lifetime.days} days: choose an earlier expiresAt.", path=("expiresAt",)
        )
    return expires_at


def check_count(tokens: int) -> None:
    """Refuse another token for a user who has this many.

    Raises:
        Invalid: the user has too many.
    """
    if tokens >= MAX_TOKENS:
        raise Invalid(f"You have {tokens} tokens, the maximum; revoke one.")


def _checksum(random: str) -> str:
    number, digits = zlib.crc32(random.encode("ascii")), []
    for _ in range(_CHECKSUM_LENGTH):
        number, digit = divmod(number, len(_ALPHABET))
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))
