"""What a token proves: a session, or a personal access token. Each says how its rights are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Final, NamedTuple, Protocol
from uuid import UUID

from asgi.errors import ExpiredAccessToken, RevokedAccessToken, RevokedToken
from domain.access_token import Scope, effective, role_with
from domain.errors import Unauthenticated
from domain.user import Role
from graphql_api.auth.tokens import Claims
from persistence.queries.access_token import token_by_hash
from persistence.queries.query import Query
from persistence.queries.reader import Shape
from persistence.queries.session import session, session_with_roles

_RIGHTS: Final = ("expires_at", "user.id", "user.role", "user.is_active", "user.access_version", "user.username")


class Rights(NamedTuple):
    """What a session or a token permits. `identity_ends` is when the token ends, and `until` when its row does."""

    role: Role
    identity_ends: datetime
    until: datetime
    session_id: UUID | None = None
    token_id: UUID | None = None
    scopes: frozenset[Scope] | None = None
    project_id: UUID | None = None


class Credential(Protocol):
    """A session or a personal access token, and its user."""

    shape: ClassVar[Shape]
    """The columns that `rights` needs: first those of `_RIGHTS`."""

    @property
    def user_id(self) -> UUID:
        """The user whom the token names."""

    def query(self, *, with_roles: bool) -> Query:
        """The query for the row; with the user's roles in projects as the last column."""

    def revoked(self) -> Unauthenticated:
        """The error if there is no row, or it is not valid any more."""

    def rights(self, row: Sequence[Any], now: datetime) -> Rights:
        """What the row permits.

        Raises:
            Unauthenticated: it has expired.
        """


class SessionCredential:
    """The access token of a session."""

    shape: ClassVar = Shape(_RIGHTS)

    def __init__(self, claims: Claims) -> None:
        self._claims = claims
        self.user_id = claims.user_id

    def query(self, *, with_roles: bool) -> Query:
        """The session and its user."""
        return (session_with_roles if with_roles else session)(self._claims.session_id)

    def revoked(self) -> Unauthenticated:
        """The session has ended."""
        return RevokedToken()

    def rights(self, row: Sequence[Any], now: datetime) -> Rights:
        """All rights of the user."""
        ends, role = row[0], row[2]
        if ends <= now:
            raise RevokedToken
        claims = self._claims
        return Rights(Role(role), claims.expires_at, min(claims.expires_at, ends), session_id=claims.session_id)


@dataclass(frozen=True, slots=True)
class PersonalCredential:
    """A personal access token."""

    shape: ClassVar = Shape((*_RIGHTS, "id", "scopes", "project_id"))

    token_hash: bytes
    user_id: UUID

    def query(self, *, with_roles: bool) -> Query:
        """The token and its user."""
        return token_by_hash(self.token_hash, with_roles=with_roles)

    def revoked(self) -> Unauthenticated:
        """The token does not exist, or not any more."""
        return RevokedAccessToken()

    def rights(self, row: Sequence[Any], now: datetime) -> Rights:
        """The user's rights within the scopes of the token."""
        ends, role, token_id, project_id = row[0], row[2], row[6], row[8]
        scopes = effective(row[7], in_project=project_id is not None)
        if ends <= now:
            raise ExpiredAccessToken
        role = role_with(Role(role), scopes)
        return Rights(role, ends, ends, token_id=token_id, scopes=scopes, project_id=project_id)
