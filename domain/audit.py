"""The entries of the audit log: who changed access, or tried to, from where and when.

An entry has no password, token, hash or e-mail address. Its texts are one line each: control characters are escaped, so
that no name and no header can look like another entry.
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, Self
from uuid import UUID

MAX_TEXT: Final = 200
"""Characters of a text in an entry, before control characters are escaped."""
MAX_LIST: Final = 50
"""Texts of a list in an entry."""
RETENTION: Final = timedelta(days=400)
"""How long entries are kept, if nothing else is set."""
_VERSION_AND_VARIANT: Final = 0xF << 76 | 0b11 << 62
_VERSION_8: Final = 8 << 76 | 0b10 << 62

Detail = str | int | bool | None | tuple[str, ...]


class AuditAction(StrEnum):
    """What was done. A name has at most 40 characters; older versions refuse to show names that they do not know."""

    SIGNED_IN = "SIGNED_IN"
    SIGN_IN_FAILED = "SIGN_IN_FAILED"
    SIGNED_OUT = "SIGNED_OUT"
    SIGNED_OUT_EVERYWHERE = "SIGNED_OUT_EVERYWHERE"
    SESSION_REVOKED = "SESSION_REVOKED"
    TOKEN_REUSED = "TOKEN_REUSED"  # noqa: S105 - the name of an action
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the name of an action
    PASSWORD_CHANGE_FAILED = "PASSWORD_CHANGE_FAILED"  # noqa: S105 - the name of an action
    USER_CREATED = "USER_CREATED"
    ROLE_CHANGED = "ROLE_CHANGED"
    USER_ENABLED = "USER_ENABLED"
    USER_DISABLED = "USER_DISABLED"
    USER_DELETED = "USER_DELETED"
    ACCESS_TOKEN_CREATED = "ACCESS_TOKEN_CREATED"  # noqa: S105 - the name of an action
    ACCESS_TOKEN_REVOKED = "ACCESS_TOKEN_REVOKED"  # noqa: S105 - the name of an action
    PROJECT_CREATED = "PROJECT_CREATED"
    PROJECT_ARCHIVED = "PROJECT_ARCHIVED"
    PROJECT_REOPENED = "PROJECT_REOPENED"
    PROJECT_DELETED = "PROJECT_DELETED"
    MEMBER_ADDED = "MEMBER_ADDED"
    MEMBER_ROLE_CHANGED = "MEMBER_ROLE_CHANGED"
    MEMBER_REMOVED = "MEMBER_REMOVED"
    MEMBER_LEFT = "MEMBER_LEFT"
    IDENTITY_LINKED = "IDENTITY_LINKED"
    IDENTITY_UNLINKED = "IDENTITY_UNLINKED"
    EXPORT_STARTED = "EXPORT_STARTED"
    IMPORT_STARTED = "IMPORT_STARTED"
    DOCUMENTS_ADDED = "DOCUMENTS_ADDED"
    DOCUMENTS_REMOVED = "DOCUMENTS_REMOVED"
    AUDIT_EXPORTED = "AUDIT_EXPORTED"
    SERVER_STARTED = "SERVER_STARTED"
    CLEANED_UP = "CLEANED_UP"
    INVITATION_CREATED = "INVITATION_CREATED"
    INVITATION_REVOKED = "INVITATION_REVOKED"
    INVITATION_ACCEPTED = "INVITATION_ACCEPTED"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - the name of an action
    EMAIL_VERIFIED = "EMAIL_VERIFIED"
    RECOVERY_CREATED = "RECOVERY_CREATED"
    RECOVERY_USED = "RECOVERY_USED"


class SubjectKind(StrEnum):
    """The kind of object to which something was done."""

    USER = "USER"
    SESSION = "SESSION"
    ACCESS_TOKEN = "ACCESS_TOKEN"  # noqa: S105 - a kind of object
    PROJECT = "PROJECT"
    INVITATION = "INVITATION"


class Subject(NamedTuple):
    """The object to which something was done, and its name at that time: a username, or the key of a project."""

    kind: SubjectKind
    id: UUID
    name: str | None = None

    @classmethod
    def user(cls, user_id: UUID, username: str | None) -> Self:
        """A user."""
        return cls(SubjectKind.USER, user_id, username)

    @classmethod
    def session(cls, session_id: UUID, username: str | None) -> Self:
        """A session of a user, with the name of the user."""
        return cls(SubjectKind.SESSION, session_id, username)

    @classmethod
    def access_token(cls, token_id: UUID, username: str | None) -> Self:
        """A personal access token of a user, with the name of the user."""
        return cls(SubjectKind.ACCESS_TOKEN, token_id, username)

    @classmethod
    def invitation(cls, invitation_id: UUID) -> Self:
        """An invitation, without the address."""
        return cls(SubjectKind.INVITATION, invitation_id)

    @classmethod
    def project(cls, project_id: UUID, key: str) -> Self:
        """A project."""
        return cls(SubjectKind.PROJECT, project_id, key)


class Performer(NamedTuple):
    """The user who did something, with the name at that time."""

    id: UUID
    name: str | None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What a service adds to the audit log in its transaction.

    The performer is the actor of the unit of work, unless one is given: a user who signs in is not its actor yet.
    """

    action: AuditAction
    subject: Subject | None = None
    details: Mapping[str, Detail] = field(default_factory=lambda: MappingProxyType({}))
    performer: Performer | None = None


def one_line(text: str) -> str:
    r"""The text on one line: cut to `MAX_TEXT` characters, with control characters and backslashes escaped.

    Escaped are controls, formats such as a change of the direction of writing, line and paragraph separators, lone
    surrogates and unassigned characters: `\x1b`, `\u2028`.
    """
    cut = text[:MAX_TEXT]
    if cut.isascii() and cut.isprintable() and "\\" not in cut:
        return cut
    return "".join(_escaped(character) for character in cut)


def safe_details(details: Mapping[str, Detail]) -> dict[str, object]:
    """The details as they are stored: texts are on one line, lists have at most `MAX_LIST` texts."""
    return {name: _safe(value) for name, value in details.items()}


def _safe(value: Detail) -> object:
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, tuple):
        return [one_line(each) for each in value[:MAX_LIST]]
    return value


def _escaped(character: str) -> str:
    if character == "\\":
        return r"\\"
    category = unicodedata.category(character)
    if category[0] != "C" and category not in ("Zl", "Zp"):
        return character
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def counted_id(at: datetime, *parts: str) -> UUID:
    """The id of the entry that counts equal events of the hour of *at*: the same in every process.

    A UUIDv8 (RFC 9562, 5.8) that begins with the hour, in milliseconds since 1970, as a UUIDv7 does; the rest is from a
    SHA-256 of the parts.
    """
    hour = int(start_of_hour(at).timestamp()) * 1_000
    digest = hashlib.sha256("\n".join(parts).encode(errors="surrogatepass")).digest()
    number = int.from_bytes(hour.to_bytes(6, "big") + digest[:10], "big")
    return UUID(int=number & ~_VERSION_AND_VARIANT | _VERSION_8)


def start_of_hour(at: datetime) -> datetime:
    """The hour of a time, in UTC. Equal events of one hour are counted together."""
    return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


class Failure(NamedTuple):
    """Failures that are counted together. *user* is the account that was named, if it exists.

    The text that was given as a username is not kept: people type passwords there. *address* None means many addresses.
    """

    action: AuditAction
    user: Performer | None
    address: str | None

    @property
    def is_known(self) -> bool:
        """Whether the account exists."""
        return self.user is not None

    def wider(self) -> "Failure | None":
        """The failures with which this one is counted if there are too many entries; None: it is always counted."""
        if self.address is None:
            return None if self.user is None else self._replace(user=None)
        return self._replace(address=None)


MAX_FAILURES: Final[Mapping[tuple[bool, bool], int]] = MappingProxyType(
    {(True, True): 1_000, (False, True): 500, (True, False): 500}
)
"""Entries of one hour for failures, by whether the account is known and whether the address is.

Others are counted with fewer distinctions: first without the address, then also without the account. So no number of
failures makes more than 2,002 entries in an hour.
"""


class FailureLimits:
    """Chooses the entry with which a failure is counted. *used* is the number of entries, by what is known."""

    def __init__(self, used: Mapping[tuple[bool, bool], int] = MappingProxyType({})) -> None:
        self._used = dict(used)

    def place(self, failure: Failure, existing: "Mapping[Failure, object] | set[Failure]") -> Failure:
        """The failure itself or the first wider one that is among *existing* or has room; it takes its room."""
        found = failure
        while found not in existing:
            kind = (found.is_known, found.address is not None)
            used = self._used.get(kind, 0)
            wider = found.wider()
            if wider is None or used < MAX_FAILURES[kind]:
                self._used[kind] = used + 1
                break
            found = wider
        return found
