"""Queries for personal access tokens."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import FromClause, Integer, LargeBinary, Select, Uuid, bindparam, select

from domain.actor import Actor
from domain.policy import Action, reach_of
from persistence.models import AccessTokenRow, UserRow
from persistence.queries.joins import Referenced, References, joined, user_in
from persistence.queries.membership import roles_of_user
from persistence.queries.parent import Reaches
from persistence.queries.project_visibility import any_project
from persistence.queries.query import Query
from persistence.queries.task_visibility import values_of
from persistence.queries.user import is_service_account

_TOKENS: Final[FromClause] = AccessTokenRow.__table__
REFERENCES_OF_A_TOKEN: Final[References] = {
    "user": user_in("user_id"),
    "project": Referenced("project_id", any_project),
}


@dataclass(frozen=True, slots=True)
class TokensOfUser:
    """A user's tokens, the newest first. Parameters: `user_id`, `limit`, `actor_id`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        of_user = AccessTokenRow.user_id == bindparam("user_id", type_=Uuid())
        newest_first = (AccessTokenRow.created_at.desc(), AccessTokenRow.id.desc())
        return (
            joined(_TOKENS, columns, REFERENCES_OF_A_TOKEN)
            .where(of_user)
            .order_by(*newest_first)
            .limit(bindparam("limit", type_=Integer()))
        )


@dataclass(frozen=True, slots=True)
class TokensOfAccount:
    """The tokens of a service account that the actor manages, the newest first. Parameters: as `TokensOfUser`."""

    reaches: Reaches

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        accounts = select(UserRow.id).where(is_service_account(UserRow.project_id, self.reaches))
        return TokensOfUser().select(columns).where(AccessTokenRow.user_id.in_(accounts))


@dataclass(frozen=True, slots=True)
class TokenById:
    """One token. Parameters: `id`, `actor_id`."""

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        return joined(_TOKENS, columns, REFERENCES_OF_A_TOKEN).where(AccessTokenRow.id == bindparam("id", type_=Uuid()))


@dataclass(frozen=True, slots=True)
class TokenByHash:
    """One token, expired or not, and its `user`. Parameter: `token_hash`.

    With *with_roles*, the last column has the user's roles in projects, see `roles_of_user`.
    """

    with_roles: bool

    def select(self, columns: Sequence[str]) -> Select[Any]:
        """The statement."""
        query = joined(_TOKENS, columns, REFERENCES_OF_A_TOKEN)
        query = query.where(AccessTokenRow.token_hash == bindparam("token_hash", type_=LargeBinary()))
        return query.add_columns(roles_of_user(AccessTokenRow)) if self.with_roles else query


_WITH_ROLES: Final = TokenByHash(with_roles=True)
_WITHOUT_ROLES: Final = TokenByHash(with_roles=False)


def token_by_hash(token_hash: bytes, *, with_roles: bool) -> Query:
    """A token and its user."""
    return Query(_WITH_ROLES if with_roles else _WITHOUT_ROLES, {"token_hash": token_hash})


def token(token_id: UUID) -> Query:
    """A token."""
    return Query(TokenById(), {"id": token_id, "actor_id": None})


def tokens_of_account(actor: Actor, user_id: UUID, *, at_most: int) -> Query:
    """The tokens of a service account; none if the actor does not manage it."""
    reaches = reach_of(actor, Action.MANAGE_SERVICE_ACCOUNTS)
    return Query(TokensOfAccount(reaches), {"user_id": user_id, "limit": at_most, **values_of(actor)})


def tokens(user_id: UUID, *, at_most: int) -> Query:
    """A user's tokens, expired ones included."""
    return Query(TokensOfUser(), {"user_id": user_id, "limit": at_most, "actor_id": user_id})
