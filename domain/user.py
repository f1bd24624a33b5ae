"""The rules for users: names, e-mail addresses, passwords and roles."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.errors import Invalid, LastAdmin
from domain.text import check_storable

MIN_USERNAME, MAX_USERNAME = 3, 20
MAX_EMAIL = 254
MIN_PASSWORD, MAX_PASSWORD_BYTES = 8, 1_024

MAX_SENT_PASSWORD_BYTES = 4 * MAX_PASSWORD_BYTES
MAX_SENT_EMAIL = 4 * MAX_EMAIL
"""Limits before the normalisation, whose time is quadratic. NFC never makes a text four times shorter."""

_USERNAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_EMAIL = re.compile(
    r"[^\s@\"<>(),:;\\]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)


class Role(StrEnum):
    """The role of a user; `policy` has the permissions."""

    USER = "USER"
    MODERATOR = "MODERATOR"
    ADMIN = "ADMIN"


class UserKind(StrEnum):
    """What a user is."""

    HUMAN = "HUMAN"
    """A person, who signs in."""
    SERVICE = "SERVICE"
    """A service account: a program, which has access tokens only. It never has a password or a session."""


NO_PASSWORD: Final = "$2b$12$" + "." * 53
"""The stored hash of a user without a password: a well-formed bcrypt hash that no password matches."""


DELETED_PREFIX: Final = "deleted-"
"""What the placeholders for the names of deleted users begin with. Nobody else can have such a name."""


class UserDirectory(StrEnum):
    """Which users a user finds. Moderators and admins find all."""

    EVERYONE = "everyone"
    PROJECTS = "projects"
    """The user, and those who share a project with the user."""

    def is_limited_for(self, role: Role) -> bool:
        """Whether a user with this role finds only some users."""
        return self is UserDirectory.PROJECTS and role is Role.USER


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether a password matches the stored hash; *replacement* is a new hash to store, if the old one is outdated."""

    matches: bool
    replacement: str | None = None


def check_username(username: str) -> str:
    """The username: 3 to 20 ASCII letters, digits, dots, dashes and underscores, a letter or digit at both ends.

    Raises:
        Invalid: anything else.
    """
    if not MIN_USERNAME <= len(username) <= MAX_USERNAME:
        raise Invalid(f"username must have {MIN_USERNAME} to {MAX_USERNAME} characters.", path=("username",))
    if username.lower().startswith(DELETED_PREFIX):
        raise Invalid(
            f"username must not begin with {DELETED_PREFIX}: deleted users have such names.", path=("username",)
        )
    if not _USERNAME.fullmatch(username):
        raise Invalid(
            "username may contain letters, digits, '.', '-' and '_', with a letter or digit at both ends.",
            path=("username",),
        )
    return username


def deleted_username(random: UUID) -> str:
    """The placeholder for the name of a deleted user: unique, and it says nothing about the user."""
    return DELETED_PREFIX + random.hex[: MAX_USERNAME - len(DELETED_PREFIX)]


def deleted_email(random: UUID) -> str:
    """The placeholder for the address of a deleted user. No mail can be sent to it (RFC 2606)."""
    return f"{random.hex}@deleted.invalid"


def check_email(email: str) -> str:
    """The e-mail address: `local@domain.tld`, at most 254 bytes of UTF-8 (RFC 5321, 4.5.3.1).

    The local part may contain letters of any script (RFC 6531). It is normalised to NFC, so that addresses that look
    the same are equal. Case is ignored for ASCII letters only, because other scripts fold differently between systems.

    Raises:
        Invalid: it is not an e-mail address.
    """
    check_storable(email, field="email")
    stripped = email.strip()
    address = unicodedata.normalize("NFC", stripped) if len(stripped) <= MAX_SENT_EMAIL else stripped
    if len(address.encode()) > MAX_EMAIL:
        raise Invalid(f"email is too long: the maximum is {MAX_EMAIL} bytes.", path=("email",))
    local, _, _ = address.rpartition("@")
    bad_dots = local.startswith(".") or local.endswith(".") or ".." in local
    if bad_dots or not address.isprintable() or not _EMAIL.fullmatch(address):
        raise Invalid("email must look like name@example.org.", path=("email",))
    return address


def check_password(password: str, *, field: str = "password") -> str:
    """A new password in NFC: at least 8 characters with upper and lower case, a digit and a symbol, no white space.

    The rules apply to the normalised form; characters are code points. The maximum is 1,024 bytes of UTF-8.

    Raises:
        Invalid: it breaks a rule; the message names the rule and never has the password.
    """
    check_storable(password, field=field)
    if len(password) > MAX_SENT_PASSWORD_BYTES:
        raise _too_long_password(field)
    password = normal_password(password)
    missing = [name for name, found in _ingredients(password).items() if not found]
    if missing:
        raise Invalid(f"{field} needs {', '.join(missing)}.", path=(field,))
    if any(character.isspace() for character in password):
        raise Invalid(f"{field} must not contain spaces.", path=(field,))
    if len(password.encode()) > MAX_PASSWORD_BYTES:
        raise _too_long_password(field)
    return password


def normal_password(password: str) -> str:
    """The password in NFC (RFC 8265, 4.2), so that the result does not depend on the keyboard."""
    return unicodedata.normalize("NFC", password)


def check_admins_remain(active_admins: int) -> None:
    """Refuse to remove the last active admin; *active_admins* is the number after the change.

    Raises:
        LastAdmin: there would be none.
    """
    if active_admins < 1:
        raise LastAdmin("This is the last active admin; make another user an admin first.", path=("userId",))


def _too_long_password(field: str) -> Invalid:
    return Invalid(f"{field} is too long: the maximum is {MAX_PASSWORD_BYTES:,} bytes.", path=(field,))


def _ingredients(password: str) -> dict[str, bool]:
    return {
        f"at least {MIN_PASSWORD} characters": len(password) >= MIN_PASSWORD,
        "an upper-case letter": any(character.isupper() for character in password),
        "a lower-case letter": any(character.islower() for character in password),
        "a digit": any(character.isdigit() for character in password),
        "a symbol": any(not character.isalnum() and not character.isspace() for character in password),
    }
