"""The rules for identities: accounts at OpenID Connect providers that are linked to users, and what groups give."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from domain.errors import Forbidden
from domain.project import ProjectRole, check_key
from domain.user import MAX_USERNAME, MIN_USERNAME, Role

MAX_PROVIDER: Final = 20
MAX_ISSUER: Final = 255
MAX_SUBJECT: Final = 255
MAX_ACCOUNT_NAME: Final = 254
MAX_IDENTITIES: Final = 20
"""Identities of one user."""
MAX_GROUPS: Final = 2_000
"""Groups of a user that are read."""
MAX_PATH: Final = 500
USE_KEPT: Final = timedelta(minutes=30)
"""How long it is remembered that a flow or a logout token was used. Both are valid for a shorter time."""

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9._-]+")
_FALLBACK: Final = "user"
_NUMBERS: Final = range(2, 1_000)
# A path of this server: one slash first, and only characters that may be in a path, a query and a fragment (RFC 3986).
_LOCAL_PATH: Final = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()*+,;=:@%/?#-]*")
_ROLE_ORDER: Final = {Role.USER: 0, Role.MODERATOR: 1, Role.ADMIN: 2}
_PROJECT_ROLE_ORDER: Final = {ProjectRole.VIEWER: 0, ProjectRole.MEMBER: 1, ProjectRole.MANAGER: 2}


class PasswordsDisabled(Forbidden):
    """The server has switched passwords off (`PASSWORD_LOGIN`)."""

    def __init__(self) -> None:
        super().__init__("Passwords are switched off on this server: sign in through a provider.")


def is_local_path(text: str) -> bool:
    r"""Whether a browser that is sent there stays on this server.

    `//host` and `/\host` are other servers, and browsers remove tabs and line breaks before they look.
    """
    return len(text) <= MAX_PATH and _LOCAL_PATH.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class ProviderUser:
    """A user as a provider describes them. The pair of issuer and subject never changes; the rest may.

    *email* is the address at the provider, and *email_verified* whether the provider says that it is the user's.
    """

    provider: str
    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    username: str | None = None
    session: str | None = None

    @property
    def account_name(self) -> str | None:
        """The name of the account at the provider, for lists."""
        name = self.email or self.username
        return name[:MAX_ACCOUNT_NAME] if name is not None else None


def usernames(wanted: str | None, email: str | None) -> Iterator[str]:
    """Names for a new user, the best first: from the provider's name or address, then with numbers."""
    base = next((name for name in map(_plain, (wanted, email)) if name), _FALLBACK)
    if len(base) >= MIN_USERNAME:
        yield base
    for number in _NUMBERS:
        end = f"-{number}"
        yield base[: MAX_USERNAME - len(end)].rstrip("._-") + end


def _plain(text: str | None) -> str:
    """The text with only the characters of usernames; of an address the part before the @."""
    if text is None:
        return ""
    local = text[:200].partition("@")[0]
    folded = unicodedata.normalize("NFKD", local).encode("ascii", "ignore").decode()
    return _NOT_IN_NAMES.sub("-", folded).strip("._-")[:MAX_USERNAME].rstrip("._-")


@dataclass(frozen=True, slots=True)
class Grants:
    """What the groups of a user give: a role, or None if the role is not up to the provider, and roles in projects.

    Projects are named by their keys.
    """

    role: Role | None = None
    projects: Mapping[str, ProjectRole] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GroupRules:
    """What each group of one provider gives."""

    roles: Mapping[str, Role]
    projects: Mapping[str, Sequence[tuple[str, ProjectRole]]]

    @classmethod
    def read(cls, given: Mapping[str, object]) -> "GroupRules":
        """Rules as settings have them: by group, one or several of `ADMIN`, `MODERATOR`, `USER` and `KEY:ROLE`.

        Raises:
            ValueError: one of them is neither.
        """
        roles: dict[str, Role] = {}
        projects: dict[str, list[tuple[str, ProjectRole]]] = {}
        for group, value in given.items():
            for text in [value] if isinstance(value, str) else _list(value):
                key, colon, name = text.strip().rpartition(":")
                if not colon:
                    roles[group] = _highest_role(roles.get(group), _member(Role, name))
                else:
                    projects.setdefault(group, []).append((_key(key), _member(ProjectRole, name)))
        return cls(roles, projects)

    def grants(self, groups: Iterable[str]) -> Grants:
        """What these groups give together: of each kind the highest role. Without a group that gives one: USER."""
        role: Role | None = Role.USER if self.roles else None
        projects: dict[str, ProjectRole] = {}
        for group in groups:
            if group in self.roles:
                role = _highest_role(role, self.roles[group])
            for key, project_role in self.projects.get(group, ()):
                projects[key] = max(projects.get(key, project_role), project_role, key=_PROJECT_ROLE_ORDER.__getitem__)
        return Grants(role, projects)


def groups_in(claims: Mapping[str, Any], name: str) -> list[str]:
    """The groups in a claim: a list of texts, or one text. A provider that leaves the claim out gives no groups.

    Raises:
        Forbidden: the provider says that there are too many to send (`_claim_names`), so they are not known.
    """
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, Mapping) and name in elsewhere:
        raise Forbidden(
            "The sign-in provider has not sent your groups, because there are too many. Ask the operator of this "
            "server to let the provider send only the groups of this application."
        )
    value = claims.get(name)
    found = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return [each for each in found[:MAX_GROUPS] if isinstance(each, str)]


def check_way_in_remains(other_identities: int, *, has_password: bool) -> None:
    """Refuse to unlink the only identity of a user who cannot sign in in another way.

    Raises:
        Forbidden: it is.
    """
    if not other_identities and not has_password:
        raise Forbidden("This is your only way to sign in. Link another provider or set a password first.")


def _list(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError("each group must have a text or a list of texts, such as ADMIN or WEB:MEMBER")
    return value


def _member(kind: type[Any], name: str) -> Any:
    try:
        return kind[name.strip().upper()]
    except KeyError:
        raise ValueError(f"{name[:40]!r} is none of {', '.join(each.value for each in kind)}") from None


def _key(text: str) -> str:
    try:
        return check_key(text)
    except Exception as error:
        raise ValueError(f"{text[:40]!r} is not the key of a project") from error


def _highest_role(one: Role | None, other: Role) -> Role:
    return other if one is None else max(one, other, key=_ROLE_ORDER.__getitem__)
